import { likeness } from "./likeness.ts";
import { packetSamples, sampleRateHz } from "./voice-codec.ts";

const samplesPerMs = sampleRateHz / 1000;
/** Periods of voices: 66 to 400 Hz (NetEQ, time_stretch.h: lags of 2.5 to 15 ms). */
const lagMin = 2.5 * samplesPerMs;
const lagMax = 15 * samplesPerMs;
/** Over so much, one period is faded into the next: 10 ms, no syllable shorter. */
const fadeSamples = 10 * samplesPerMs;
/** Where the fade may begin, from the start of a packet: later ones leave no room for the longest lag. */
const starts = [4 * samplesPerMs, 12 * samplesPerMs] as const;
/** First looked for at 8 kHz, where voices have all their periodicity, then at full rate around the best. */
const coarse = 6;
/** How alike two periods must be to be joined unheard (NetEQ, time_stretch.cc: 0.9). */
const likenessMin = 0.9;
/** The same when there is much to give back: a rough syllable is better than a second of delay. */
const likenessHurriedMin = 0.6;
/** Delay so far off its target is made good in a hurry. */
const hurriedMs = 100;

/** The most samples that `Stretcher` gives: a packet and the longest lag. */
export const stretchedSamplesMax = packetSamples + lagMax;

/**
 * Makes 40 ms of speech shorter or longer by one period of the voice, without changing its pitch: waveform similarity
 * overlap-add (Verhelst and Roelands, "An overlap-add technique based on waveform similarity (WSOLA)", ICASSP 1993), one
 * step a packet as NetEQ does it. Both ends stay as they are, so that packets still join. Allocates nothing.
 */
export class Stretcher {
  readonly #coarse = new Float32Array(packetSamples / coarse);
  #start = 0;
  #lag = 0;

  /**
   * Writes `pcm`, 1,920 samples, into `into` with about `byMs` more, or less when it is negative: 2.5 to 15 ms, one
   * period, or nothing where no two are alike. `quiet` is what nobody hears: there any lag will do. Gives how many
   * samples it wrote.
   */
  stretch(pcm: Float32Array, byMs: number, quiet: boolean, into: Float32Array): number {
    const least = Math.abs(byMs) > hurriedMs ? likenessHurriedMin : likenessMin;
    const most = Math.min(lagMax, Math.floor(Math.abs(byMs) * samplesPerMs));
    if (quiet) [this.#start, this.#lag] = [starts[0], most];
    if (most < lagMin || (!quiet && this.#search(pcm, most) < least)) {
      into.set(pcm);
      return pcm.length;
    }
    return byMs < 0 ? this.#shortened(pcm, into) : this.#lengthened(pcm, into);
  }

  /** Leaves out one lag, and fades what comes before it into what comes after. */
  #shortened(pcm: Float32Array, into: Float32Array): number {
    const [start, lag] = [this.#start, this.#lag];
    for (let index = 0; index < start; index += 1) into[index] = pcm[index]!;
    for (let index = start; index < pcm.length - lag; index += 1) {
      const share = Math.min(1, (index - start + 1) / fadeSamples);
      into[index] = share < 1 ? pcm[index]! * (1 - share) + pcm[index + lag]! * share : pcm[index + lag]!;
    }
    return pcm.length - lag;
  }

  /** Plays one lag twice: goes on to its end, and fades back into its beginning. */
  #lengthened(pcm: Float32Array, into: Float32Array): number {
    const [start, lag] = [this.#start + this.#lag, this.#lag];
    for (let index = 0; index < start; index += 1) into[index] = pcm[index]!;
    for (let index = start; index < pcm.length + lag; index += 1) {
      const share = Math.min(1, (index - start + 1) / fadeSamples);
      into[index] = share < 1 ? pcm[index]! * (1 - share) + pcm[index - lag]! * share : pcm[index - lag]!;
    }
    return pcm.length + lag;
  }

  /** Finds start and lag at which two stretches are most alike, and gives how alike: -1 to 1. */
  #search(pcm: Float32Array, most: number): number {
    for (let index = 0; index < this.#coarse.length; index += 1) {
      let sum = 0;
      for (let each = 0; each < coarse; each += 1) sum += pcm[index * coarse + each]!;
      this.#coarse[index] = sum;
    }
    let best = -1;
    for (const start of starts) {
      for (let lag = lagMin; lag <= most; lag += coarse) {
        const alike = likeness(this.#coarse, start / coarse, lag / coarse, fadeSamples / coarse);
        if (alike > best) [best, this.#start, this.#lag] = [alike, start, lag];
      }
    }
    return best <= 0 ? 0 : this.#refined(pcm, most);
  }

  #refined(pcm: Float32Array, most: number): number {
    const around = this.#lag;
    let best = -1;
    for (let lag = Math.max(lagMin, around - coarse + 1); lag <= Math.min(most, around + coarse - 1); lag += 1) {
      const alike = likeness(pcm, this.#start, lag, fadeSamples);
      if (alike > best) [best, this.#lag] = [alike, lag];
    }
    return best;
  }
}
