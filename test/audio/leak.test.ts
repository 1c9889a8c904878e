import { describe, expect, it } from "vitest";
import type { VoiceStrength } from "../../p2p/api/engine.ts";
import { PacketSealer } from "../../p2p/core/packet/seal.ts";
import { packetSamples } from "../../p2p/core/jitter/voice-codec.ts";
import { createVoiceEncoder } from "../../p2p/io/audio/opus.ts";
import { encodeFrame } from "../../p2p/core/session/frames.ts";
import { sampleRoom, testNow } from "../core/fixtures.ts";
import { fixturePath, readAudio } from "./sounds.ts";

/** Packets in one look of whoever watches the wire: a second. */
const lookPackets = 25;

/** Sizes on the wire, of both layers, of this sound. */
async function sizesOf(pcm: Float32Array, strength: VoiceStrength): Promise<{ normal: number[]; low: number[] }> {
  const { keys, voiceSeed, secret } = sampleRoom("leak");
  const { crypto } = sampleRoom("leak crypto");
  const sealer = new PacketSealer(crypto, keys.carriage.key, voiceSeed, { number: 1, secret });
  const encoder = await createVoiceEncoder();
  encoder.setStrength(strength);
  const sizes = { normal: [] as number[], low: [] as number[] };
  for (let at = 0; at + packetSamples <= pcm.length; at += packetSamples) {
    const { opus, low } = encoder.encode(pcm.subarray(at, at + packetSamples));
    const content = { sequence: at / packetSamples, capturedAt: testNow, viewMark: 0 };
    const wire = (layer: "normal" | "low", bytes: Uint8Array): number =>
      encodeFrame({ kind: "media", hops: 1, packet: sealer.seal({ ...content, layer, opus: bytes }) }).length;
    sizes.normal.push(wire("normal", opus));
    sizes.low.push(wire("low", low));
  }
  encoder.free();
  return sizes;
}

/** Probability that a look at talk scores higher than one at silence, ties counted by half: 0.5 is a coin. */
function areaUnderCurve(talk: readonly number[], silence: readonly number[]): number {
  const wins = talk.flatMap((one) => silence.map((other) => (one > other ? 1 : one === other ? 0.5 : 0)));
  return wins.reduce<number>((sum, win) => sum + win, 0) / wins.length;
}

/** One number for each look: bytes, or how much they vary. */
function looks(sizes: readonly number[], of: (look: readonly number[]) => number): number[] {
  const all: number[] = [];
  for (let at = 0; at + lookPackets <= sizes.length; at += lookPackets) all.push(of(sizes.slice(at, at + lookPackets)));
  return all;
}

const sum = (look: readonly number[]): number => look.reduce((all, size) => all + size, 0);
const spread = (look: readonly number[]): number => Math.max(...look) - Math.min(...look);

describe("what sizes on the wire tell of an open microphone", () => {
  it.each(["plain", "copied", "rich"] as const)(
    "[PK20] nothing (%s): a classifier of talk against silence is a coin, in either layer",
    async (strength) => {
      const speech = await readAudio(fixturePath("speech.flac"));
      // A quiet room is not digital silence: both are held against speech.
      const hum = Float32Array.from(speech, (_, index) => 0.001 * Math.sin(index / 40));
      const talk = await sizesOf(speech, strength);
      for (const quiet of [new Float32Array(speech.length), hum]) {
        const silence = await sizesOf(quiet, strength);
        for (const layer of ["normal", "low"] as const) {
          for (const feature of [sum, spread]) {
            const auc = areaUnderCurve(looks(talk[layer], feature), looks(silence[layer], feature));
            expect(Math.max(auc, 1 - auc)).toBeLessThanOrEqual(0.55);
          }
          expect(new Set([...talk[layer], ...silence[layer]]).size).toBe(1);
        }
      }
    },
  );
});
