import { describe, expect, it } from "vitest";
import { fixturePath, joined, readAudio } from "../audio/sounds.ts";
import { delayBetween } from "./delay.ts";

const speech = await readAudio(fixturePath("speech.flac"));
const mouth = { startMs: 5000, samples: speech };

/** What the ear has recorded from `startMs` on, when sound takes so long and is half as loud. */
function earAfter(delayMs: number, startMs: number): { startMs: number; samples: Float32Array } {
  const late = joined([new Float32Array(delayMs * 48), speech.map((sample) => sample / 2)]);
  return { startMs, samples: late.slice((startMs - mouth.startMs) * 48) };
}

describe("delayBetween", () => {
  it.each([0, 67, 240, 1234])("finds a delay of %d ms to a millisecond, wherever the recording begins", (delayMs) => {
    for (const startMs of [5000, 7250]) {
      const delay = delayBetween(mouth, earAfter(delayMs, startMs));
      expect(Math.abs(delay!.ms - delayMs)).toBeLessThanOrEqual(1);
    }
  });

  it("leaves a torn stretch out", () => {
    const ear = earAfter(150, 5000);
    ear.samples.fill(0, 1500 * 48, 2500 * 48);
    const delay = delayBetween(mouth, ear)!;
    expect(Math.abs(delay.ms - 150)).toBeLessThanOrEqual(1);
    expect(delay.stretches).toBeLessThan(delayBetween(mouth, earAfter(150, 5000))!.stretches);
  });

  it("finds none between speech and something else", () => {
    let state = 1;
    const noise = speech.map(() => (state = (state * 16_807) % 2_147_483_647) / 2_147_483_647 - 0.5);
    expect(delayBetween(mouth, { startMs: 5000, samples: noise })).toBeUndefined();
  });
});
