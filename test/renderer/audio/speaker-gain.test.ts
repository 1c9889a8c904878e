import { describe, expect, it } from "vitest";
import { rmsOf } from "../../../renderer/audio/level.ts";
import { MutedSpeech } from "../../../renderer/audio/capture/muted-speech.ts";
import { SpeakerGain } from "../../../renderer/audio/playout/speaker-gain.ts";

const rate = 48_000;
const blockSamples = 480;
const decibels = (share: number): number => 20 * Math.log10(share);

/** Speech-like sound: syllables of 250 ms at a loudness in dBFS while speaking, 4 a second, with pauses every third second. */
function talk(gain: SpeakerGain, seconds: number, loudness: number, noise = -90): number[] {
  const levels: number[] = [];
  for (let block = 0; block < seconds * 100; block += 1) {
    const pause = Math.floor(block / 100) % 3 === 2;
    const size = 10 ** ((pause ? noise : loudness) / 20) * Math.SQRT2;
    const samples = Float32Array.from({ length: blockSamples }, (_, index) => size * Math.sin(index * 0.26));
    gain.even(samples);
    levels.push(decibels(gain.level));
  }
  return levels;
}

describe("levelling", () => {
  it.each([
    { loudness: -35, gain: 12 },
    { loudness: -30, gain: 7 },
    { loudness: -23, gain: 0 },
    { loudness: -14, gain: -9 },
    // No further than 15 dB up and 12 dB down.
    { loudness: -45, gain: 15 },
    { loudness: -6, gain: -12 },
  ])("brings a voice at $loudness dBFS nearer to -23 within seconds, by $gain dB", ({ loudness, gain }) => {
    const own = new SpeakerGain(rate);
    expect(talk(own, 8, loudness).at(-1)).toBeCloseTo(gain, 0);
  });

  it("moves by 3 dB a second at most once a voice is known, and not at all in pauses: nothing pumps", () => {
    const own = new SpeakerGain(rate);
    talk(own, 9, -25, -45);
    const levels = talk(own, 30, -33, -45);
    const steps = levels.slice(1).map((level, index) => level - levels[index]!);
    expect(Math.max(...steps.map(Math.abs))).toBeLessThanOrEqual(0.0301);
    const inPauses = steps.filter((_, index) => Math.floor((index + 1) / 100) % 3 === 2);
    expect(inPauses.length).toBeGreaterThan(500);
    expect(Math.max(...inPauses.map(Math.abs))).toBe(0);
  });

  it("does not raise noise without a voice, and goes back when it is turned off", () => {
    const own = new SpeakerGain(rate);
    expect(talk(own, 10, -60).at(-1)).toBe(0);
    talk(own, 10, -33);
    own.setLevelling(false);
    expect(talk(own, 10, -33).at(-1)).toBeCloseTo(0);
  });

  it("a person's own volume is reached without a step, from nothing to twice", () => {
    const own = new SpeakerGain(rate);
    const ones = (): Float32Array => new Float32Array(blockSamples).fill(0.1);
    const first = ones();
    own.adjust(first);
    expect(first).toEqual(ones());
    let before = 0.1;
    let step = 0;
    for (const volume of [2, 0, 1]) {
      own.setVolume(volume);
      let last = new Float32Array(1);
      for (let block = 0; block < 100; block += 1) {
        last = ones() as Float32Array<ArrayBuffer>;
        own.adjust(last);
        for (const sample of last) {
          step = Math.max(step, Math.abs(sample - before));
          before = sample;
        }
      }
      expect(rmsOf(last)).toBeCloseTo(0.1 * volume, 4);
    }
    expect(step).toBeLessThan(0.001);
  });
});

describe("talking while muted", () => {
  const hear = (speech: MutedSpeech, from: number, seconds: number, rms: number): number =>
    Array.from({ length: seconds * 20 }, (_, index) => speech.hear(rms, from + index * 50)).filter(Boolean).length;

  it("is noticed within a second, and said again only after 10 s", () => {
    const speech = new MutedSpeech();
    hear(speech, 0, 5, 0.0005);
    expect(hear(speech, 5000, 1, 0.05)).toBe(1);
    expect(hear(speech, 6000, 8, 0.05)).toBe(0);
    hear(speech, 14_000, 3, 0.0005);
    expect(hear(speech, 17_000, 1, 0.05)).toBe(1);
  });

  it("a key, a cough, a whisper or a fan is none", () => {
    const speech = new MutedSpeech();
    hear(speech, 0, 5, 0.0005);
    expect(hear(speech, 5000, 0.2, 0.2)).toBe(0);
    expect(hear(speech, 5200, 5, 0.004)).toBe(0);
    const fan = new MutedSpeech();
    hear(fan, 0, 1, 0.004);
    hear(fan, 1000, 60, 0.012);
    expect(hear(fan, 61_000, 60, 0.012)).toBe(0);
  });
});
