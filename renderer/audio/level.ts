/** Levels are told 20 times a second: 2,400 samples at 48 kHz. */
export const levelSamples = 2400;
/** The quietest that shows: a whisper across the room. */
const quietestDecibels = -60;
/** Shown as full: loud speech after the browser's gain control. */
const loudestDecibels = -12;

/** Loudness as a share of the way from a whisper to loud speech, in decibels, as the ear has it: 0 to 1. */
export function levelOf(rms: number): number {
  const decibels = 20 * Math.log10(Math.max(rms, 1e-6));
  return Math.min(1, Math.max(0, (decibels - quietestDecibels) / (loudestDecibels - quietestDecibels)));
}

/** Root mean square of samples from `start` to `end`. */
export function rmsOf(samples: Float32Array, start = 0, end = samples.length): number {
  let squares = 0;
  for (let index = start; index < end; index += 1) squares += samples[index]! * samples[index]!;
  return Math.sqrt(squares / Math.max(1, end - start));
}

/** Measures sound in pieces of a 20th of a second. */
export class LevelMeter {
  readonly #onRms: (rms: number) => void;
  #squares = 0;
  #count = 0;

  /** `onRms` is called for each full piece with its root mean square. */
  constructor(onRms: (rms: number) => void) {
    this.#onRms = onRms;
  }

  /** Takes samples in blocks of any length. */
  add(samples: Float32Array): void {
    for (const sample of samples) {
      this.#squares += sample * sample;
      this.#count += 1;
      if (this.#count < levelSamples) continue;
      this.#onRms(Math.sqrt(this.#squares / levelSamples));
      this.reset();
    }
  }

  /** Begins a new piece. */
  reset(): void {
    this.#squares = this.#count = 0;
  }
}
