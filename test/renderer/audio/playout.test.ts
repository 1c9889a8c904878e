import { beforeAll, describe, expect, it } from "vitest";
import { compareSpeech } from "../../audio/compare.ts";
import { fixturePath, readAudio } from "../../audio/sounds.ts";
import { flights } from "../../core/jitter/listener.ts";
import { millis, type VoiceKey } from "../../../p2p/api/ids.ts";
import type { HeardPacket } from "../../../p2p/api/engine.ts";
import { createVoiceDecoder, createVoiceEncoder } from "../../../p2p/io/audio/opus.ts";
import { DevicePace } from "../../../renderer/audio/playout/device-pace.ts";
import { FillTarget } from "../../../renderer/audio/playout/fill-target.ts";
import { LevelMeter, levelOf } from "../../../renderer/audio/level.ts";
import { blockSamples, ringMemory, SampleRing } from "../../../renderer/audio/ring.ts";
import { StageMixer } from "../../../renderer/audio/playout/stage-mixer.ts";
import { settled } from "./hand-timers.ts";

let speech: Float32Array;
let opus: Uint8Array[];

beforeAll(async () => {
  speech = await readAudio(fixturePath("speech.flac"));
  const encoder = await createVoiceEncoder();
  opus = [];
  for (let start = 0; start + 1920 <= speech.length; start += 1920)
    opus.push(encoder.encode(speech.subarray(start, start + 1920)).opus);
  encoder.free();
});

/** What a listener hears of packets that arrive when they do, over `ms`, in blocks as the sound device takes them. */
async function heard(
  packets: readonly HeardPacket[],
  startMs: number,
  ms: number,
): Promise<{ mixer: StageMixer; sound: Float32Array }> {
  const mixer = new StageMixer(createVoiceDecoder, (error) => {
    throw error;
  });
  const inOrder = packets.toSorted((left, right) => left.receivedAt - right.receivedAt);
  const sound = new Float32Array((ms / 10) * blockSamples);
  let next = 0;
  for (let block = 0; block < ms / 10; block += 1) {
    const now = startMs + block * 10;
    for (; next < inOrder.length && inOrder[next]!.receivedAt <= now; next += 1) {
      mixer.push(inOrder[next]!);
      if (next < 3) await new Promise((resolve) => setTimeout(resolve, 1));
      if (next < 3) await settled();
    }
    sound.set(mixer.render(now), block * blockSamples);
  }
  return { mixer, sound };
}

function spoken(speaker: string, sequence: number, receivedAt: number): HeardPacket {
  const capturedAt = millis(1000 + sequence * 40);
  const times = { capturedAt, receivedAt: millis(receivedAt) };
  return { speaker: speaker as VoiceKey, sequence, layer: "normal", opus: opus[sequence]!, ...times };
}

describe("playout", () => {
  it.each([
    { seed: "rain", lossShare: 0.05, lossBurst: 1, jitterMs: 8 },
    { seed: "storm", lossShare: 0.1, lossBurst: 1, jitterMs: 20 },
    { seed: "hail", lossShare: 0.05, lossBurst: 2, jitterMs: 4 },
  ])("speech comes out whole over a network that loses and delays ($seed)", async ({ seed, ...weather }) => {
    const { trace } = flights(seed, opus.length, { ...weather, spikeShare: 0, spikeMs: 0 });
    const packets = trace.flatMap(({ sequence, receivedAt }) =>
      receivedAt === undefined ? [] : [spoken("a1", sequence, receivedAt)],
    );
    const { mixer, sound } = await heard(packets, 1000, 8600);
    const stats = mixer.stats(0).get("a1" as VoiceKey)!;
    mixer.free();
    // While the network is being learnt pauses are shortened, and then no one place of the source fits all.
    const comparison = compareSpeech(speech, sound.subarray(3 * 48_000), 48_000);
    expect(comparison.envelopeCorrelation).toBeGreaterThan(0.9);
    expect(comparison.heardMs).toBeGreaterThan(4500);
    expect(stats.framesPlayed + stats.framesRebuilt + stats.framesLost).toBeGreaterThan(opus.length * 2 - 20);
  });

  it("without a network in between it is as good as the codec", async () => {
    const packets = opus.map((_, sequence) => spoken("a1", sequence, 1050 + sequence * 40));
    const { mixer, sound } = await heard(packets, 1000, 8600);
    const comparison = compareSpeech(speech, sound.subarray(3 * 48_000), 48_000);
    expect(comparison.worstGapMs).toBe(0);
    expect(comparison.envelopeCorrelation).toBeGreaterThan(0.97);
    mixer.free();
  });

  it("tells who speaks and how loud, and nobody when all are silent", async () => {
    const packets = opus.slice(0, 50).map((_, sequence) => spoken("a1", sequence, 1050 + sequence * 40));
    const { mixer } = await heard(packets, 1000, 1500);
    expect([...mixer.levels().keys()]).toEqual(["a1"]);
    expect(mixer.levels().get("a1" as VoiceKey)).toBeGreaterThan(0.4);
    for (let now = 2500; now < 5000; now += 10) mixer.render(now);
    expect(mixer.levels().size).toBe(0);
    expect(mixer.stats(0).get("a1" as VoiceKey)!.latencyMs).toBeNull();
    mixer.free();
  });

  it("sixteen speakers at once stay within what a loudspeaker can play", async () => {
    const packets = Array.from({ length: 16 }, (_, speaker) =>
      opus.slice(0, 40).map((_opus, sequence) => spoken(`b${speaker}`, sequence, 1050 + sequence * 40)),
    ).flat();
    const { mixer, sound } = await heard(packets, 1000, 1800);
    expect(sound.every((sample) => Math.abs(sample) <= 1)).toBe(true);
    expect(mixer.stats(0).size).toBe(16);
    mixer.free();
  });

  it("what is made louder than sent is bent and not cut off, at twice the volume", async () => {
    const loud = new Float32Array(1920 * 60);
    for (let at = 0; at < loud.length; at += 1) loud[at] = 0.55 * Math.sin((2 * Math.PI * 220 * at) / 48_000);
    const encoder = await createVoiceEncoder();
    const mixer = new StageMixer(createVoiceDecoder, () => expect.unreachable());
    mixer.setLevelling(false);
    const played: number[] = [];
    for (let packet = 0; packet < 60; packet += 1) {
      const shout = encoder.encode(loud.subarray(packet * 1920, (packet + 1) * 1920)).opus;
      mixer.push({ ...spoken("e1", packet, 1050 + packet * 40), opus: shout });
      if (packet < 3) await new Promise((resolve) => setTimeout(resolve, 1));
      if (packet < 3) await settled();
      if (packet === 30) mixer.setBoost(2);
      for (let block = 0; block < 4; block += 1) {
        const mix = mixer.render(1050 + packet * 40 + block * 10);
        if (packet > 45) played.push(...mix);
      }
    }
    encoder.free();
    mixer.free();
    const most = Math.max(...played.map(Math.abs));
    // Of 1.1, which cut off would be 1.
    expect(most).toBeGreaterThan(0.9);
    expect(most).toBeLessThan(1);
  });

  it("a full stage has no place for a thirty-third voice until one falls silent", async () => {
    const mixer = new StageMixer(createVoiceDecoder, () => {});
    for (let speaker = 0; speaker < 33; speaker += 1) mixer.push(spoken(`c${speaker}`, 0, 1000));
    expect(mixer.stats(0).has("c32" as VoiceKey)).toBe(false);
    await expect.poll(() => mixer.render(1500).length).toBe(blockSamples);
    for (let now = 1500; now < 4000; now += 10) {
      mixer.render(now);
      if (now % 100 === 0) await settled();
    }
    mixer.push(spoken("c32", 1, 4000));
    expect(mixer.stats(0).has("c32" as VoiceKey)).toBe(true);
    expect(mixer.stats(0).size).toBe(32);
    mixer.free();
  });

  it("bytes that are no Opus, from somebody on stage, are guessed over and never throw", async () => {
    const junk = opus.slice(0, 50).map((packet, sequence) => ({
      ...spoken("d1", sequence, 1050 + sequence * 40),
      // The first byte says 40 ms of SILK; what follows is noise, or lengths that cannot be.
      opus: Uint8Array.from({ length: sequence % 2 === 0 ? 120 : 3 }, (_, index) =>
        index === 0 ? packet[0]! | 3 : (sequence * 31 + index * 17) & 255,
      ),
    }));
    const { mixer, sound } = await heard(junk, 1000, 3000);
    expect(sound.every(Number.isFinite)).toBe(true);
    mixer.free();
  });
});

describe("the ring", () => {
  it.each([true, false])("gives out what was put in, in order, over its end (shared: %s)", (shared) => {
    const memory = ringMemory(shared);
    const writer = new SampleRing(memory);
    const reader = new SampleRing(memory);
    let put = 0;
    let got = 0;
    for (let round = 0; round < 400; round += 1) {
      writer.write(Float32Array.from({ length: 100 + (round % 7) }, () => ++put % 1000));
      const block = new Float32Array(100);
      reader.read(block);
      for (const sample of block) expect(sample).toBe(++got % 1000);
    }
    expect(reader.underruns).toBe(0);
    expect(writer.filled).toBe(put - got);
  });

  it("is silent and counts once when it runs dry, but not before anything was written", () => {
    const ring = new SampleRing(ringMemory(true));
    const block = new Float32Array(128).fill(9);
    ring.read(block);
    expect(ring.underruns).toBe(0);
    expect(block.every((sample) => sample === 0)).toBe(true);
    ring.write(new Float32Array(100).fill(1));
    ring.read(block);
    ring.read(block);
    ring.read(block);
    expect(ring.underruns).toBe(1);
    ring.write(new Float32Array(200).fill(1));
    ring.read(block);
    ring.read(block);
    expect(ring.underruns).toBe(2);
  });

  it("takes no more than it holds", () => {
    const ring = new SampleRing(ringMemory(false));
    const taken = ring.write(new Float32Array(100_000));
    expect(taken).toBe(ring.filled);
    expect(ring.write(new Float32Array(1))).toBe(0);
  });
});

describe("what waits for the device", () => {
  /** Looks every `stepMs` for `ms`, with what was left as of the last look less what was played since. */
  function pass(fill: FillTarget, from: number, ms: number, stepMs: number): number {
    let target = 0;
    for (let now = from; now < from + ms; now += stepMs) {
      target = fill.at(now, 100 - stepMs);
      fill.left(100);
    }
    return target;
  }

  it("is as little as the worker's absences let it be, and is not learnt by running dry", () => {
    const fill = new FillTarget(0);
    expect(fill.at(0, 0)).toBeCloseTo(40.5);
    expect(pass(fill, 0, 4000, 6)).toBeCloseTo(40.5);
    expect(pass(fill, 4000, 306_000, 6)).toBeCloseTo(15.5);
    // Once away for 66 ms: these and a quarter and 8 are kept for half a minute.
    expect(fill.at(310_060, 34)).toBeCloseTo(90.5);
    fill.left(100);
    expect(pass(fill, 310_066, 25_000, 6)).toBeCloseTo(90.5);
    expect(pass(fill, 335_066, 10_000, 6)).toBeCloseTo(15.5);
  });

  it("learns from the first moment, and forgets how it was while the page loaded", () => {
    const fill = new FillTarget(0);
    pass(fill, 0, 1000, 6);
    expect(fill.at(1060, 34)).toBeCloseTo(90.5);
    fill.left(100);
    expect(pass(fill, 1066, 3900, 6)).toBeCloseTo(90.5);
    expect(pass(fill, 4972, 100, 6)).toBeCloseTo(15.5);
  });

  it("sees a device that takes much at once, has a limit, and learns nothing from a computer that slept", () => {
    const fill = new FillTarget(0);
    pass(fill, 0, 6000, 6);
    expect(fill.at(6006, 50)).toBeCloseTo(70.5);
    fill.left(100);
    expect(fill.at(6906, 0)).toBe(160);
    const other = new FillTarget(0);
    expect(other.at(3_600_000, 0)).toBe(12);
  });
});

describe("the pace of a device", () => {
  /** Looks every 5 ms for `ms`; `dropsAt` tells how much sound is left out at a time. The answers, without repeats. */
  function look(pace: DevicePace, ms: number, dropsAt: (now: number) => number, underruns = 0): boolean[] {
    const said: boolean[] = [];
    let takenMs = 0;
    for (let now = 0; now < ms; now += 5) {
      takenMs += 5 * 1.0001 - dropsAt(now);
      // It takes 20 ms at a time.
      const keeps = pace.keeps(now, Math.floor(takenMs / 20) * 20, underruns === 0 ? 0 : Math.floor(now / 1000));
      if (said.at(-1) !== keeps) said.push(keeps);
    }
    return said;
  }

  it("is kept by one that takes much at a time, drifts, drops once, or sleeps", () => {
    expect(look(new DevicePace(), 600_000, () => 0)).toEqual([true]);
    expect(look(new DevicePace(), 600_000, (now) => (now === 90_000 ? 300 : 0))).toEqual([true]);
    expect(look(new DevicePace(), 600_000, (now) => (now % 10_000 === 5000 ? 5000 : 0))).toEqual([true]);
    // Less often than three times a minute.
    expect(look(new DevicePace(), 600_000, (now) => (now % 40_000 === 5000 ? 25 : 0))).toEqual([true]);
  });

  it("is not kept by one that drops again and again, unless it found nothing to take", () => {
    expect(look(new DevicePace(), 60_000, (now) => (now % 6000 === 1000 ? 25 : 0))).toEqual([true, false]);
    expect(look(new DevicePace(), 60_000, (now) => (now % 6000 === 1000 ? 25 : 0), 1)).toEqual([true]);
  });
});

describe("levels", () => {
  it("go from a whisper to loud speech by decibels, 20 times a second", () => {
    expect([0, 0.001, 0.25, 1].map(levelOf)).toEqual([0, 0, expect.closeTo(1, 2), 1]);
    expect(levelOf(0.016)).toBeCloseTo(0.5, 1);
    const told: number[] = [];
    const meter = new LevelMeter((rms) => told.push(rms));
    for (let block = 0; block < 100; block += 1) meter.add(new Float32Array(480).fill(0.5));
    expect(told).toHaveLength(20);
    expect(told[0]).toBeCloseTo(0.5);
  });
});
