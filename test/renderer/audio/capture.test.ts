import { describe, expect, it } from "vitest";
import { fixturePath, readAudio } from "../../audio/sounds.ts";
import {
  isVoicePacket,
  lowPacketBytes,
  richPacketBytes,
  voicePacketBytes,
} from "../../../p2p/core/jitter/opus-packet.ts";
import type { EncodedVoice } from "../../../p2p/core/jitter/voice-codec.ts";
import { Rng } from "../../../p2p/core/rng.ts";
import { CaptureClock, Staleness } from "../../../renderer/audio/capture/capture-clock.ts";
import { createWasmPacketEncoder, type PacketEncoder } from "../../../renderer/audio/capture/packet-encoder.ts";
import { VoiceCapture } from "../../../renderer/audio/capture/voice-capture.ts";
import { drawMask } from "../../../renderer/audio/mask/mask-character.ts";
import { maskDelayMs, VoiceMask } from "../../../renderer/audio/mask/voice-mask.ts";

/** Remembers what it is given. */
class Notes implements PacketEncoder {
  readonly packets: { readonly first: number; readonly capturedAt: number }[] = [];
  resets = 0;

  encode(pcm: Float32Array, capturedAt: number): void {
    expect(pcm).toHaveLength(1920);
    this.packets.push({ first: pcm[0]!, capturedAt });
  }

  setStrength(): void {}

  reset(): void {
    this.resets += 1;
  }
}

describe("capture", () => {
  it("makes a packet of every two blocks, with the time of its first sample", () => {
    const notes = new Notes();
    const capture = new VoiceCapture(notes, { deviceLatencyMs: 10, onRms: () => {}, onRecorded: () => {} });
    capture.setGate("live");
    for (let block = 0; block < 6; block += 1) capture.take(new Float32Array(960).fill(block / 8), 1000 + block * 20);
    expect(notes.packets.map(({ first }) => first)).toEqual([0, 0.25, 0.5]);
    for (const [index, { capturedAt }] of notes.packets.entries())
      expect(capturedAt).toBeCloseTo(1000 - 20 - 10 + index * 40, 1);
  });

  it("a driver that gives what is no number, or what nobody could play, spoils nothing that comes after", async () => {
    const levels: number[] = [];
    const notes = new Notes();
    const options = { deviceLatencyMs: 0, onRms: (rms: number) => levels.push(rms), onRecorded: () => {} };
    const capture = new VoiceCapture(notes, options);
    capture.setMask(new VoiceMask(drawMask(Math.random), Math.random));
    capture.setGate("live");
    for (const sample of [NaN, Infinity, -Infinity, 1e30])
      for (let block = 0; block < 6; block += 1) capture.take(new Float32Array(960).fill(sample), 1000 + block * 20);
    expect(levels.every((level) => level >= 0 && level <= 1)).toBe(true);
    const speech = await readAudio(fixturePath("speech.flac"));
    for (let start = 0; start < 48_000; start += 960) capture.take(speech.slice(start, start + 960), 2000 + start / 48);
    expect(notes.packets.every(({ first }) => Number.isFinite(first))).toBe(true);
    expect(notes.packets.slice(-20).some(({ first }) => Math.abs(first) > 0.001)).toBe(true);
  });

  it("keeps nothing of what comes while it is not live, not even half a packet, and begins anew", () => {
    const notes = new Notes();
    const levels: number[] = [];
    const capture = new VoiceCapture(notes, {
      deviceLatencyMs: 0,
      onRms: (rms) => levels.push(rms),
      onRecorded: () => {},
    });
    capture.setGate("live");
    capture.take(new Float32Array(960).fill(0.1), 1000);
    capture.setGate("metering");
    for (let block = 0; block < 10; block += 1) capture.take(new Float32Array(960).fill(0.2), 1020 + block * 20);
    expect(levels).toHaveLength(4);
    capture.setGate("shut");
    for (let block = 0; block < 10; block += 1) capture.take(new Float32Array(960).fill(0.3), 1220 + block * 20);
    expect(levels).toHaveLength(4);
    capture.setGate("live");
    capture.take(new Float32Array(960).fill(0.5), 2000);
    capture.take(new Float32Array(960).fill(0.6), 2020);
    expect(notes.packets).toEqual([{ first: expect.closeTo(0.5), capturedAt: 1980 }]);
    expect(notes.resets).toBe(2);
  });

  it("with a mask nothing but the masked voice is packed or recorded, at the time it was said", () => {
    const notes = new Notes();
    const rng = new Rng("capture");
    const chance = (): number => rng.next();
    const recordings: Float32Array[] = [];
    const capture = new VoiceCapture(notes, {
      deviceLatencyMs: 0,
      onRms: () => {},
      onRecorded: (pcm) => recordings.push(pcm),
    });
    capture.setMask(new VoiceMask(drawMask(chance), chance));
    capture.setGate("metering");
    capture.record(4800);
    // A constant is no voice: a mask that passed it on would be none.
    for (let block = 0; block < 10; block += 1) capture.take(new Float32Array(960).fill(0.5), 1000 + block * 20);
    expect([recordings.length, recordings[0]!.length, notes.packets.length]).toEqual([1, 4800, 0]);
    const mean = recordings[0]!.reduce((sum, sample) => sum + sample, 0) / 4800;
    expect(Math.abs(mean)).toBeLessThan(0.05);
    capture.setGate("live");
    for (let block = 0; block < 10; block += 1) capture.take(new Float32Array(960).fill(0.5), 1200 + block * 20);
    expect(notes.packets).toHaveLength(5);
    expect(notes.packets[0]!.capturedAt).toBeCloseTo(1180 - maskDelayMs, 0);
    expect(notes.packets.every(({ first }) => first !== 0.5)).toBe(true);
    capture.setMask(undefined);
    for (let block = 0; block < 4; block += 1) capture.take(new Float32Array(960).fill(0.5), 1400 + block * 20);
    expect(notes.packets.at(-1)).toMatchObject({ first: 0.5, capturedAt: expect.closeTo(1420, 0) as number });
  });

  it("a recording that is ended early gives what there is", () => {
    const recordings: Float32Array[] = [];
    const options = { deviceLatencyMs: 0, onRms: () => {}, onRecorded: (pcm: Float32Array) => recordings.push(pcm) };
    const capture = new VoiceCapture(new Notes(), options);
    capture.setGate("metering");
    capture.record(48_000);
    capture.take(new Float32Array(960).fill(0.25), 1000);
    capture.record(0);
    capture.record(0);
    expect(recordings).toEqual([new Float32Array(960).fill(0.25)]);
  });

  it("times are even though blocks come in fits, and follow a device that lost sound", () => {
    const clock = new CaptureClock();
    const times = Array.from({ length: 500 }, (_, block) => clock.captured(1000 + block * 20 + (block % 4) * 12, 20));
    const steps = times.slice(1).map((time, index) => time - times[index]!);
    expect(Math.max(...steps)).toBeLessThan(20.1);
    expect(Math.min(...steps)).toBeGreaterThan(19.9);
    expect(times.at(-1)).toBeCloseTo(1000 + 499 * 20 - 20, -1);
    expect(clock.captured(1000 + 500 * 20 + 3000, 20)).toBe(1000 + 500 * 20 + 3000 - 20);
  });

  it("packets that waited before a page which stood still are stale, however the clocks of threads relate", () => {
    for (const offMs of [0, 3_600_000, -3_600_000]) {
      const staleness = new Staleness();
      const isStale = (capturedAt: number, cameAt: number): boolean => staleness.isStale(capturedAt, cameAt + offMs);
      expect(Array.from({ length: 20 }, (_, packet) => isStale(packet * 40, packet * 40 + 70)).some(Boolean)).toBe(
        false,
      );
      // Nothing came for 5 s, then all at once.
      const late = Array.from({ length: 125 }, (_, packet) => isStale(800 + packet * 40, 5800));
      expect(late.filter(Boolean)).toHaveLength(99);
      expect([late[0], late.at(-1), isStale(5800, 5870)]).toEqual([true, false, false]);
    }
  });

  it("packets of both layers are 40 ms in exactly so many bytes, and after a reset know nothing of before", async () => {
    const speech = await readAudio(fixturePath("speech.flac"));
    const packets: EncodedVoice[] = [];
    const encoder = await createWasmPacketEncoder(
      (packet) => packets.push(packet),
      () => expect.unreachable(),
    );
    for (let start = 0; start + 1920 <= speech.length; start += 1920)
      encoder.encode(speech.slice(start, start + 1920), start / 48);
    expect(packets).toHaveLength(Math.floor(speech.length / 1920));
    for (const { opus, low } of packets) {
      expect([opus.length, isVoicePacket(opus)]).toEqual([voicePacketBytes, true]);
      expect([low.length, isVoicePacket(low)]).toEqual([lowPacketBytes, true]);
    }
    encoder.setStrength("rich");
    encoder.reset();
    const again: EncodedVoice[] = [];
    const fresh = await createWasmPacketEncoder(
      (packet) => again.push(packet),
      () => expect.unreachable(),
    );
    fresh.setStrength("rich");
    fresh.encode(speech.slice(0, 1920), 0);
    encoder.encode(speech.slice(0, 1920), 0);
    expect(packets.at(-1)).toEqual(again[0]);
    expect(again[0]!.opus).toHaveLength(richPacketBytes);
  });
});
