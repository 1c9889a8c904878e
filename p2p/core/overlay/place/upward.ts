import type { PeerId } from "../../../api/ids.ts";
import { type Edge, type Edges, layersOf } from "../edge.ts";
import { unionOf, type Wish } from "../media/layers.ts";
import { coreOf } from "./plan.ts";
import type { RoomResident } from "../room-wires.ts";

/** Relays of the core that a voice is handed to at once, so that one may die. */
const voiceCopies = 2;

/** Where our own voice goes up ([OV5]): to two of the core, or to the parent. */
export function waysUp(
  edges: Edges,
  relays: readonly PeerId[],
  coreSize: number,
  isDead: (peer: PeerId) => boolean,
): Edge[] {
  const able = edges.ups.filter((edge) => edge.welcomed && !edge.away);
  const doubtful = new Set(able.filter((edge) => edge.session.isDoubtful).map((edge) => edge.peer));
  const core = coreOf(relays, coreSize, (peer) => isDead(peer) || doubtful.has(peer));
  // Who has only just risen for one that died may not be meshed with all the others yet.
  const risen = (edge: Edge): number => Number(relays.indexOf(edge.peer) >= coreSize);
  const inCore = able.filter((edge) => core.includes(edge.peer)).sort((a, b) => risen(a) - risen(b));
  const sure = inCore.slice(0, voiceCopies);
  const { parent } = edges;
  const ups = sure.length > 0 || !parent ? sure : [parent];
  // Who may be gone is spoken to as well as who would take its place.
  return [...ups, ...able.filter((edge) => doubtful.has(edge.peer) && !ups.includes(edge)).slice(0, voiceCopies)];
}

/** What is wanted of a parent ([OV17]): by who sits here, and by everybody below. */
export function wishOfAll(edges: Edges, resident: RoomResident | undefined): Wish {
  const below = edges.downs.filter((edge) => edge.feed).map(layersOf);
  const own = resident ? [resident.layer] : [];
  return {
    layers: unionOf([...own, ...below]) ?? "normal",
    prompt: resident?.speaks() ?? false,
    lossy: resident?.hearing.losses.lossy ?? false,
  };
}
