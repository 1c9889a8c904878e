import { describe, expect, it } from "vitest";
import { Rng } from "../../../p2p/core/rng.ts";
import { Fourier } from "../../../renderer/audio/mask/fft.ts";
import { drawMask, secretChance, Wander } from "../../../renderer/audio/mask/mask-character.ts";
import { maskDelayMs, VoiceMask } from "../../../renderer/audio/mask/voice-mask.ts";
import { compareSpeech } from "../../audio/compare.ts";
import { fixturePath, readAudio, sine } from "../../audio/sounds.ts";
import { faster, masked, range, restored, speakerRanks, wordsKnown } from "./mask-attack.ts";
import { correlation, featuresOf, speak } from "./voices.ts";

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
    const known = await wordsKnown(masked);
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
    const ranks = await speakerRanks();
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
