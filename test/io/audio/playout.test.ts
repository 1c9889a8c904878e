import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { compareSpeech } from "../../audio/compare.ts";
import { fixturePath, joined, readAudio, sine } from "../../audio/sounds.ts";
import type { HeardPacket } from "../../../p2p/api/engine.ts";
import { millis, type VoiceKey } from "../../../p2p/api/ids.ts";
import { mixBlocks } from "../../../p2p/core/jitter/mix.ts";
import { createVoiceDecoder, createVoiceEncoder, type VoiceDecoder } from "../../../p2p/io/audio/opus.ts";
import { FixedPlayout } from "../../../p2p/io/audio/playout.ts";
import { RoomPlayout } from "../../../p2p/io/audio/room-playout.ts";

const startMs = 1_000_000;
const alice = "a1" as VoiceKey;
const bob = "b0" as VoiceKey;
let speech: Float32Array;
let opus: Uint8Array[];
const decoders: VoiceDecoder[] = [];

beforeAll(async () => {
  speech = await readAudio(fixturePath("speech.flac"));
  const encoder = await createVoiceEncoder();
  opus = [];
  for (let start = 0; start + 1920 <= speech.length; start += 1920)
    opus.push(encoder.encode(speech.subarray(start, start + 1920)).opus);
  encoder.free();
});

afterAll(() => {
  for (const decoder of decoders) decoder.free();
});

async function newPlayout(): Promise<FixedPlayout> {
  const decoder = await createVoiceDecoder();
  decoders.push(decoder);
  return new FixedPlayout(decoder);
}

/** Packet `sequence` of the speech, captured in its turn and received 100 ms later; changed as told. */
function packet(
  sequence: number,
  changes: { speaker?: VoiceKey; capturedAt?: number; receivedAt?: number; opus?: Uint8Array } = {},
): HeardPacket {
  const capturedAt = changes.capturedAt ?? startMs + sequence * 40;
  return {
    speaker: changes.speaker ?? alice,
    sequence,
    layer: "normal",
    opus: changes.opus ?? opus[sequence]!,
    capturedAt: millis(capturedAt),
    receivedAt: millis(changes.receivedAt ?? capturedAt + 100),
  };
}

const packets = (count: number): HeardPacket[] => Array.from({ length: count }, (_, sequence) => packet(sequence));

/** What is heard from `startMs` on; undefined stands for a block of silence. */
function play(playout: FixedPlayout, ms: number): (Float32Array | undefined)[] {
  return Array.from({ length: ms / 20 }, (_, block) => playout.render(startMs + block * 20));
}

/** The blocks in which something plays, as runs [from, to) in ms after `startMs`. */
function runs(blocks: readonly (Float32Array | undefined)[]): number[][] {
  const found: number[][] = [];
  blocks.forEach((block, index) => {
    if (block === undefined) return;
    const last = found.at(-1);
    if (last?.[1] === index * 20) last[1] = (index + 1) * 20;
    else found.push([index * 20, (index + 1) * 20]);
  });
  return found;
}

const sound = (blocks: readonly (Float32Array | undefined)[]): Float32Array =>
  joined(blocks.map((block) => block ?? new Float32Array(960)));

describe("FixedPlayout", () => {
  it("plays each packet 400 ms after its capture, without a gap", async () => {
    const playout = await newPlayout();
    packets(100)
      .slice(0, 50)
      .forEach((each) => playout.push(each));
    const blocks = play(playout, 2400);
    expect(runs(blocks)[0]![0]).toBe(400);
    expect(playout.counts).toMatchObject({ framesOnTime: 100, packetsLate: 0 });
    const result = compareSpeech(speech.subarray(0, 96_000), sound(blocks).subarray(0, 48 * 2400), 48_000);
    expect(result.envelopeCorrelation).toBeGreaterThan(0.97);
  });

  it("does not care for the order of arrival", async () => {
    const [straight, mixed] = [await newPlayout(), await newPlayout()];
    const some = packets(40);
    some.forEach((each) => straight.push(each));
    [...some]
      .sort((left, right) => ((left.sequence * 17) % 40) - ((right.sequence * 17) % 40))
      .forEach((each) => mixed.push(each));
    expect(sound(play(mixed, 2500))).toEqual(sound(play(straight, 2500)));
    expect(mixed.counts).toEqual(straight.counts);
  });

  it("drops and counts what comes after its time, even if nobody has asked for that time yet", async () => {
    const playout = await newPlayout();
    for (const each of packets(20))
      playout.push(each.sequence === 10 ? packet(10, { receivedAt: startMs + 10 * 40 + 401 }) : each);
    play(playout, 1000);
    // Too late, though it was there before `play` was called.
    playout.push(packet(10));
    expect(playout.counts).toMatchObject({ framesConcealed: 2, framesRebuilt: 2, packetsLate: 1 });
  });

  it("rebuilds a lost packet from its successor", async () => {
    const [whole, holed] = [await newPlayout(), await newPlayout()];
    const some = packets(45);
    some.forEach((each) => whole.push(each));
    some.filter((each) => each.sequence % 5 !== 3).forEach((each) => holed.push(each));
    const [expected, heard] = [sound(play(whole, 2200)), sound(play(holed, 2200))];
    expect(holed.counts).toMatchObject({ framesOnTime: 72, framesConcealed: 18, framesRebuilt: 18 });
    const result = compareSpeech(expected, heard, 48_000);
    expect(result.envelopeCorrelation).toBeGreaterThan(0.9);
    expect(result.worstGapMs).toBe(0);
  });

  it("guesses for at most 120 ms, then is silent until the next packet's own time", async () => {
    const playout = await newPlayout();
    packets(40)
      .filter(({ sequence }) => sequence < 10 || sequence >= 20)
      .forEach((each) =>
        playout.push({ ...each, receivedAt: millis(each.capturedAt + (each.sequence < 10 ? 100 : 390)) }),
      );
    const blocks = play(playout, 2400);
    // Ten packets and three guesses; nothing; then the last ten, and three guesses at the end.
    expect(runs(blocks)[0]).toEqual([400, 400 + 400 + 120]);
    expect(runs(blocks)[1]).toEqual([400 + 20 * 40, 2000 + 120]);
    expect(playout.counts).toMatchObject({ framesOnTime: 60, framesConcealed: 6 + 6, framesRebuilt: 0 });
  });

  it("plays nothing in place of a pause that the speaker made", async () => {
    const playout = await newPlayout();
    const pauseMs = 800;
    for (const { sequence } of packets(20)) {
      playout.push(
        packet(sequence, {
          capturedAt: startMs + sequence * 40 + (sequence < 10 ? 0 : pauseMs),
          receivedAt: startMs + 200 + sequence * 40,
        }),
      );
    }
    const blocks = play(playout, 400 + 800 + pauseMs);
    expect(runs(blocks)).toEqual([
      [400, 800],
      [800 + pauseMs, 1200 + pauseMs],
    ]);
    expect(playout.counts).toMatchObject({ framesOnTime: 40, framesConcealed: 0 });
  });

  it("takes jittered capture times as one flow", async () => {
    const playout = await newPlayout();
    for (const { sequence } of packets(40))
      playout.push(packet(sequence, { capturedAt: startMs + sequence * 40 + ((sequence * 7) % 30) }));
    expect(runs(play(playout, 2000))[0]).toEqual([400, 2000]);
    expect(playout.counts).toMatchObject({ framesOnTime: 80, framesConcealed: 0, packetsLate: 0 });
  });

  it("conceals a packet that does not decode", async () => {
    const playout = await newPlayout();
    // Right by its first byte, malformed inside: the length of its first frame reaches beyond its end.
    const broken = Uint8Array.of((9 << 3) | 2, 251, 1, 2);
    for (const each of packets(20)) playout.push(each.sequence === 10 ? packet(10, { opus: broken }) : each);
    expect(runs(play(playout, 1200))[0]).toEqual([400, 1200]);
    expect(playout.counts).toMatchObject({ framesOnTime: 38, framesConcealed: 2, packetsUnusable: 1 });
  });

  it("counts and forgets packets that cannot be, and is not held up by them", async () => {
    const playout = await newPlayout();
    playout.push(packet(0, { opus: new Uint8Array(10) }));
    playout.push({ ...packet(0), sequence: -1 });
    playout.push({ ...packet(0), sequence: 0.5 });
    playout.push(packet(0, { capturedAt: startMs + 1e12, receivedAt: startMs }));
    playout.push(packet(0, { capturedAt: NaN, receivedAt: startMs }));
    packets(5).forEach((each) => playout.push(each));
    playout.push(packet(4));
    expect(playout.counts).toMatchObject({ packetsUnusable: 5, packetsDuplicate: 1 });
    expect(runs(play(playout, 600))).toEqual([[400, 600]]);
  });

  it("keeps a bounded number of packets", async () => {
    const playout = await newPlayout();
    for (let sequence = 0; sequence < 1000; sequence += 1)
      playout.push(packet(sequence, { opus: opus[0]!, capturedAt: startMs }));
    expect(playout.counts.packetsUnusable).toBe(950);
  });
});

describe("RoomPlayout", () => {
  it("gives one contiguous sound, however it is asked for", async () => {
    const [often, rarely] = [
      new RoomPlayout(createVoiceDecoder, startMs),
      new RoomPlayout(createVoiceDecoder, startMs),
    ];
    for (const each of packets(50)) [often, rarely].forEach((room) => room.push(each));
    const pieces: Float32Array[] = [];
    for (let ms = 7; ms < 3000; ms += 33) pieces.push(await often.render(startMs + ms));
    pieces.push(await often.render(startMs + 3000));
    const whole = await rarely.render(startMs + 3000);
    expect(whole.length).toBe(3 * 48_000);
    expect(joined(pieces)).toEqual(whole);
    expect(rarely.counts).toMatchObject({ framesOnTime: 100, packetsLate: 0 });
    const result = compareSpeech(speech, whole.subarray(0, 48 * 2400), 48_000);
    expect(result.envelopeCorrelation).toBeGreaterThan(0.97);
    expect(Math.abs(result.offsetMs - 400)).toBeLessThan(12);
    await Promise.all([often.free(), rarely.free()]);
  });

  it("mixes speakers, each in its own time", async () => {
    const [together, first, second] = Array.from({ length: 3 }, () => new RoomPlayout(createVoiceDecoder, startMs));
    for (const each of packets(40)) {
      const others = packet(each.sequence, {
        speaker: bob,
        capturedAt: startMs + 500 + each.sequence * 40,
        opus: opus[each.sequence + 60]!,
      });
      for (const room of [together!, first!]) room.push(each);
      for (const room of [together!, second!]) room.push(others);
    }
    const [mix, one, other] = [
      await together!.render(startMs + 2500),
      await first!.render(startMs + 2500),
      await second!.render(startMs + 2500),
    ];
    const sum = one.map((sample, index) => sample + other[index]!);
    expect(mix.every((sample, index) => Math.abs(sum[index]!) > 0.8 || Math.abs(sample - sum[index]!) < 1e-6)).toBe(
      true,
    );
    expect(other.subarray(0, 48 * 900).every((sample) => sample === 0)).toBe(true);
    await Promise.all([together, first, second].map((room) => room!.free()));
  });

  it("gives the decoder of a silent speaker to a new one when the stage is full, and keeps the counts", async () => {
    let made = 0;
    const room = new RoomPlayout(() => {
      made += 1;
      return createVoiceDecoder();
    }, startMs);
    for (let speaker = 0; speaker < 40; speaker += 1)
      room.push(packet(0, { speaker: `speaker-${speaker}` as VoiceKey }));
    await room.render(startMs + 1000);
    // 32 fit; nobody was silent yet when the last eight came.
    expect([made, room.counts.packetsUnusable, room.counts.framesOnTime]).toEqual([32, 8, 64]);
    room.push(packet(0, { speaker: bob, capturedAt: startMs + 1000 }));
    await room.render(startMs + 2000);
    expect([made, room.counts.framesOnTime]).toEqual([33, 66]);
    await room.free();
  });

  it("makes no decoder while it is only fed", () => {
    const room = new RoomPlayout(() => Promise.reject(new Error("not to be made")), startMs);
    packets(100).forEach((each) => room.push(each));
    expect(room.counts.packetsUnusable).toBe(0);
  });
});

describe("mixBlocks", () => {
  const tone = sine(960, 440, 48_000);

  it("leaves one voice as it is, and sums what fits", () => {
    expect(mixBlocks([tone], 960)).toEqual(tone);
    const quiet = tone.map((sample) => sample / 2);
    expect(mixBlocks([quiet, quiet], 960)).toEqual(tone);
    expect(mixBlocks([], 3)).toEqual(new Float32Array(3));
  });

  it("never clips, keeps louder louder, and bends nothing abruptly", () => {
    const ramp = Float32Array.from({ length: 960 }, (_, index) => index / 480 - 1);
    const mixed = mixBlocks([ramp, ramp, ramp], 960);
    for (let index = 1; index < mixed.length; index += 1) {
      expect(Math.abs(mixed[index]!)).toBeLessThanOrEqual(1);
      expect(mixed[index]).toBeGreaterThanOrEqual(mixed[index - 1]!);
      expect(mixed[index]! - mixed[index - 1]!).toBeLessThan(0.007);
    }
  });

  it("takes NaN for silence", () => {
    expect([...mixBlocks([Float32Array.of(NaN, 0.5), Float32Array.of(0.25, NaN)], 2)]).toEqual([0.25, 0.5]);
  });
});
