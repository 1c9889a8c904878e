import { beforeAll, describe, expect, it } from "vitest";
import { Stretcher, stretchedSamplesMax } from "../../../p2p/core/jitter/stretch.ts";
import { packetSamples } from "../../../p2p/core/jitter/voice-codec.ts";
import { Rng } from "../../../p2p/core/rng.ts";
import { fixturePath, joined, readAudio, sine } from "../../audio/sounds.ts";

const stretcher = new Stretcher();

function stretched(pcm: Float32Array, byMs: number, quiet = false): Float32Array {
  const into = new Float32Array(stretchedSamplesMax);
  return into.slice(0, stretcher.stretch(pcm, byMs, quiet, into));
}

/** The greatest change from one sample to the next: a click is far above the sound's own. */
function steepest(pcm: Float32Array): number {
  let most = 0;
  for (let index = 1; index < pcm.length; index += 1) most = Math.max(most, Math.abs(pcm[index]! - pcm[index - 1]!));
  return most;
}

describe("stretching", () => {
  it.each([70, 110, 180, 250, 390].flatMap((hertz) => [-15, -100, 15, 100].map((byMs) => ({ hertz, byMs }))))(
    "[JB11] leaves a tone of $hertz Hz one tone when it gains $byMs ms",
    ({ hertz, byMs }) => {
      const tone = sine(packetSamples, hertz, 48_000);
      const result = stretched(tone, byMs);
      expect(Math.sign(result.length - tone.length)).toBe(Math.sign(byMs));
      expect(Math.abs(result.length - tone.length)).toBeLessThanOrEqual(720);
      expect(Math.abs(result.length - tone.length)).toBeGreaterThanOrEqual(120);
      // No edge, no hole: the same slopes, and the power that a sine has.
      expect(steepest(result)).toBeLessThan(steepest(tone) * 1.1);
      const power = result.reduce((sum, sample) => sum + sample * sample, 0) / result.length;
      expect(power).toBeGreaterThan(0.125 * 0.85);
      expect(power).toBeLessThan(0.125 * 1.15);
    },
  );

  it("[JB11] leaves both ends as they were, so that packets join", () => {
    const tone = sine(packetSamples, 140, 48_000);
    for (const byMs of [-15, 15]) {
      const result = stretched(tone, byMs);
      expect(result.subarray(0, 192)).toEqual(tone.subarray(0, 192));
      expect(result.subarray(result.length - 140)).toEqual(tone.subarray(packetSamples - 140));
    }
  });

  it("[JB11] changes nothing where no two periods are alike, unless nobody hears it", () => {
    const rng = new Rng("noise");
    const noise = Float32Array.from({ length: packetSamples }, () => rng.next() - 0.5);
    expect(stretched(noise, -15)).toEqual(noise);
    expect(stretched(noise, -15, true).length).toBe(packetSamples - 720);
    expect(stretched(noise, 7, true).length).toBe(packetSamples + 336);
    expect(stretched(new Float32Array(packetSamples), -15, true).length).toBe(packetSamples - 720);
  });

  it("[JB11] does not take more than was asked for, and nothing below the shortest period", () => {
    const tone = sine(packetSamples, 390, 48_000);
    expect(stretched(tone, -2).length).toBe(packetSamples);
    expect(stretched(tone, -6).length).toBeGreaterThanOrEqual(packetSamples - 288);
  });

  describe("of speech", () => {
    let speech: Float32Array;
    beforeAll(async () => {
      speech = await readAudio(fixturePath("speech.flac"));
    });

    it.each([-15, 15])("[JB11] finds a period in most packets, and makes no click (%d ms)", (byMs) => {
      const pieces: Float32Array[] = [];
      let changed = 0;
      for (let start = 0; start + packetSamples <= speech.length; start += packetSamples) {
        const packet = speech.subarray(start, start + packetSamples);
        const result = stretched(packet, byMs);
        if (result.length !== packetSamples) changed += 1;
        pieces.push(result);
      }
      expect(changed).toBeGreaterThan(pieces.length * 0.4);
      expect(steepest(joined(pieces))).toBeLessThanOrEqual(steepest(speech) * 1.05);
    });
  });
});
