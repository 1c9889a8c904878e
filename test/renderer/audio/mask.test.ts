import { describe, expect, it } from "vitest";
import { Rng } from "../../../p2p/core/rng.ts";
import { Fourier } from "../../../renderer/audio/fft.ts";
import { drawMask, secretChance, Wander } from "../../../renderer/audio/mask-character.ts";
import type { VoiceFeatures } from "../../../renderer/audio/voice-features.ts";
import { maskDelayMs, VoiceMask } from "../../../renderer/audio/voice-mask.ts";
import { compareSpeech } from "../../audio/compare.ts";
import { fixturePath, readAudio, sine } from "../../audio/sounds.ts";
import { correlation, featuresOf, speak, speakerOf, speaking, warped, wordDistance, wordShape } from "./voices.ts";

/** A mask drawn from a seed, over a sound and what follows it. */
function masked(sound: Float32Array, seed: string): Float32Array {
  const rng = new Rng(seed);
  const chance = (): number => rng.next();
  const mask = new VoiceMask(drawMask(chance), chance);
  const out = new Float32Array(Math.ceil((sound.length + 4800) / 960) * 960);
  out.set(sound);
  for (let start = 0; start < out.length; start += 960) mask.apply(out.subarray(start, start + 960));
  return out;
}

/** A tape that runs faster: the plainest shift of pitch and formants together. */
function faster(sound: Float32Array, factor: number): Float32Array {
  return Float32Array.from({ length: Math.floor(sound.length / factor) - 1 }, (_, index) => {
    const at = index * factor;
    const below = Math.floor(at);
    return sound[below]! + (sound[below + 1]! - sound[below]!) * (at - below);
  });
}

const range = (from: number, to: number, step: number): number[] =>
  Array.from({ length: Math.round((to - from) / step) + 1 }, (_, index) => from + index * step);

/** dB by which spectra differ, and cents by which melodies do, after the best constant shift of formants, pitch and time. */
function restored(original: readonly VoiceFeatures[], heard: readonly VoiceFeatures[]): { dB: number; cents: number } {
  const loudness = (features: readonly VoiceFeatures[]): number[] =>
    features.map((each) => Math.max(-26, ...each.loudness));
  const [ours, theirs] = [loudness(original), loudness(heard)];
  const fit = (late: number): number => {
    const length = Math.min(ours.length, theirs.length - late);
    return correlation(ours.slice(0, length), theirs.slice(late, late + length));
  };
  const late = range(0, 12, 1).reduce((best, each) => (fit(each) > fit(best) ? each : best));
  const spoken = speaking(original);
  const pairs = original.flatMap((one, index) => {
    const other = heard[index + late];
    return spoken[index] && other !== undefined ? [[one, other] as const] : [];
  });
  const apart = (factor: number): number =>
    pairs.reduce((sum, [one, other]) => sum + spectraApart(one, other, factor), 0) / pairs.length;
  const steps = pairs.flatMap(([one, other]) =>
    one.pitch > 0 && other.pitch > 0 ? [1200 * Math.log2(other.pitch / one.pitch)] : [],
  );
  const middle = steps.toSorted((left, right) => left - right)[steps.length >> 1]!;
  const squares = steps.reduce((sum, cents) => sum + Math.min(600, Math.abs(cents - middle)) ** 2, 0);
  return { dB: Math.min(...range(0.7, 1.45, 0.05).map(apart)), cents: Math.sqrt(squares / steps.length) };
}

/** Log-spectral distance in dB up to 5 kHz, loudness aside. */
function spectraApart(one: VoiceFeatures, other: VoiceFeatures, factor: number): number {
  const moved = warped(other.loudness, 1 / factor);
  const steps = Array.from({ length: 22 }, (_, band) => 3.01 * (moved[band]! - one.loudness[band]!));
  const mean = steps.reduce((sum, step) => sum + step, 0) / steps.length;
  return Math.sqrt(steps.reduce((sum, step) => sum + (step - mean) ** 2, 0) / steps.length);
}

describe("the voice mask", () => {
  it("keeps the rhythm and loudness of speech, is as late as it says, and never clips", async () => {
    const speech = await readAudio(fixturePath("speech.flac"));
    for (const seed of ["jade", "cinnabar"]) {
      const out = masked(speech, seed);
      const { envelopeCorrelation, offsetMs, worstGapMs } = compareSpeech(speech, out, 48_000);
      expect(envelopeCorrelation).toBeGreaterThan(0.9);
      expect(Math.abs(offsetMs - maskDelayMs)).toBeLessThan(16);
      expect(worstGapMs).toBeLessThanOrEqual(60);
      expect(out.every((sample) => Math.abs(sample) <= 1)).toBe(true);
      const power = (sound: Float32Array): number => sound.reduce((sum, sample) => sum + sample * sample, 0);
      expect(Math.abs(10 * Math.log10(power(out) / power(speech)))).toBeLessThan(4);
    }
  });

  it("nothing of the voice's own wave comes out: what fits no voice is not passed on", () => {
    const tone = sine(48_000, 3000, 48_000);
    const out = masked(tone, "tone").subarray(24_000, 24_000 + 16_384);
    const real = out.slice();
    const imaginary = new Float32Array(out.length);
    new Fourier(out.length).forward(real, imaginary);
    const power = real.slice(0, out.length / 2).map((value, index) => value ** 2 + imaginary[index]! ** 2);
    const line = Math.round((3000 / 48_000) * out.length);
    const around = power.slice(line - 1, line + 2).reduce((sum, value) => sum + value, 0);
    expect(around / power.reduce((sum, value) => sum + value, 0)).toBeLessThan(0.05);
  });

  it("words stay told apart, as another person's are: rhymes that differ by one consonant, in English", async () => {
    const pairs = ["veal feel", "goat coat", "meat beat", "need deed", "sheet cheat", "peak teak"];
    let known = 0;
    for (const [index, pair] of pairs.entries()) {
      const words = pair.split(" ");
      const sounds = await Promise.all(words.map((word) => speak("en-us", word)));
      const shapes = sounds.map((sound) => wordShape(featuresOf(sound), 1));
      for (const [which, sound] of sounds.entries()) {
        const features = featuresOf(masked(sound, `${pair}${index}${which}`));
        // Whoever listens gets used to a longer or shorter throat.
        const heard = [0.82, 1, 1.2].map((factor) => wordShape(features, factor));
        const apart = shapes.map((shape) => Math.min(...heard.map((each) => wordDistance(each, shape))));
        if (apart[which]! < apart[1 - which]!) known += 1;
      }
    }
    // Blindly 6 of 12 are right.
    expect(known).toBeGreaterThanOrEqual(11);
  });

  it("tones rise and fall as the speaker's do, in Mandarin and Cantonese", async () => {
    for (const [voice, text] of [
      ["cmn", "妈，麻，马，骂，谢谢老师，再见朋友"],
      ["yue", "三點半，我哋飲茶，聽日再傾"],
    ] as const) {
      const own = featuresOf(await speak(voice, text));
      const heard = featuresOf(masked(await speak(voice, text), voice));
      const rises = range(2, 9, 1).map((late) => {
        // By how much pitch rises in 64 ms, where both are clearly voiced: elsewhere the measure guesses, not the mask.
        const both = own.flatMap((one, index) => {
          const points = [one, own[index + 8], heard[index + late], heard[index + late + 8]];
          if (points.some((point) => point === undefined || point.voicing < 0.5)) return [];
          const [start, end, heardStart, heardEnd] = points.map((point) => Math.log2(point!.pitch));
          return Math.abs(end! - start!) < 0.4 && Math.abs(heardEnd! - heardStart!) < 0.4
            ? [[end! - start!, heardEnd! - heardStart!] as const]
            : [];
        });
        expect(both.length).toBeGreaterThan(30);
        return correlation(
          both.map(([rise]) => rise),
          both.map(([, rise]) => rise),
        );
      });
      expect(Math.max(...rises)).toBeGreaterThan(0.75);
    }
  });

  it("cannot be shifted back: the best constant shift leaves it far from the voice, and a plain shift near", async () => {
    const voice = await speak("en-us+m3", "The road home was long, and the lamps in the windows were warm.");
    const original = featuresOf(voice);
    const plain = range(0.8, 0.9, 0.01).map(
      (back) => restored(original, featuresOf(faster(faster(voice, 1.18), back))).dB,
    );
    expect(Math.min(...plain)).toBeLessThan(3);
    expect(restored(original, original).dB).toBeLessThan(0.001);
    for (const seed of ["one", "two", "three"]) {
      const { dB, cents } = restored(original, featuresOf(masked(voice, seed)));
      expect(dB).toBeGreaterThan(6);
      expect(cents).toBeGreaterThan(80);
    }
  });

  it("hides six speakers from a recogniser that knows them, tries every shift, and unmasked is never wrong", async () => {
    const voices = ["m1", "m3", "m7", "f1", "f2", "f4"].map((variant) => `en-us+${variant}`);
    const apart = (left: readonly number[], right: readonly number[]): number =>
      Math.hypot(...left.map((value, index) => value - right[index]!));
    const known: number[][] = [];
    for (const voice of voices) known.push(speakerOf(featuresOf(await speak(voice, knownText)), 1));
    const ranks = { unmasked: 0, masked: 0 };
    for (const [index, voice] of voices.entries()) {
      const sound = await speak(voice, otherText);
      const rankOf = (heard: Float32Array, factors: readonly number[]): number => {
        const features = featuresOf(heard);
        const guesses = factors.map((factor) => speakerOf(features, factor));
        const distances = known.map((one) => Math.min(...guesses.map((guess) => apart(guess, one))));
        return distances.filter((distance) => distance < distances[index]!).length;
      };
      ranks.unmasked += rankOf(sound, [1]);
      ranks.masked += rankOf(masked(sound, `who ${voice}`), range(0.76, 1.36, 0.12));
    }
    expect(ranks.unmasked).toBe(0);
    // Guessing blindly gives 15.
    expect(ranks.masked).toBeGreaterThan(7);
  });

  it("forgets what was said when it is told to", () => {
    const rng = new Rng("forget");
    const chance = (): number => rng.next();
    const mask = new VoiceMask(drawMask(chance), chance);
    mask.apply(sine(48_000, 200, 48_000));
    mask.forget();
    const after = new Float32Array(4800);
    mask.apply(after);
    // What the filter of 2 ms still holds.
    expect(Math.max(...after.subarray(200).map(Math.abs))).toBeLessThan(1e-3);
  });

  it("is another one each time, and its drift is secret, bounded and smooth", () => {
    const chance = secretChance();
    const masks = Array.from({ length: 50 }, () => drawMask(chance));
    expect(new Set(masks.map(({ pitchHz }) => pitchHz)).size).toBe(50);
    for (const { lowFormants, pitchHz, melody } of masks) {
      expect(Math.abs(lowFormants - 1)).toBeGreaterThanOrEqual(0.1);
      expect([pitchHz >= 100 && pitchHz <= 230, melody > 0.6 && melody < 0.9]).toEqual([true, true]);
    }
    const drift = new Wander(chance, 16, 12, 44);
    const path = Array.from({ length: 5000 }, () => drift.next());
    expect(Math.max(...path.map(Math.abs))).toBeLessThanOrEqual(16);
    expect(Math.max(...path.slice(1).map((value, index) => Math.abs(value - path[index]!)))).toBeLessThan(5);
  });
});

const knownText =
  "Many people came to the teahouse that evening, and nobody asked their names. They talked about the rain, about bread.";
const otherText =
  "We walked along the river until the moon came up. My brother sang an old song, and the dogs barked at us.";
