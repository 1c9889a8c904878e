import type { Millis } from "../../api/ids.ts";
import type { Edge } from "./edge.ts";
import type { Have } from "./ring.ts";

/** An ask that comes so soon after another was answered was under way already: no round trip tells so fast what was lost. */
const answeredMs = 200;

/** What was sent again to whom just now: asks that a cut network held up come all at once, and are one ask ([OV6]). */
export class Replays {
  readonly #answered = new WeakMap<Edge, { readonly at: Millis; readonly have: readonly Have[] }>();

  /** What the neighbour will have when everything under way has come. */
  known(edge: Edge, have: readonly Have[], now: Millis): readonly Have[] {
    const answered = this.#answered.get(edge);
    if (!answered || now >= answered.at + answeredMs) return have;
    const under = new Map(answered.have.map(({ voice, sequence }) => [voice, sequence]));
    return have.map(({ voice, sequence }) => ({ voice, sequence: Math.max(sequence, under.get(voice) ?? 0) }));
  }

  /** All that is held was sent to it. */
  answered(edge: Edge, held: readonly Have[], now: Millis): void {
    this.#answered.set(edge, { at: now, have: held });
  }
}
