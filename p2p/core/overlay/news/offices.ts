import type { Millis, PeerId, RoomTag } from "../../../api/ids.ts";
import { equal } from "../../bytes.ts";
import type { Crypto } from "../../crypto.ts";
import { verifyHost } from "../../room/rights/proof.ts";
import { type RelayView } from "../../room/state/view.ts";
import { banOf } from "../../room/rights/ban.ts";
import type { HostProof } from "../../session/frames.ts";
import { type Edge, type Edges, takePetition } from "../edge.ts";
import { encodePaper } from "./papers.ts";

/** An heir says who it is to every relay that it has an edge to, so that what is for whoever acts comes to it too ([RM35]). */
export function showOffice(
  edges: Edges,
  proofFor: (relay: PeerId, session: Uint8Array) => HostProof | undefined,
  now: Millis,
): void {
  for (const edge of edges.all) {
    const proof = edge.welcomed && edge.direction !== "down" && proofFor(edge.peer, edge.session.id);
    if (proof) edge.session.sendReliable(encodePaper({ kind: "office", proof }), now);
  }
}

/** The room in which somebody says so. */
interface OfficeRoom {
  readonly tag: RoomTag;
  readonly view: RelayView | undefined;
  readonly spread: { reject(reason: string): void };
}

/**
 * Notes whether a neighbour may speak for the room: the carriage key says so, and nobody who outranks it says otherwise. It takes
 * two signatures to check, so it is done as often as petitions are taken from it. What is no good is counted.
 */
export function takeOffice(
  crypto: Crypto,
  edge: Edge,
  proof: HostProof,
  self: PeerId,
  { tag, view, spread }: OfficeRoom,
  now: Millis,
): void {
  if (!takePetition(edge, now)) return spread.reject("office-rate");
  const name = banOf(crypto, proof.sessionKey);
  const isRevoked = view?.revoked.some((revoked) => equal(revoked, name)) === true;
  const context = { tag, relay: self, host: edge.peer, session: edge.session.id };
  edge.holdsOffice = !isRevoked && verifyHost(crypto, proof, context);
  if (!edge.holdsOffice) spread.reject("office");
}
