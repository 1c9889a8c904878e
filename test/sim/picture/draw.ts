import { layOut } from "./layout.ts";
import type { Placed } from "./layout.ts";
import type { DrawnSecond, Snapshot } from "./snapshot.ts";

const width = 1600;
const height = 1180;
/** The tree's disc. */
const centreX = 600;
const centreY = 500;
const radiusMax = 420;
const coreRadius = 46;
/** The time line. */
const chart = { left: 90, right: 1540, top: 1000, bottom: 1120 } as const;

/** Colours that people who see few colours tell apart (Okabe and Ito 2008), on a dark ground. */
const palette = ["#e69f00", "#56b4e9", "#00b386", "#f0e442", "#cc79a7", "#ff7a45"] as const;
const ground = "#10151d";
const ink = "#e8edf4";
const faint = "#8d9aad";

/** The whole picture as SVG: the tree by delay, region and load, and below it how well everybody heard, second by second. */
export function draw(snapshot: Snapshot): string {
  const peers = layOut(snapshot.peers);
  const regions = [...new Set(peers.map(({ region }) => region))].toSorted();
  const colourOf = (region: string): string => palette[regions.indexOf(region) % palette.length]!;
  const parts = [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}"`,
    ` font-family="system-ui, 'DejaVu Sans', sans-serif">`,
    `<rect width="${width}" height="${height}" fill="${ground}"/>`,
    text(60, 52, snapshot.title, { size: 26, colour: ink, weight: 600 }),
    drawTree(peers, colourOf),
    drawLegend(snapshot, peers, regions, colourOf),
    drawTimeLine(snapshot),
    "</svg>\n",
  ];
  return parts.join("");
}

function drawTree(peers: readonly Placed[], colourOf: (region: string) => string): string {
  const farthest = Math.max(1, ...peers.map(({ delayMs }) => delayMs));
  const radiusOf = (delayMs: number): number => coreRadius + ((radiusMax - coreRadius) * delayMs) / farthest;
  const byNode = new Map(peers.map((peer) => [peer.node, peer]));
  const links = peers.map((peer) => drawLink(peer, byNode, radiusOf, colourOf));
  // Leaves first, so that who carries others lies on top.
  const dots = peers.toSorted((a, b) => a.slots - b.slots).map((peer) => drawPeer(peer, radiusOf, colourOf));
  return [drawRings(farthest, radiusOf), ...links, ...dots, drawCoreLabel(peers)].join("");
}

function drawRings(farthest: number, radiusOf: (delayMs: number) => number): string {
  const step = [10, 20, 25, 50, 100, 200].find((ms) => farthest / ms <= 6) ?? 500;
  const rings = [];
  for (let ms = step; ms <= farthest; ms += step) {
    const radius = radiusOf(ms);
    rings.push(
      `<circle cx="${centreX}" cy="${centreY}" r="${fixed(radius)}" fill="none" stroke="#2a3443" stroke-dasharray="2 5"/>`,
      text(centreX - 0.71 * radius - 6, centreY - 0.71 * radius - 4, `${ms} ms`, {
        size: 12,
        colour: faint,
        anchor: "end",
      }),
    );
  }
  return rings.join("");
}

function drawLink(
  peer: Placed,
  byNode: ReadonlyMap<number, Placed>,
  radiusOf: (delayMs: number) => number,
  colourOf: (region: string) => string,
): string {
  const parent = peer.parent === undefined ? undefined : byNode.get(peer.parent);
  if (parent === undefined) return "";
  const [from, to] = [radiusOf(parent.delayMs), radiusOf(peer.delayMs)];
  const [x, y] = at(parent.angle, from);
  // Leaves the parent outwards and comes in along the child's own ray.
  const [bendX, bendY] = at(peer.angle, (from + to) / 2);
  const [endX, endY] = at(peer.angle, to);
  const [strong, wide] = peer.children > 0 ? [0.55, 1.2] : [0.3, 0.8];
  const path = `M${fixed(x)} ${fixed(y)}Q${fixed(bendX)} ${fixed(bendY)} ${fixed(endX)} ${fixed(endY)}`;
  return `<path d="${path}" fill="none" stroke="${colourOf(peer.region)}" stroke-opacity="${strong}" stroke-width="${wide}"/>`;
}

/** Size is how many hang below, the light inside is how much of what it lends is used. */
function drawPeer(peer: Placed, radiusOf: (delayMs: number) => number, colourOf: (region: string) => string): string {
  const [x, y] = at(peer.angle, radiusOf(peer.delayMs));
  const colour = colourOf(peer.region);
  const place = `cx="${fixed(x)}" cy="${fixed(y)}"`;
  if (peer.slots === 0) return `<circle ${place} r="1.6" fill="${colour}"/>`;
  const radius = 3 + Math.min(9, Math.sqrt(peer.children) * 1.3);
  const used = Math.min(1, peer.children / peer.slots);
  const rim = peer.parent === undefined ? ink : colour;
  return [
    `<circle ${place} r="${fixed(radius)}" fill="${ground}" stroke="${rim}" stroke-width="1.6"/>`,
    `<circle ${place} r="${fixed((radius - 1) * Math.sqrt(used))}" fill="${colour}" fill-opacity="0.9"/>`,
  ].join("");
}

function drawCoreLabel(peers: readonly Placed[]): string {
  const count = peers.filter(({ parent }) => parent === undefined).length;
  return text(centreX, centreY + 5, `core ${count}`, { size: 13, colour: faint, anchor: "middle" });
}

function drawLegend(
  snapshot: Snapshot,
  peers: readonly Placed[],
  regions: readonly string[],
  colourOf: (region: string) => string,
): string {
  const left = 1130;
  let top = 110;
  const parts: string[] = [];
  const line = (content: string, after: number): void => {
    parts.push(content);
    top += after;
  };
  line(text(left, top, "Region", { size: 15, colour: faint }), 26);
  for (const region of regions) {
    const count = peers.filter((peer) => peer.region === region).length;
    line(
      `<circle cx="${left + 7}" cy="${top - 5}" r="6" fill="${colourOf(region)}"/>` +
        text(left + 24, top, `${region}  ${count}`, { size: 15, colour: ink }),
      24,
    );
  }
  top += 16;
  line(text(left, top, "Distance from the middle: delay from the core, in ms", { size: 14, colour: faint }), 22);
  line(text(left, top, "Size: children. Filled: share of what it lends that is used", { size: 14, colour: faint }), 22);
  line(text(left, top, "Dots: who lends nothing. White rim: the core", { size: 14, colour: faint }), 40);
  for (const [name, value] of snapshot.figures) {
    parts.push(text(left, top, name, { size: 15, colour: faint }));
    line(text(1540, top, value, { size: 15, colour: ink, anchor: "end" }), 25);
  }
  top += 16;
  parts.push(drawDepths(peers, left, top));
  return parts.join("");
}

/** How many are how many links from the core. */
function drawDepths(peers: readonly Placed[], left: number, top: number): string {
  const deepest = Math.max(0, ...peers.map(({ hops }) => hops));
  const counts = Array.from({ length: deepest + 1 }, (_, hops) => peers.filter((peer) => peer.hops === hops).length);
  const most = Math.max(1, ...counts);
  const bars = counts.map((count, hops) => {
    const y = top + 24 + hops * 24;
    return (
      text(left, y, hops === 0 ? "core" : `${hops} ${hops === 1 ? "link" : "links"}`, { size: 14, colour: faint }) +
      `<rect x="${left + 64}" y="${y - 12}" width="${fixed((count / most) * 270)}" height="14" rx="2" fill="#3d5a80"/>` +
      text(left + 72 + (count / most) * 270, y, String(count), { size: 13, colour: ink })
    );
  });
  return text(left, top, "Links from the core", { size: 15, colour: faint }) + bars.join("");
}

function drawTimeLine({ seconds, blows }: Snapshot): string {
  const { left, right, top, bottom } = chart;
  const xOf = (second: number): number => left + ((right - left) * second) / Math.max(1, seconds.length - 1);
  const shares = seconds.flatMap(({ onTime }) => onTime ?? []);
  // What matters lies in the last percents: the scale begins at the worst second.
  const floor = Math.min(0.99, Math.floor(Math.min(1, ...shares) * 100) / 100);
  const yOf = (share: number): number => bottom - ((bottom - top) * (share - floor)) / (1 - floor);
  const marks = blows.map(
    ({ second, what }) =>
      `<line x1="${fixed(xOf(second))}" x2="${fixed(xOf(second))}" y1="${top - 14}" y2="${bottom}" stroke="#ff5d5d"/>` +
      text(xOf(second) + 6, top - 6, what, { size: 13, colour: "#ff8a8a" }),
  );
  return [
    text(left, top - 34, "Ready within 400 ms of being said: share of all packets of all members, second by second", {
      size: 15,
      colour: faint,
    }),
    ...[1, floor].map(
      (share) =>
        `<line x1="${left}" x2="${right}" y1="${fixed(yOf(share))}" y2="${fixed(yOf(share))}" stroke="#2a3443"/>` +
        text(left - 10, yOf(share) + 5, `${Math.round(share * 100)} %`, { size: 13, colour: faint, anchor: "end" }),
    ),
    drawMembers(seconds, xOf),
    drawShares(seconds, xOf, yOf),
    ...marks,
    text(left, bottom + 24, "0 s", { size: 13, colour: faint }),
    text(right, bottom + 24, `${seconds.length} s`, { size: 13, colour: faint, anchor: "end" }),
  ].join("");
}

function drawShares(
  seconds: readonly DrawnSecond[],
  xOf: (second: number) => number,
  yOf: (share: number) => number,
): string {
  const points = seconds.flatMap(({ onTime }, second) =>
    onTime === undefined ? [] : [`${fixed(xOf(second))},${fixed(yOf(onTime))}`],
  );
  return `<polyline points="${points.join(" ")}" fill="none" stroke="#00b386" stroke-width="2.5" stroke-linejoin="round"/>`;
}

/** How many are in the room, as a shadow behind. */
function drawMembers(seconds: readonly DrawnSecond[], xOf: (second: number) => number): string {
  const { left, right, top, bottom } = chart;
  const most = Math.max(1, ...seconds.map(({ members }) => members));
  const yOf = (members: number): number => bottom - ((bottom - top) * members) / most;
  const points = seconds.map(({ members }, second) => `${fixed(xOf(second))},${fixed(yOf(members))}`);
  return (
    `<polygon points="${left},${bottom} ${points.join(" ")} ${right},${bottom}" fill="#1b2735"/>` +
    text(right, top - 34, `shadow: members, at most ${most}`, { size: 13, colour: faint, anchor: "end" })
  );
}

function at(angle: number, radius: number): readonly [number, number] {
  return [centreX + radius * Math.cos(angle), centreY + radius * Math.sin(angle)];
}

interface Type {
  readonly size: number;
  readonly colour: string;
  readonly weight?: number;
  readonly anchor?: "middle" | "end";
}

function text(x: number, y: number, content: string, { size, colour, weight = 400, anchor }: Type): string {
  const safe = content.replaceAll("&", "&amp;").replaceAll("<", "&lt;");
  const side = anchor === undefined ? "" : ` text-anchor="${anchor}"`;
  return `<text x="${fixed(x)}" y="${fixed(y)}" font-size="${size}" font-weight="${weight}" fill="${colour}"${side}>${safe}</text>`;
}

function fixed(value: number): string {
  return value.toFixed(1);
}
