/** 48 kHz to 16 kHz and back: speech that Opus carries at our bitrate ends at 8 kHz. */
const factor = 3;
/** Coefficients of the low-pass, a windowed sinc: 2 ms long, so that it adds 1 ms each way. A multiple of `factor`. */
const taps = 96;
/** Where it begins to fall, in shares of 48 kHz: 7.2 kHz. */
const cutoff = 7200 / 48_000;

/** Blackman's window over a sinc, of unit gain at 0 Hz. */
const lowPass = ((): Float32Array => {
  const raw = Float64Array.from({ length: taps }, (_, index) => {
    const at = index - (taps - 1) / 2;
    const sinc = Math.sin(2 * Math.PI * cutoff * at) / (Math.PI * at);
    const turn = (2 * Math.PI * (index + 0.5)) / taps;
    return sinc * (0.42 - 0.5 * Math.cos(turn) + 0.08 * Math.cos(2 * turn));
  });
  const sum = raw.reduce((total, value) => total + value, 0);
  return Float32Array.from(raw, (value) => value / sum);
})();

/** What both filters together delay, in ms. */
export const thirdRateDelayMs = (taps - 1) / 48;

/** Takes samples at 48 kHz, and gives one for each three. */
export class Decimator {
  readonly #past = new Float32Array(taps);
  #at = 0;
  #count = 0;

  /** As if silence had come before. */
  forget(): void {
    this.#past.fill(0);
  }

  /** The next sample at 16 kHz, or undefined twice out of three times. */
  push(sample: number): number | undefined {
    this.#past[this.#at] = sample;
    this.#at = (this.#at + 1) % taps;
    this.#count = (this.#count + 1) % factor;
    if (this.#count !== 0) return undefined;
    let sum = 0;
    for (let tap = 0; tap < taps; tap += 1) sum += lowPass[tap]! * this.#past[(this.#at + tap) % taps]!;
    return sum;
  }
}

/** Takes samples at 16 kHz, and gives three for each. */
export class Interpolator {
  readonly #past = new Float32Array(taps / factor);
  #at = 0;

  /** As if silence had come before. */
  forget(): void {
    this.#past.fill(0);
  }

  push(sample: number): void {
    this.#past[this.#at] = sample;
    this.#at = (this.#at + 1) % this.#past.length;
  }

  /** The sample at 48 kHz that lies `third` thirds (0, 1 or 2) of a step after the newest. */
  at(third: number): number {
    const { length } = this.#past;
    let sum = 0;
    for (let tap = 0; tap < length; tap += 1)
      sum += lowPass[tap * factor + third]! * this.#past[(this.#at + length - 1 - tap) % length]!;
    return sum * factor;
  }
}
