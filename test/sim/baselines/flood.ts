import type { Rng } from "../../../p2p/core/rng.ts";
import { forwardMs } from "./tree.ts";
import type { Population } from "./tree.ts";

/** Links that each peer opens; it has about twice as many, as gossipsub's meshes of six to eight (performance.md, section 1). */
const linksOpened = 3;

/** What flooding costs. */
export interface Flood {
  /** Messages that brought nothing new, of all. */
  readonly duplicateShare: number;
  /** Delay of everybody who was reached, ms. */
  readonly delays: readonly number[];
}

/** Everybody passes each packet on to all neighbours but the one it came from, whatever their uplinks are. */
export function flood({ roots, contributors, leaves, wayMs }: Population, rng: Rng): Flood {
  const nodes = [...roots, ...contributors, ...leaves];
  const neighbours = new Map<number, Set<number>>(nodes.map((node) => [node, new Set()]));
  for (const node of nodes) {
    for (let index = 0; index < linksOpened; index++) {
      const other = nodes[rng.int(nodes.length)]!;
      if (other === node || Math.min(wayMs(node, other), wayMs(other, node)) === Infinity) continue;
      neighbours.get(node)!.add(other);
      neighbours.get(other)!.add(node);
    }
  }
  const delays = shortest(roots, neighbours, (a, b) => Math.min(wayMs(a, b), wayMs(b, a)) + forwardMs);
  let sent = 0;
  for (const node of delays.keys()) sent += neighbours.get(node)!.size - (roots.includes(node) ? 0 : 1);
  const needed = delays.size - roots.length;
  return { duplicateShare: sent === 0 ? 0 : (sent - needed) / sent, delays: [...delays.values()] };
}

/** Dijkstra from all roots at once; nodes settle in order of delay. */
function shortest(
  roots: readonly number[],
  neighbours: ReadonlyMap<number, ReadonlySet<number>>,
  wayMs: (from: number, to: number) => number,
): Map<number, number> {
  const settled = new Map<number, number>();
  const known = new Map<number, number>(roots.map((root) => [root, 0]));
  while (known.size > 0) {
    let next = -1;
    for (const [node, delay] of known) if (next < 0 || delay < known.get(next)!) next = node;
    const delay = known.get(next)!;
    known.delete(next);
    settled.set(next, delay);
    for (const other of neighbours.get(next)!) {
      if (settled.has(other)) continue;
      known.set(other, Math.min(known.get(other) ?? Infinity, delay + wayMs(next, other)));
    }
  }
  return settled;
}
