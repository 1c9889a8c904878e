import type { Edge, Edges } from "../edge.ts";
import { delayBy } from "../place/standing.ts";

/**
 * Open edges without media beside the parent ([OV23]). Of a tenth of all who lend, killed at once, one alone is dead as well, or
 * cut off itself, for one child in six; two that share no fate are for one in forty.
 */
export const reservesMax = 2;

/** What an answer may take beyond the round trip: jitter of both ways, and a machine that has to wake. */
const answerSlackMs = 40;
/** The longest that one is waited for before another is asked: more would be heard. */
const answerMsMax = 200;
/** A round trip that was not measured yet, ms. */
const roundTripMsUnknown = 100;

/** Within this time whoever is asked for media brings some, if it lives and has any. */
export function answerMsOf(edge: Edge): number {
  return Math.min(answerMsMax, (edge.session.roundTrip.leastMs ?? roundTripMsUnknown) + answerSlackMs);
}

/**
 * Who waits in reserve and can be asked for media, the best first: those in doubt last, before them those that keep no slot for
 * us, and then by the delay they would give.
 */
export function reservesOf(edges: Edges): Edge[] {
  const { parent } = edges;
  const able = edges.ups.filter((edge) => edge !== parent && edge.welcomed && !edge.away && !edge.feed);
  const doubt = (edge: Edge): number => (edge.session.isDoubtful ? 2 : edge.kept === false ? 1 : 0);
  const delay = (edge: Edge): number => delayBy(edge) ?? Number.MAX_SAFE_INTEGER;
  return able.sort((a, b) => doubt(a) - doubt(b) || delay(a) - delay(b));
}
