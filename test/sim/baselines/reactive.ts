import type { Rng } from "../../../p2p/core/rng.ts";

/** A tree that mends itself after the fact: three heartbeats a second apart must be missed. */
const heartbeatMs = 1000;
const heartbeatsMissed = 3;
/** Round trips of a cold link: as `dialRtts` of the network. */
const openRtts = 6;

/** What a mended or naive way needs to know of the network. */
export interface Ways {
  /** A look-up's first answer, ms. */
  readonly lookUpMs: number;
  rttMs(a: number, b: number): number;
}

/**
 * How long a child is without sound that finds out by missed heartbeats, looks another parent up, and opens a link to it.
 * @param told its parent said goodbye: nothing has to be found out.
 */
export function reactiveOutageMs(child: number, parent: number, told: boolean, ways: Ways, rng: Rng): number {
  // The last heartbeat came at some moment of the second before.
  const noticeMs = told ? 0 : heartbeatMs * (heartbeatsMissed - rng.next());
  const rttMs = ways.rttMs(child, parent);
  return noticeMs + ways.lookUpMs + openRtts * rttMs + rttMs;
}

/**
 * From the invite to the first sound, one step after the other: look-up, a contact in the room, a probe of the parent it
 * names, the parent's link, and the wish for media.
 */
export function naiveJoinMs(node: number, contact: number, parent: number, ways: Ways): number {
  const contactMs = openRtts * ways.rttMs(node, contact);
  return ways.lookUpMs + contactMs + (1 + openRtts + 1) * ways.rttMs(node, parent);
}
