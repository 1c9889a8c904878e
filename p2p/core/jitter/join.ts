import { likeness } from "./likeness.ts";
import { sampleRateHz } from "./voice-codec.ts";

const samplesPerMs = sampleRateHz / 1000;
/** Periods of voices, as in `stretch.ts`. */
const lagMin = 2.5 * samplesPerMs;
const lagMax = 15 * samplesPerMs;
/** By so much of the end the period is recognised. */
const matchSamples = 5 * samplesPerMs;
const kept = lagMax + matchSamples;
/** libopus's own edge comes up to 1 ms into what it gives: its resampler still holds what was before. */
const heldSamples = 1.5 * samplesPerMs;
/** Over so much the old fades into the new. */
const fadeSamples = 5 * samplesPerMs;
/** First looked for at every third sample. */
const coarse = 3;

/**
 * Joins sounds that do not follow from each other: what was lost and rebuilt, or guessed, or given up. The end of the old
 * one goes on with its own period for 1.5 ms and fades into the new one over 5. Allocates nothing.
 */
export class Joiner {
  /** The last 20 ms that were given. */
  readonly #past = new Float32Array(kept);

  /** Takes the sound that is given, its first `count` samples. */
  remember(pcm: Float32Array, count: number): void {
    const many = Math.min(count, kept);
    this.#past.copyWithin(0, many);
    for (let index = 0; index < many; index += 1) this.#past[kept - many + index] = pcm[count - many + index]!;
  }

  /** Makes the first `count` samples of `pcm` begin where the last sound left off, in place. */
  join(pcm: Float32Array, count: number): void {
    this.#blend(pcm, Math.min(count, heldSamples + fadeSamples), heldSamples);
  }

  /** Lets the last sound fade into all of these `count` samples, in place. */
  fadeInto(pcm: Float32Array, count: number): void {
    this.#blend(pcm, count, 0);
  }

  #blend(pcm: Float32Array, count: number, held: number): void {
    const lag = this.#period();
    // Where no period fits, the repetition begins beside where the sound left off: each round is led from there.
    const goesOnAt = 2 * this.#past[kept - 1]! - this.#past[kept - 2]!;
    const offset = goesOnAt - this.#past[kept - lag]!;
    for (let index = 0; index < count; index += 1) {
      const at = index % lag;
      const old = this.#past[kept - lag + at]! + offset * (1 - at / lag);
      const share = index < held ? 0 : (index - held + 1) / (count - held + 1);
      pcm[index] = old * falling(share) + pcm[index]! * (1 - falling(share));
    }
  }

  /** The lag after which the end of the past is most like what came before. */
  #period(): number {
    let best = -1;
    let found = lagMin;
    for (let lag = lagMin; lag <= lagMax; lag += coarse) {
      const alike = likeness(this.#past, kept - matchSamples, -lag, matchSamples);
      if (alike > best) [best, found] = [alike, lag];
    }
    const around = found;
    for (let lag = Math.max(lagMin, around - 2); lag <= Math.min(lagMax, around + 2); lag += 1) {
      const alike = likeness(this.#past, kept - matchSamples, -lag, matchSamples);
      if (alike > best) [best, found] = [alike, lag];
    }
    return found;
  }
}

/** From 1 to 0 without an edge at either end, while `share` goes from 0 to 1. */
function falling(share: number): number {
  return 0.5 + 0.5 * Math.cos(Math.PI * share);
}
