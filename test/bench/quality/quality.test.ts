import { beforeAll, describe, expect, it } from "vitest";
import { Rng } from "../../../p2p/core/rng.ts";
import { fixturePath, readAudio } from "../../audio/sounds.ts";
import { aligned, resampled } from "./align.ts";
import { stoi, stoiRateHz } from "./intelligibility.ts";
import { spectralDistance, spectralRateHz } from "./spectral-distance.ts";

let speech: Float32Array;
beforeAll(async () => {
  speech = (await readAudio(fixturePath("speech.flac"))).subarray(0, 4 * 48_000);
});

const rms = (pcm: Float32Array): number => Math.sqrt(pcm.reduce((sum, each) => sum + each * each, 0) / pcm.length);

/** With white noise so many dB below it. */
function noisy(clean: Float32Array, decibels: number): Float32Array {
  const rng = new Rng("noise");
  const level = rms(clean) / 10 ** (decibels / 20);
  return clean.map((sample) => sample + (rng.next() * 2 - 1) * Math.sqrt(3) * level);
}

/** What another implementation (pystoi, github.com/mpariente/pystoi at 74872b0) gives for the same samples, by dB of noise. */
const pystoi = new Map([
  [20, 0.98637],
  [10, 0.93769],
  [0, 0.7739],
  [-10, 0.55115],
]);

describe("measures of quality", () => {
  it.each([...pystoi])("STOI is what another implementation says, with noise %d dB below", (decibels, expected) => {
    const original = resampled(speech, stoiRateHz);
    expect(Math.abs(stoi(original, noisy(original, decibels)) - expected)).toBeLessThan(0.003);
  });

  it("STOI is 1 for the same, whatever its loudness", () => {
    const original = resampled(speech, stoiRateHz);
    expect(stoi(original, original)).toBeCloseTo(1, 5);
    expect(
      stoi(
        original,
        original.map((sample) => sample / 4),
      ),
    ).toBeCloseTo(1, 5);
  });

  it("the spectral distance is 0 for the same, and 6 dB for half of it where nothing is below the floor", () => {
    const original = resampled(speech, spectralRateHz);
    expect(spectralDistance(original, original)).toBe(0);
    const half = spectralDistance(
      original,
      original.map((sample) => sample / 2),
    );
    expect(half).toBeGreaterThan(2);
    expect(half).toBeLessThan(6.03);
    const rising = [30, 20, 10].map((decibels) => spectralDistance(original, noisy(original, decibels)));
    expect(rising).toEqual(rising.toSorted((left, right) => left - right));
  });

  it("what comes later and moves is laid where it belongs; what is missing stays missing", () => {
    const at = 2 * 48_000;
    const moved = new Float32Array(speech.length + 48_000);
    moved.set(speech.subarray(0, at), 4800);
    moved.set(speech.subarray(at), at + 14_400);
    const back = aligned(speech, moved, 500);
    expect(stoi(resampled(speech, stoiRateHz), resampled(back, stoiRateHz))).toBeGreaterThan(0.97);
    const holed = speech.slice().fill(0, at, at + 24_000);
    const gap = stoi(resampled(speech, stoiRateHz), resampled(aligned(speech, holed, 500), stoiRateHz));
    expect(gap).toBeLessThan(0.93);
  });
});
