import type { ReactElement } from "react";
import type { StagePerson } from "../../../p2p/api/engine.ts";
import type { TreeNeighbour, TreePicture } from "../../model/room/tree.ts";
import { Avatar } from "../parts/avatar.tsx";

/** Bowls on the stage of the picture; more would hide the lamp. */
const bowlsMax = 5;

const width = 560;
const stageY = 66;
const relayY = 232;
const selfY = 330;
const belowY = 424;

interface TreeDrawingProps {
  readonly tree: TreePicture;
  readonly people: readonly StagePerson[];
  /** Sound flows from us to the room. */
  readonly isSource: boolean;
  /** A reserve stepped in a moment ago. */
  readonly isCovering: boolean;
}

/** The tree around us. Its words stand beside it as a list, so it is nothing to a screen reader. */
export function TreeDrawing({ tree, people, isSource, isCovering }: TreeDrawingProps): ReactElement {
  const { parent, backups, below, belowMore } = tree;
  const above = parent === undefined ? backups : [parent, ...backups];
  const height = below.length === 0 ? selfY + 54 : belowY + 36;
  const middle = width / 2;
  return (
    <div className="tree" aria-hidden="true">
      <svg className="tree-picture" viewBox={`0 0 ${width} ${height}`} focusable="false">
        <ellipse className="tree-light" cx={middle} cy={stageY + 20} rx="210" ry="92" />
        <ellipse className="tree-table" cx={middle} cy={stageY + 22} rx="128" ry="20" />
        {above.map((relay, index) => (
          <Branch
            key={relay.peer}
            relay={relay}
            x={spread(index, above.length)}
            dots={relay === parent ? tree.between : 0}
            isReserve={!relay.feeds}
            isCovering={isCovering}
            upwards={isSource}
          />
        ))}
        {above.length === 0 && (
          <path
            className="tree-line"
            d={`M${middle} ${stageY + 40}V${selfY - 26}`}
            data-reserve={!isSource || undefined}
          />
        )}
        {below.map((child, index) => (
          <Twig key={child.peer} child={child} x={spread(index, below.length + Number(belowMore > 0))} />
        ))}
        {belowMore > 0 && (
          <text className="tree-more" x={spread(below.length, below.length + 1)} y={belowY + 6}>
            {`+${belowMore}`}
          </text>
        )}
        <circle className="tree-self-glow" cx={middle} cy={selfY} r="34" />
        <g className="tree-self" transform={`translate(${middle} ${selfY}) scale(1.45)`}>
          <path d="M-15 -7h30c0 9-5 14-10 15v3h-10v-3c-5-1-10-6-10-15Z" />
          <path className="tree-steam" d="M-4 -12c-3-4 3-6 0-10M4 -12c-3-4 3-6 0-10" />
        </g>
      </svg>
      <div className="tree-stage">
        {people.slice(0, bowlsMax).map(({ identity }) => (
          <Avatar key={identity} identity={identity} />
        ))}
      </div>
    </div>
  );
}

interface BranchProps {
  readonly relay: TreeNeighbour;
  readonly x: number;
  /** Relays drawn between the stage and this one. */
  readonly dots: number;
  readonly isReserve: boolean;
  readonly isCovering: boolean;
  readonly upwards: boolean;
}

function Branch({ relay, x, dots, isReserve, isCovering, upwards }: BranchProps): ReactElement {
  const middle = width / 2;
  const top = stageY + 40;
  const bend = [top + 70, relayY - 70] as const;
  const between = Array.from({ length: dots }, (_, index) => (index + 1) / (dots + 1));
  return (
    <g
      className="tree-branch"
      data-reserve={isReserve || undefined}
      data-covering={(isReserve && isCovering) || undefined}
      data-upwards={upwards || undefined}
    >
      <path className="tree-line" d={`M${middle} ${top}C${middle} ${bend[0]} ${x} ${bend[1]} ${x} ${relayY}`} />
      <path
        className="tree-line"
        d={`M${x} ${relayY}C${x} ${relayY + 50} ${middle} ${selfY - 70} ${middle} ${selfY - 26}`}
      />
      {between.map((part) => (
        <circle
          key={part}
          className="tree-dot"
          cx={bezier(middle, middle, x, x, part)}
          cy={bezier(top, bend[0], bend[1], relayY, part)}
          r="6"
        />
      ))}
      <circle className="tree-relay" cx={x} cy={relayY} r="14" />
      <text
        className="tree-name"
        x={x < middle ? x - 24 : x + 24}
        y={relayY + 6}
        data-side={x < middle ? "before" : "after"}
      >
        {relay.name}
      </text>
    </g>
  );
}

function Twig({ child, x }: { readonly child: TreeNeighbour; readonly x: number }): ReactElement {
  const middle = width / 2;
  return (
    <g className="tree-branch" data-reserve={!child.feeds || undefined}>
      <path
        className="tree-line"
        d={`M${middle} ${selfY + 22}C${middle} ${selfY + 60} ${x} ${selfY + 40} ${x} ${belowY - 12}`}
      />
      <g className="tree-guest" transform={`translate(${x} ${belowY})`}>
        <path d="M-13 -6h26c0 8-4 12-9 13v2h-8v-2c-5-1-9-5-9-13Z" />
      </g>
    </g>
  );
}

/** Where one of several stands: the first in the middle of a single one, else from side to side. */
function spread(index: number, count: number): number {
  if (count <= 1) return width / 2;
  const span = Math.min(width - 112, 150 * (count - 1));
  return width / 2 - span / 2 + (index * span) / (count - 1);
}

/** A cubic Bézier's coordinate. */
function bezier(a: number, b: number, c: number, d: number, t: number): number {
  const s = 1 - t;
  return s * s * s * a + 3 * s * s * t * b + 3 * s * t * t * c + t * t * t * d;
}
