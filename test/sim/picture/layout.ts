import type { DrawnPeer } from "./snapshot.ts";

/** A peer at its place: the angle in radians, and how many hang directly below. */
export interface Placed extends DrawnPeer {
  readonly angle: number;
  readonly children: number;
}

/**
 * Gives each subtree a slice of the circle by how many are in it, the core's parts side by side, and puts each peer in the
 * middle of its slice. Whoever has the same parent stands in order of delay, so that near ones are near each other.
 */
export function layOut(peers: readonly DrawnPeer[]): Placed[] {
  const below = new Map<number | undefined, DrawnPeer[]>();
  for (const peer of peers) {
    const siblings = below.get(peer.parent);
    if (siblings) siblings.push(peer);
    else below.set(peer.parent, [peer]);
  }
  const sizes = new Map<number, number>();
  const outermostFirst = peers.toSorted((a, b) => b.hops - a.hops);
  for (const { node } of outermostFirst) {
    const children = below.get(node) ?? [];
    sizes.set(
      node,
      Math.max(
        1,
        children.reduce((sum, child) => sum + (sizes.get(child.node) ?? 1), 0),
      ),
    );
  }
  const placed: Placed[] = [];
  const slice = (siblings: readonly DrawnPeer[], from: number, to: number): void => {
    const ordered = siblings.toSorted((a, b) => a.region.localeCompare(b.region) || a.delayMs - b.delayMs);
    const whole = ordered.reduce((sum, peer) => sum + sizes.get(peer.node)!, 0);
    let at = from;
    for (const peer of ordered) {
      const width = ((to - from) * sizes.get(peer.node)!) / whole;
      const children = below.get(peer.node) ?? [];
      placed.push({ ...peer, angle: at + width / 2, children: children.length });
      slice(children, at, at + width);
      at += width;
    }
  };
  slice(below.get(undefined) ?? [], 0, 2 * Math.PI);
  return placed;
}
