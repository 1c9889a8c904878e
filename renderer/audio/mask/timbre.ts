import { bandHertz, bands } from "./voice-features.ts";

/**
 * Roughly how loud speech is at some frequencies, on average over languages and people, in dB for each Hz: the shape that
 * Byrne et al. 1994 found ("An international comparison of long-term average speech spectra"), rounded.
 */
const everybody: readonly (readonly [hertz: number, decibels: number])[] = [
  [120, 37],
  [250, 42],
  [500, 41],
  [1000, 30],
  [2000, 23],
  [4000, 17],
  [7000, 12],
];
/** Decibels of power to its binary logarithm. */
const perDecibel = Math.log2(10) / 10;
/** A voice's own timbre is learnt from this many looks of speech, and followed as slowly later: 6 s. */
const learntLooks = 750;
/** Speech is what lies within 25 dB of the loudest of late. */
const speechSpan = 25 * perDecibel;
/** The loudest is forgotten by half in 6 s. */
const loudestKept = perDecibel * 0.004;

/**
 * Takes away a voice's own timbre, its loudness in each band on average, and gives that of everybody, coloured by the
 * mask: what microphone and vocal tract always add is then lost, and only what changes from sound to sound is left.
 */
export class Timbre {
  readonly #wanted: Float32Array;
  readonly #own = new Float32Array(bands);
  #looks = 0;
  #loudest = -Infinity;

  /** `colour` are gains in dB of waves over the bands: the first tilts, those after it ripple. */
  constructor(colour: readonly number[]) {
    this.#wanted = Float32Array.from({ length: bands }, (_, band) => {
      const ripple = colour.reduce(
        (sum, decibels, wave) => sum + decibels * Math.cos((Math.PI * (wave + 1) * (band + 0.5)) / bands),
        0,
      );
      return (everybodyAt(bandHertz[band]!) + ripple) * perDecibel;
    });
  }

  /** Learns from a look how loud its bands are. */
  learn(loudness: Float32Array): void {
    const peak = loudness.reduce((most, value) => Math.max(most, value), -Infinity);
    // All that came before was the quiet room, whose sound is no voice's timbre.
    if (peak - speechSpan > this.#loudest) this.#looks = 0;
    this.#loudest = Math.max(peak, this.#loudest - loudestKept);
    if (peak < this.#loudest - speechSpan) return;
    this.#looks = Math.min(learntLooks, this.#looks + 1);
    for (let band = 0; band < bands; band += 1) this.#own[band]! += (loudness[band]! - this.#own[band]!) / this.#looks;
  }

  /**
   * Replaces one's own timbre in a look; as loud as before on the whole. All that is known of it is taken away from the first
   * look on, which so becomes everybody's: of a fresh mask's first looks less is understood, and no more is given away.
   */
  replace(loudness: Float32Array): void {
    const before = powerOf(loudness);
    for (let band = 0; band < bands; band += 1) loudness[band]! += this.#wanted[band]! - this.#own[band]!;
    const even = Math.log2(before / powerOf(loudness));
    for (let band = 0; band < bands; band += 1) loudness[band]! += even;
  }
}

/** Power of a look, each band counted by its width. */
function powerOf(loudness: Float32Array): number {
  let power = 0;
  for (let band = 0; band < bands; band += 1) power += 2 ** loudness[band]! * (bandHertz[band]! + 700);
  return power;
}

function everybodyAt(hertz: number): number {
  const next = Math.max(
    1,
    everybody.findIndex(([each]) => each >= hertz),
  );
  const [low, lowDecibels] = everybody[next - 1]!;
  const [high, highDecibels] = everybody[next]!;
  const share = Math.log(Math.max(1, hertz / low)) / Math.log(high / low);
  return lowDecibels + (highDecibels - lowDecibels) * Math.min(1, share);
}
