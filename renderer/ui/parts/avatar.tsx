import { memo, type ReactElement } from "react";
import { avatarOf, type Avatar as Bowl } from "../../model/avatar.ts";

/** Glazes: body, rim, and the colour of what is painted on. Kept apart in hue and in lightness, for eyes of every kind. */
const glazes: readonly (readonly [body: string, rim: string, paint: string])[] = [
  ["#2f4b6e", "#1e3350", "#e9dfc8"],
  ["#8fb9a0", "#5f8d76", "#24463a"],
  ["#b9472f", "#83301f", "#f6dcb4"],
  ["#e8dcc3", "#c3ae87", "#7d3f2c"],
  ["#3a3230", "#191514", "#d9a25a"],
  ["#d79a3f", "#a46c1c", "#4b2a12"],
  ["#6d8f3f", "#496425", "#f1edc9"],
  ["#7c5a86", "#553b5e", "#f0dcc9"],
  ["#c9d6d8", "#8fa6ab", "#2c5266"],
  ["#a4715a", "#754a37", "#f4e6d3"],
  ["#276b6b", "#164848", "#f0c98a"],
  ["#d98b86", "#aa5c5b", "#4f2230"],
];

/** Teas: the middle of the surface and its edge. */
const teas: readonly (readonly [middle: string, edge: string])[] = [
  ["#d9c96b", "#a99a3d"],
  ["#d98f3a", "#9c5a17"],
  ["#8c3b1c", "#561f0d"],
  ["#ead9a0", "#c2a863"],
  ["#b9c98a", "#84975a"],
];

/** One repetition of a motif, painted upwards from the middle of a 100 by 100 drawing, between the tea and the rim. */
function motifPath({ motif, grain }: Bowl): { readonly d: string; readonly filled: boolean } {
  const bend = 3 + grain * 5;
  switch (motif) {
    case "petals":
      return { d: `M50 26C${44 - bend} 20 ${45 - bend} 10 50 6C${55 + bend} 10 ${56 + bend} 20 50 26Z`, filled: true };
    case "waves":
      return { d: `M38 20Q44 ${8 + bend} 50 16T62 14M40 26Q45 ${15 + bend} 50 22T60 20`, filled: false };
    case "moons":
      return { d: `M54 8A${6 + grain * 2} ${6 + grain * 2} 0 1 0 54 23A8 8 0 0 1 54 8Z`, filled: true };
    case "leaves":
      return {
        d: `M50 27V${12 - bend / 3}M50 22Q${43 - bend / 2} 19 43 11Q50 14 50 22Q57 ${17 - bend / 3} 58 10Q50 12 50 18`,
        filled: true,
      };
    case "rays":
      return { d: `M50 27V7M${45 - bend / 2} 26L47 12M${55 + bend / 2} 26L53 12`, filled: false };
    case "knots":
      return {
        d: `M50 6L57 ${15 - grain * 3}L50 26L43 ${15 - grain * 3}ZM50 11L53 15.5L50 20L47 15.5Z`,
        filled: false,
      };
    case "crackle":
      return { d: `M44 27L${47 + bend / 2} 18L41 12L48 5M${47 + bend / 2} 18L58 15L61 8`, filled: false };
    case "drops":
      return {
        d: `M50 6Q${55 + bend / 2} 14 50 18Q${45 - bend / 2} 14 50 6ZM50 21.5A2.5 2.5 0 1 0 50 26.5A2.5 2.5 0 1 0 50 21.5Z`,
        filled: true,
      };
    default:
      return motif satisfies never;
  }
}

/**
 * A person as a bowl of tea seen from above, drawn from the identity key alone. Names stand beside it: for a screen reader
 * it adds nothing.
 */
export const Avatar = memo(function Avatar({ identity }: { readonly identity: string }): ReactElement {
  const bowl = avatarOf(identity);
  const [body, rim, paint] = glazes[bowl.glaze] ?? ["#888888", "#555555", "#ffffff"];
  const [middle, edge] = teas[bowl.tea] ?? ["#d98f3a", "#9c5a17"];
  const { d, filled } = motifPath(bowl);
  const folds = Array.from({ length: bowl.folds }, (_, fold) => bowl.turn + (fold * 360) / bowl.folds);
  return (
    <svg className="avatar" viewBox="0 0 100 100" aria-hidden="true" focusable="false">
      <circle cx="50" cy="50" r="49" fill={rim} />
      <circle cx="50" cy="50" r="46" fill={body} />
      <g
        fill={filled ? paint : "none"}
        stroke={paint}
        strokeWidth={filled ? 0.8 : 2.4}
        strokeLinecap="round"
        strokeLinejoin="round"
      >
        {folds.map((turn) => (
          <path key={turn} d={d} transform={`rotate(${turn} 50 50)`} />
        ))}
      </g>
      {bowl.doubleRim && <circle cx="50" cy="50" r="43.5" fill="none" stroke={paint} strokeWidth="1.2" opacity="0.7" />}
      <circle cx="50" cy="50" r="24" fill={rim} />
      <circle cx="50" cy="51" r="22" fill={edge} />
      <circle cx="50" cy="52" r="18" fill={middle} />
      <path
        d="M37 43Q43 35 53 35"
        fill="none"
        stroke="#fffdf5"
        strokeWidth="2.6"
        strokeLinecap="round"
        opacity="0.65"
      />
    </svg>
  );
});
