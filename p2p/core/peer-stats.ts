import type { Layer, Stats } from "../api/engine.ts";
import type { Millis } from "../api/ids.ts";
import type { RoomNode } from "./overlay/room-node.ts";
import { noSound } from "./room/hearing/hearing.ts";
import type { Resident } from "./room/member/resident.ts";

/** Counts for `Stats` over all rooms of a peer, less what only the engine knows: bytes and links. */
export function statsOf(
  nodes: readonly RoomNode[],
  refused: ReadonlyMap<string, number>,
  resident: Resident | undefined,
  layer: Layer,
  now: Millis,
): Omit<Stats, "bytesIn" | "bytesOut" | "links"> {
  const rejected = new Map(refused);
  for (const node of nodes) {
    for (const [reason, count] of node.spread.rejected) rejected.set(reason, (rejected.get(reason) ?? 0) + count);
  }
  const sum = (of: (node: RoomNode) => number): number => nodes.reduce((total, node) => total + of(node), 0);
  return {
    ...(resident?.hearing.stats(now) ?? { ...noSound, layer }),
    framesDuplicate: sum((node) => node.spread.framesDuplicate),
    packetsForwarded: sum((node) => node.spread.packetsForwarded),
    packetsRejected: Object.fromEntries(rejected),
    controlBytes: sum((node) => node.edges.controlBytes),
    children: sum((node) => node.edges.feeding),
  };
}
