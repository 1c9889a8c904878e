import type { PeerId } from "../../../api/ids.ts";

/** What a relay should be connected to, given who is alive. */
export interface RelayPlan {
  /** Whether this relay is one of the core now. */
  readonly core: boolean;
  /** Core relays of better rank: this relay dials them, those of worse rank dial this one. */
  readonly siblings: readonly PeerId[];
  /** Parents in order of preference; the first two become parent and standby. Empty for the core. */
  readonly parents: readonly PeerId[];
}

/**
 * A relay's place by rank ([OV1]–[OV3]). The host signs the order of relays; the first `coreSize` that live are the core,
 * and every other relay hangs below one of better rank. Order makes loops impossible, and needs nobody's consent
 * when the core dies: the next in rank takes the place.
 *
 * @param relays in rank order; `rank` is this relay's index in it.
 * @param fanout relays that hang below one relay.
 */
export function planRelay(
  relays: readonly PeerId[],
  rank: number,
  coreSize: number,
  fanout: number,
  isDead: (peer: PeerId) => boolean,
): RelayPlan {
  const better = relays.slice(0, rank).filter((peer) => !isDead(peer));
  if (better.length < coreSize) return { core: true, siblings: better, parents: [] };
  const position = better.length - coreSize;
  const first = Math.min(better.length - 1, Math.floor(position / fanout));
  const parents = better.slice().sort((a, b) => distance(better, a, first) - distance(better, b, first));
  return { core: false, siblings: [], parents };
}

function distance(order: readonly PeerId[], peer: PeerId, first: number): number {
  return Math.abs(order.indexOf(peer) - first);
}

/** The core as somebody sees it who knows which relays do not answer. */
export function coreOf(relays: readonly PeerId[], coreSize: number, isDead: (peer: PeerId) => boolean): PeerId[] {
  return relays.filter((peer) => !isDead(peer)).slice(0, coreSize);
}

/**
 * A member's order of parents: whoever speaks goes to the core, so that its voice takes the shortest way; everybody else
 * is spread evenly, by its own draw ([OV4]).
 */
export function planMember(
  relays: readonly PeerId[],
  coreSize: number,
  speaks: boolean,
  isDead: (peer: PeerId) => boolean,
  draw: (peer: PeerId) => number,
): PeerId[] {
  const alive = relays.filter((peer) => !isDead(peer));
  const core = new Set(speaks ? coreOf(relays, coreSize, isDead) : []);
  const weighed = alive.map((peer) => ({ peer, weight: (core.has(peer) ? 0 : 1) + draw(peer) }));
  return weighed.sort((a, b) => a.weight - b.weight).map(({ peer }) => peer);
}
