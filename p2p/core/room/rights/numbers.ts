/**
 * Numbers that count on over all sessions of a room (views, states, events, epochs) are chosen by whoever keeps it, who may be
 * hostile; whoever follows counts on from there. So none may be brought near its end: each paper may be at most a step beyond
 * what is known ([RM32]).
 */

/** More than a room comes by in 12 days of one view a second, which is how long somebody may have heard nothing of it. */
const stepMax = 2 ** 20;
/**
 * Of 48 bits. To come so far by steps takes 134 million papers, each of which goes to everybody; and whoever knows nothing yet,
 * and was told such a number, can still count on.
 */
export const numberMax = 2 ** 47;
/** A link is replaced by hand; what one state may be ahead of the one before. Its number has 32 bits, in every invite. */
const generationStepMax = 256;
/** The last that an invite can name. */
export const generationMax = 2 ** 32 - 1;

/** Whether a number may follow the one that is known. */
export function isWithinReach(known: number, next: number): boolean {
  return next <= known + stepMax;
}

/** Likewise for how often the link was replaced. */
export function isGenerationWithinReach(known: number, next: number): boolean {
  return next <= known + generationStepMax;
}

/** The greater of two, but for one that is out of reach, which whoever signed it keeps for themselves. */
export function furthest(known: number, next: number): number {
  return isWithinReach(known, next) ? Math.max(known, next) : known;
}
