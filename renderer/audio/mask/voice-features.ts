import { Fourier } from "./fft.ts";

/** Features are taken of sound at this rate. */
export const featureRateHz = 16_000;
/** Samples of one look: 32 ms, two periods of the deepest voice. */
export const lookSamples = 512;
const points = 1024;
const hertzPerPoint = featureRateHz / points;
/** Places on the frequency axis at which loudness is noted: coarse enough to lose what is personal between formants. */
export const bands = 28;
const lowestHz = 120;
const highestHz = 7000;
const mel = (hertz: number): number => 1127 * Math.log1p(hertz / 700);
const hertz = (mels: number): number => 700 * Math.expm1(mels / 1127);
const melStep = (mel(highestHz) - mel(lowestHz)) / (bands - 1);
/** Where the bands are, in Hz: evenly as the ear has it (O'Shaughnessy's mel scale). */
export const bandHertz = Float32Array.from({ length: bands }, (_, band) => hertz(mel(lowestHz) + band * melStep));

/** The band, with fraction, at a frequency; the outermost ones beyond them. */
export function bandAt(frequency: number): number {
  return Math.min(bands - 1, Math.max(0, (mel(frequency) - mel(lowestHz)) / melStep));
}

/** Voices between these, in Hz, are heard as voiced. */
const pitchHz = { least: 70, most: 400 } as const;
const lags = { least: featureRateHz / pitchHz.most, most: Math.ceil(featureRateHz / pitchHz.least) } as const;
/** What an octave lower costs, and what an octave's leap costs (Boersma 1993, 'octave cost' and 'octave-jump cost'). */
const octaveCost = 0.02;
const leapCost = 0.25;
/** Less alike from period to period is unvoiced (Boersma 1993, 'voicing threshold'). */
const voicedMin = 0.45;
/** Quieter than -80 dBFS holds no voice. */
const powerMin = 1e-8;

/** What a mask keeps of 32 ms of a voice: how loud each band is, and how high and how voiced it is. */
export interface VoiceFeatures {
  /** Power for each sample in each band, as binary logarithm. */
  readonly loudness: Float32Array;
  /** In Hz; 0 when unvoiced. */
  pitch: number;
  /** 0 a hiss, 1 a clear tone. */
  voicing: number;
}

/** Features of silence. */
export function noFeatures(): VoiceFeatures {
  return silence({ loudness: new Float32Array(bands), pitch: 0, voicing: 0 });
}

/** Makes features those of silence. */
export function silence(features: VoiceFeatures): VoiceFeatures {
  features.loudness.fill(Math.log2(powerMin / 100));
  features.pitch = features.voicing = 0;
  return features;
}

const window = Float32Array.from(
  { length: lookSamples },
  (_, index) => Math.sin((Math.PI * (index + 0.5)) / lookSamples) ** 2,
);
const windowPower = window.reduce((sum, value) => sum + value * value, 0);

/** Looks at sound, 32 ms at a time; remembers the pitch before. */
export class VoiceLook {
  readonly #fourier = new Fourier(points);
  readonly #real = new Float32Array(points);
  readonly #imaginary = new Float32Array(points);
  /** Power up to each point. */
  readonly #sums = new Float64Array(points / 2 + 2);
  readonly #windowAlike: Float32Array;
  #lastPitch = 0;

  constructor() {
    this.#real.set(window);
    this.#spectrum();
    this.#alike();
    this.#windowAlike = this.#real.slice(0, lags.most + 2).map((value) => value / this.#real[0]!);
  }

  /** Takes `lookSamples` samples and writes what they are into `into`. */
  look(samples: Float32Array, into: VoiceFeatures): void {
    const real = this.#real.fill(0);
    for (let index = 0; index < lookSamples; index += 1) real[index] = samples[index]! * window[index]!;
    const power = this.#spectrum() / lookSamples;
    this.#sum();
    this.#alike();
    if (power < powerMin) into.pitch = into.voicing = 0;
    else this.#findPitch(into);
    this.#lastPitch = into.pitch;
    this.#listen(into);
  }

  /** Power at each point instead of samples; their sum over samples. */
  #spectrum(): number {
    const real = this.#real;
    const imaginary = this.#imaginary.fill(0);
    let power = 0;
    for (let index = 0; index < lookSamples; index += 1) power += real[index]! * real[index]!;
    this.#fourier.forward(real, imaginary);
    for (let index = 0; index < points; index += 1) real[index] = real[index]! ** 2 + imaginary[index]! ** 2;
    imaginary.fill(0);
    return power;
  }

  #sum(): void {
    let sum = 0;
    for (let index = 0; index <= points / 2; index += 1) {
      this.#sums[index] = sum;
      sum += this.#real[index]! / windowPower;
    }
    this.#sums[points / 2 + 1] = sum;
  }

  /** How alike the sound is to itself so many samples later, instead of power (Wiener and Khinchin). */
  #alike(): void {
    this.#fourier.backward(this.#real, this.#imaginary);
  }

  /** The best period, by autocorrelation freed of the window's own (Boersma 1993). */
  #findPitch(into: VoiceFeatures): void {
    const whole = this.#real[0]!;
    const alikeAt = (lag: number): number => this.#real[lag]! / whole / this.#windowAlike[lag]!;
    let bestLag = 0;
    let best = -Infinity;
    for (let lag = lags.least; lag <= lags.most; lag += 1) {
      const here = alikeAt(lag);
      if (here < alikeAt(lag - 1) || here < alikeAt(lag + 1)) continue;
      const frequency = featureRateHz / lag;
      const leap = this.#lastPitch === 0 ? 0 : Math.abs(Math.log2(frequency / this.#lastPitch));
      const score = here - octaveCost * Math.log2(lag / lags.least) - leapCost * Math.min(1, leap);
      if (score <= best) continue;
      best = score;
      bestLag = lag;
    }
    const alike = bestLag === 0 ? 0 : alikeAt(bestLag);
    into.voicing = Math.min(1, Math.max(0, (alike - voicedMin) / (0.9 - voicedMin)));
    into.pitch = alike < voicedMin ? 0 : featureRateHz / (bestLag + peakOf(alikeAt, bestLag));
  }

  /** Loudness in each band, over a width of at least one harmonic, so that single harmonics do not show in it. */
  #listen(into: VoiceFeatures): void {
    for (let band = 0; band < bands; band += 1) {
      const centre = bandHertz[band]!;
      const spacing = bandHertz[Math.min(bands - 1, band + 1)]! - bandHertz[Math.min(bands - 2, band)]!;
      const width = Math.max(into.pitch === 0 ? 200 : into.pitch, spacing);
      const low = Math.max(0, centre - width / 2) / hertzPerPoint;
      const high = Math.min(featureRateHz / 2, centre + width / 2) / hertzPerPoint;
      const power = (this.#sumTo(high + 0.5) - this.#sumTo(low + 0.5)) / (high - low);
      into.loudness[band] = Math.log2(Math.max(power, powerMin / 100));
    }
  }

  #sumTo(point: number): number {
    const whole = Math.floor(point);
    const left = this.#sums[whole]!;
    return left + (this.#sums[whole + 1]! - left) * (point - whole);
  }
}

/** How far beside `lag` the peak lies, by a parabola through three points. */
function peakOf(valueAt: (lag: number) => number, lag: number): number {
  const left = valueAt(lag - 1);
  const right = valueAt(lag + 1);
  const bend = left - 2 * valueAt(lag) + right;
  return bend === 0 ? 0 : Math.min(0.5, Math.max(-0.5, (left - right) / (2 * bend)));
}
