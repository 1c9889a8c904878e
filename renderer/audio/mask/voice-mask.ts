import { Fourier } from "./fft.ts";
import { driftMsMax, Wander, type Chance, type MaskCharacter } from "./mask-character.ts";
import { Decimator, Interpolator, thirdRateDelayMs } from "./third-rate.ts";
import { Timbre } from "./timbre.ts";
import { bandAt, bands, featureRateHz, lookSamples, noFeatures, silence, VoiceLook } from "./voice-features.ts";

/** Samples between two looks: 8 ms. */
const hopSamples = 128;
const hopMs = (hopSamples * 1000) / featureRateHz;
/** Excitation that is shaped at a time: two hops, which overlap by half. */
const pieceSamples = 2 * hopSamples;
const points = 512;
/** Looks that are kept, to speak from a little later. A power of two. */
const kept = 8;
/** Loudness is kept in steps of 1.5 dB, as binary logarithms of power: what is finer is lost. */
const loudnessStep = 0.5;
/** Above this even vowels are more breath than tone. */
const breathHz = 3500;
/** A voice's middle pitch is learnt from this many looks, and followed as slowly later: 3 s of vowels. */
const pitchLooks = 400;

/**
 * What a mask delays, in ms, on average: the middle of a look, the middle of what is made of it, both filters, and half
 * of what fine timing drifts by. A moment may be later or earlier by `driftMsMax / 2`.
 */
export const maskDelayMs = (lookSamples / 2 + points / 2) / (featureRateHz / 1000) + thirdRateDelayMs + driftMsMax / 2;

/**
 * Speaks with another voice, in real time: of what is said it takes loudness in 28 bands, whether it is voiced, and the
 * melody around one's own middle pitch, and makes sound anew from that. Harmonics, the glottis' own sound, breath, the
 * pitch itself, the voice's own timbre and what is finer than the bands are not passed on but lost; formants are bent by
 * two factors, melody and rhythm are bent, and all of these drift by secret chance. No sample of the voice itself comes out.
 */
export class VoiceMask {
  readonly #character: MaskCharacter;
  readonly #chance: Chance;
  readonly #down = new Decimator();
  readonly #up = new Interpolator();
  readonly #look = new VoiceLook();
  readonly #fourier = new Fourier(points);
  readonly #real = new Float32Array(points);
  readonly #imaginary = new Float32Array(points);
  readonly #heard = new Float32Array(lookSamples);
  readonly #looks = Array.from({ length: kept }, noFeatures);
  #newest = 0;
  #pending = 0;
  /** What is spoken next: the looks around the moment, between which it lies. */
  readonly #loudness = new Float32Array(bands);
  #pitch = 0;
  #voicing = 0;
  /** The speaker's own middle pitch, in octaves, and of how many looks. */
  #middle = 0;
  #middleLooks = 0;
  readonly #pulses = new Float32Array(pieceSamples);
  readonly #noise = new Float32Array(pieceSamples);
  /** How far into the period of the next pulse, 0 to 1. */
  #phase = 0;
  readonly #made = new Float32Array(points);
  #third = 0;
  readonly #timbre: Timbre;
  readonly #driftPitch: Wander;
  readonly #driftLow: Wander;
  readonly #driftHigh: Wander;
  readonly #driftTime: Wander;

  /** `chance` must be secret, else what drifts could be drawn again. */
  constructor(character: MaskCharacter, chance: Chance) {
    this.#character = character;
    this.#chance = chance;
    this.#timbre = new Timbre(character.colour);
    // From place to place: pitch and formants in 0.3 to 1.2 s, timing in 0.1 to 0.35 s, about a syllable.
    this.#driftPitch = new Wander(chance, character.driftOctaves, 40, 150);
    this.#driftLow = new Wander(chance, character.driftFormants, 40, 150);
    this.#driftHigh = new Wander(chance, character.driftFormants, 40, 150);
    this.#driftTime = new Wander(chance, character.driftMs / 2, 12, 44);
  }

  /** Puts the masked voice in place of the voice; both at 48 kHz. */
  apply(block: Float32Array): void {
    for (let index = 0; index < block.length; index += 1) {
      const low = this.#down.push(block[index]!);
      if (low !== undefined) {
        this.#up.push(this.#made[this.#pending]!);
        this.#third = 0;
        this.#hear(low);
      }
      block[index] = Math.min(1, Math.max(-1, this.#up.at(this.#third)));
      this.#third = Math.min(2, this.#third + 1);
    }
  }

  /** Forgets what was said, so that nothing of it comes out later; what it learnt of the voice's middle pitch stays. */
  forget(): void {
    this.#down.forget();
    this.#up.forget();
    for (const each of [this.#heard, this.#made, this.#pulses, this.#noise]) each.fill(0);
    for (const each of this.#looks) silence(each);
  }

  #hear(sample: number): void {
    this.#heard[lookSamples - hopSamples + this.#pending] = sample;
    this.#pending += 1;
    if (this.#pending < hopSamples) return;
    this.#pending = 0;
    this.#newest = (this.#newest + 1) % kept;
    const features = this.#looks[this.#newest]!;
    this.#look.look(this.#heard, features);
    this.#heard.copyWithin(0, hopSamples);
    this.#learnPitch(features.pitch);
    this.#timbre.learn(features.loudness);
    this.#choose();
    this.#excite();
    this.#shape();
  }

  #learnPitch(pitch: number): void {
    if (pitch === 0) return;
    const octaves = Math.log2(pitch);
    this.#middleLooks = Math.min(pitchLooks, this.#middleLooks + 1);
    this.#middle += (octaves - this.#middle) / this.#middleLooks;
  }

  /** The moment to speak, a little late by chance, between two looks; and loudness in its steps. */
  #choose(): void {
    const backMs = this.#character.driftMs / 2 + this.#driftTime.next();
    const back = Math.min(kept - 2, Math.max(0, backMs / hopMs));
    const whole = Math.floor(back);
    const share = back - whole;
    const later = this.#looks[(this.#newest - whole + kept) % kept]!;
    const earlier = this.#looks[(this.#newest - whole - 1 + kept) % kept]!;
    for (let band = 0; band < bands; band += 1) {
      const loudness = later.loudness[band]! * (1 - share) + earlier.loudness[band]! * share;
      this.#loudness[band] = Math.round(loudness / loudnessStep) * loudnessStep;
    }
    this.#timbre.replace(this.#loudness);
    this.#pitch = share < 0.5 ? later.pitch || earlier.pitch : earlier.pitch || later.pitch;
    this.#voicing = later.voicing * (1 - share) + earlier.voicing * share;
  }

  /** A hop more of pulses at the masked pitch, and of noise; both of power 1. */
  #excite(): void {
    const { pitchHz, melody } = this.#character;
    const own = this.#pitch === 0 ? 0 : Math.log2(this.#pitch) - this.#middle;
    const bent = Math.min(0.6, Math.max(-0.6, own)) * melody + this.#driftPitch.next();
    const pitch = pitchHz * 2 ** bent;
    const step = pitch / featureRateHz;
    const height = Math.sqrt(1 / step);
    this.#pulses.copyWithin(0, hopSamples).fill(0, hopSamples);
    this.#noise.copyWithin(0, hopSamples);
    for (let index = hopSamples; index < pieceSamples; index += 1) {
      this.#noise[index] = (this.#chance() * 2 - 1) * Math.sqrt(3);
      this.#phase += step;
      if (this.#phase < 1) continue;
      this.#phase -= 1;
      // Between two samples, as much of it in each as it is near.
      const after = Math.min(1, this.#phase / step);
      this.#pulses[index]! += height * (1 - after);
      this.#pulses[index - 1]! += height * after;
    }
  }

  /** Pulses and noise take on the loudness of the bands, and are added to what is made already. */
  #shape(): void {
    const real = this.#real.fill(0);
    const imaginary = this.#imaginary.fill(0);
    const start = (points - pieceSamples) / 2;
    for (let index = 0; index < pieceSamples; index += 1) {
      real[start + index] = this.#pulses[index]! * piece[index]!;
      imaginary[start + index] = this.#noise[index]! * piece[index]!;
    }
    this.#fourier.forward(real, imaginary);
    this.#filter(real, imaginary);
    this.#fourier.backward(real, imaginary);
    this.#made.copyWithin(0, hopSamples).fill(0, points - hopSamples);
    for (let index = 0; index < points; index += 1) this.#made[index]! += real[index]! / points;
  }

  /** Pulses are the even part of the spectrum, noise the odd one: both are transformed at once. */
  #filter(real: Float32Array, imaginary: Float32Array): void {
    const low = this.#character.lowFormants + this.#driftLow.next();
    const high = this.#character.highFormants + this.#driftHigh.next();
    const bend = this.#character.pivotHz * low;
    const voicing = this.#voicing;
    for (let point = 0; point <= points / 2; point += 1) {
      const other = (points - point) % points;
      const frequency = (point * featureRateHz) / points;
      const source = frequency < bend ? frequency / low : this.#character.pivotHz + (frequency - bend) / high;
      const gain = this.#gainAt(source);
      const tone = voicing / (1 + (frequency / breathHz) ** 4);
      const forPulses = gain * Math.sqrt(tone);
      const forNoise = gain * Math.sqrt(1 - tone);
      const pulseReal = (real[point]! + real[other]!) / 2;
      const pulseImaginary = (imaginary[point]! - imaginary[other]!) / 2;
      const noiseReal = (imaginary[point]! + imaginary[other]!) / 2;
      const noiseImaginary = (real[other]! - real[point]!) / 2;
      real[point] = forPulses * pulseReal + forNoise * noiseReal;
      imaginary[point] = forPulses * pulseImaginary + forNoise * noiseImaginary;
      real[other] = real[point]!;
      imaginary[other] = -imaginary[point]!;
    }
  }

  /** Amplitude at a frequency of the speaker's; nothing beyond the bands. */
  #gainAt(frequency: number): number {
    if (frequency < 60 || frequency > 7400) return 0;
    const band = bandAt(frequency);
    const below = Math.min(bands - 2, Math.floor(band));
    const left = this.#loudness[below]!;
    return 2 ** ((left + (this.#loudness[below + 1]! - left) * (band - below)) / 2);
  }
}

/** Hann's window: two pieces that overlap by half add up to 1. */
const piece = Float32Array.from(
  { length: pieceSamples },
  (_, index) => Math.sin((Math.PI * (index + 0.5)) / pieceSamples) ** 2,
);
