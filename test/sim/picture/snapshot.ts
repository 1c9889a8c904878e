import type { Placement, Population } from "../baselines/tree.ts";

/** One peer in the picture. */
export interface DrawnPeer {
  readonly node: number;
  /** Undefined for the core. */
  readonly parent: number | undefined;
  readonly region: string;
  /** Ms and links from the core. */
  readonly delayMs: number;
  readonly hops: number;
  /** Children that it may have; 0 for who lends nothing. */
  readonly slots: number;
}

/** One second of the time line. */
export interface DrawnSecond {
  readonly members: number;
  /** Share of what was said in it that was ready in time, over all members; undefined when nobody spoke. */
  readonly onTime: number | undefined;
}

/** What a picture shows. */
export interface Snapshot {
  readonly title: string;
  readonly figures: readonly (readonly [string, string])[];
  readonly peers: readonly DrawnPeer[];
  /** Living members who hang nowhere. */
  readonly lost: number;
  readonly seconds: readonly DrawnSecond[];
  readonly blows: readonly { readonly second: number; readonly what: string }[];
}

/** Everybody who hangs below the core. */
export function drawnPeers(
  { roots, contributors, leaves, slotsOf }: Population,
  { delays, hops }: Placement,
  parentOf: (node: number) => number | undefined,
  regionOf: (node: number) => string,
): DrawnPeer[] {
  const isRoot = new Set(roots);
  const placed = [...roots, ...contributors, ...leaves].filter((node) => (delays[node] ?? Infinity) < Infinity);
  return placed.map((node) => ({
    node,
    parent: isRoot.has(node) ? undefined : parentOf(node),
    region: regionOf(node),
    delayMs: delays[node]!,
    hops: hops[node]!,
    slots: slotsOf(node),
  }));
}
