import { describe, expect, it } from "vitest";
import { compareSpeech } from "./compare.ts";
import { fixturePath, joined, readAudio } from "./sounds.ts";

const rate = 48_000;
const source = await readAudio(fixturePath("speech.flac"));
const seconds = (count: number): number => Math.round(count * rate);
/** The clip in a loop, from a place in it. */
const looped = (from: number, length: number): Float32Array =>
  Float32Array.from({ length }, (_, index) => source[(from + index) % source.length]!);

describe("compareSpeech", () => {
  it("finds a faithful recording faithful, whatever its volume", () => {
    const result = compareSpeech(
      source,
      source.map((sample) => sample * 0.3),
      rate,
    );
    expect(result.envelopeCorrelation).toBeGreaterThan(0.999);
    expect(result.worstGapMs).toBe(0);
    expect(Math.min(result.offsetMs, source.length / 48 - result.offsetMs)).toBeLessThanOrEqual(1);
  });

  it("finds where the source begins after silence, to a millisecond", () => {
    const result = compareSpeech(source, joined([new Float32Array(seconds(1.2345)), source]), rate);
    expect(Math.abs(result.offsetMs - 1234.5)).toBeLessThanOrEqual(1);
    expect(result.envelopeCorrelation).toBeGreaterThan(0.99);
  });

  it("follows a looped clip through 20 s that begin in its middle", () => {
    const result = compareSpeech(source, looped(seconds(3), seconds(20)), rate);
    expect(result.envelopeCorrelation).toBeGreaterThan(0.99);
    expect(result.worstGapMs).toBe(0);
    expect(Math.abs(result.offsetMs - (source.length / 48 - 3000))).toBeLessThanOrEqual(1);
    expect(result.heardMs).toBeGreaterThan(19_800);
  });

  it("follows a recording that is shorter than the clip", () => {
    const result = compareSpeech(source, source.slice(seconds(2), seconds(5)), rate);
    expect(result.envelopeCorrelation).toBeGreaterThan(0.99);
    expect(result.worstGapMs).toBe(0);
  });

  it("measures a hole of 400 ms in looped speech, and not the clip's own pauses", () => {
    const recording = looped(0, seconds(20)).fill(0, seconds(12), seconds(12.4));
    const result = compareSpeech(source, recording, rate);
    expect(result.worstGapMs).toBeGreaterThanOrEqual(360);
    expect(result.worstGapMs).toBeLessThanOrEqual(400);
  });

  it("does not take a recording for faithful that lost its place halfway", () => {
    const half = seconds(4);
    const shifted = joined([source.slice(0, half), source.slice(half + seconds(0.3)), source.slice(0, seconds(0.3))]);
    expect(compareSpeech(source, shifted, rate).envelopeCorrelation).toBeLessThan(0.8);
  });

  it("does not take shuffled pieces of 200 ms for the speech", () => {
    const piece = seconds(0.2);
    const pieces = Array.from({ length: 39 }, (_, index) =>
      source.slice(((index * 17) % 39) * piece, ((index * 17) % 39) * piece + piece),
    );
    expect(compareSpeech(source, joined(pieces), rate).envelopeCorrelation).toBeLessThan(0.5);
  });

  it("finds no speech in silence and none in noise", () => {
    const silence = compareSpeech(source, new Float32Array(seconds(2)), rate);
    expect(silence).toEqual({ offsetMs: 0, envelopeCorrelation: 0, worstGapMs: 2000, heardMs: 0 });
    let state = 1;
    const noise = source.map(() => (state = (state * 16_807) % 2_147_483_647) / 2_147_483_647 - 0.5);
    expect(compareSpeech(source, noise, rate).envelopeCorrelation).toBeLessThan(0.3);
  });

  it("sees in heardMs that a recording ends early", () => {
    const result = compareSpeech(source, joined([source.slice(0, seconds(3)), new Float32Array(seconds(4))]), rate);
    expect(result.heardMs).toBeLessThanOrEqual(3020);
  });
});
