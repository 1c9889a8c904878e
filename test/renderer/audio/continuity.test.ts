import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { beforeAll, describe, expect, it } from "vitest";
import { millis, type VoiceKey } from "../../../p2p/api/ids.ts";
import { packetSamples, type EncodedVoice, type VoiceDecoder } from "../../../p2p/core/jitter/voice-codec.ts";
import { createVoiceDecoder, createVoiceEncoder } from "../../../p2p/io/audio/opus.ts";
import { blockSamples } from "../../../renderer/audio/ring.ts";
import { StageMixer } from "../../../renderer/audio/playout/stage-mixer.ts";
import { SpeakerPlayout } from "../../../renderer/audio/playout/speaker-playout.ts";
import { opusOf } from "../../core/jitter/listener.ts";

/** A voice without consonants: a click stands out of it by far. */
let voice: EncodedVoice[];
beforeAll(async () => {
  const encoder = await createVoiceEncoder();
  voice = Array.from({ length: 300 }, (_, number) => {
    // The network spares more from the middle on.
    if (number === 152) encoder.setStrength("rich");
    return encoder.encode(
      Float32Array.from({ length: packetSamples }, (_unused, index) => {
        const seconds = (number * packetSamples + index) / 48_000;
        const pitch = 2 * Math.PI * 130 * seconds;
        return 0.2 * Math.sin(pitch) + 0.08 * Math.sin(2 * pitch) + 0.04 * Math.sin(3 * pitch);
      }),
    );
  });
  encoder.free();
});

/** What becomes of a packet: when it comes, ms after it was sent; undefined is never. */
type Way = (sequence: number) => number | undefined;

type Chosen = (sequence: number) => keyof EncodedVoice;

async function heard(way: Way, ms: number, layer: Chosen = () => "opus"): Promise<Float32Array> {
  const playout = new SpeakerPlayout();
  playout.attach(await createVoiceDecoder());
  const arrivals = voice
    .flatMap((_, sequence) => {
      const after = way(sequence);
      return after === undefined ? [] : [{ sequence, at: sequence * 40 + after }];
    })
    .toSorted((left, right) => left.at - right.at);
  const sound = new Float32Array((ms / 10) * blockSamples);
  const block = new Float32Array(blockSamples);
  for (let index = 0; index < ms / 10; index += 1) {
    const now = index * 10;
    while (arrivals[0] !== undefined && arrivals[0].at <= now) {
      const { sequence, at } = arrivals.shift()!;
      const times = { capturedAt: millis(1e6 + sequence * 40), receivedAt: millis(at) };
      playout.push({ sequence, opus: voice[sequence]![layer(sequence)], ...times });
    }
    if (playout.render(block, now)) sound.set(block, index * blockSamples);
  }
  playout.free();
  return sound;
}

/** The greatest change of slope: what the ear takes for a click. */
function sharpest(sound: Float32Array): number {
  let most = 0;
  for (let index = 2; index < sound.length; index += 1) {
    most = Math.max(most, Math.abs(sound[index]! - 2 * sound[index - 1]! + sound[index - 2]!));
  }
  return most;
}

/** The longest stretch of nothing, in ms, from the first to the last sound. */
function longestGapMs(sound: Float32Array): number {
  let longest = 0;
  let since: number | undefined;
  sound.forEach((sample, index) => {
    if (Math.abs(sample) < 1e-4) return;
    if (since !== undefined) longest = Math.max(longest, index - since);
    since = index;
  });
  return longest / 48;
}

describe("what a listener hears", () => {
  const ways: readonly { readonly name: string; readonly way: Way; readonly gapMsMax: number }[] = [
    // Packets 100 to 104 are not there for 200 ms, then all come at once: 120 ms are guessed.
    { name: "a cover", way: (n) => (n >= 100 && n < 105 ? (105 - n) * 40 + 55 : 50), gapMsMax: 100 },
    // A new parent, 70 ms farther away, after a hole of 360 ms that it replays.
    { name: "a move", way: (n) => (n < 100 ? 50 : n < 109 ? (109 - n) * 40 + 120 : 120), gapMsMax: 400 },
    // Nothing of a second comes, then the present.
    { name: "an outage", way: (n) => (n >= 100 && n < 125 ? undefined : 50), gapMsMax: 1100 },
    // Three seconds are replayed at once: most of them are too old.
    { name: "a long stall", way: (n) => (n >= 100 && n < 175 ? (175 - n) * 40 + 50 : 50), gapMsMax: 3100 },
    { name: "single losses", way: (n) => (n % 7 === 3 ? undefined : 50), gapMsMax: 5 },
    { name: "pairs lost", way: (n) => (n % 20 < 2 && n > 20 ? undefined : 50), gapMsMax: 5 },
    { name: "a wandering delay", way: (n) => 50 + 40 * (1 + Math.sin(n / 15)), gapMsMax: 5 },
  ];

  it.each(ways)("[JB12] has no click in $name", async ({ way, gapMsMax }) => {
    const undisturbed = await heard(() => 50, 12_000);
    const own = sharpest(undisturbed.subarray(48_000, 11 * 48_000));
    const sound = await heard(way, 12_000);
    expect(sharpest(sound.subarray(48_000))).toBeLessThan(own * 10);
    expect(longestGapMs(sound)).toBeLessThan(gapMsMax);
  });

  it("[JB12] has no click where the layer changes in mid-word, there and back, nor where a speaker is given more", async () => {
    const own = sharpest((await heard(() => 50, 12_000)).subarray(48_000, 5 * 48_000));
    const sound = await heard(
      () => 50,
      12_000,
      (n) => (n % 17 < 8 ? "opus" : "low"),
    );
    expect(sharpest(sound.subarray(48_000))).toBeLessThan(own * 10);
    expect(longestGapMs(sound)).toBeLessThan(5);
  });

  it("[JB12] an edge such as these would have without joining is far above that", async () => {
    const undisturbed = await heard(() => 50, 12_000);
    const own = sharpest(undisturbed.subarray(48_000, 11 * 48_000));
    const cut = undisturbed.slice(48_000, 11 * 48_000);
    // 20 ms are left out: what a buffer without joining does.
    cut.copyWithin(100_000, 100_960);
    expect(sharpest(cut)).toBeGreaterThan(own * 40);
  });
});

describe("a stage with a hostile speaker on it", () => {
  /** Frames of the honest speaker that were played while another did `harm` to the same mixer, each 10 ms. */
  async function honestFrames(harm: (mixer: StageMixer, now: number) => void): Promise<number> {
    const mixer = new StageMixer(createVoiceDecoder, (error) => {
      throw error;
    });
    for (let now = 0; now < 8000; now += 10) {
      const sequence = now / 40;
      const times = { layer: "normal" as const, capturedAt: millis(1e6 + now), receivedAt: millis(now) };
      if (now % 40 === 0) mixer.push({ speaker: "a1" as VoiceKey, sequence, opus: voice[sequence]!.opus, ...times });
      harm(mixer, now);
      expect(mixer.render(now).every((sample) => Math.abs(sample) <= 1)).toBe(true);
      // Decoders are made in between.
      if (now < 400) await new Promise((resolve) => setImmediate(resolve));
    }
    const { framesPlayed = 0 } = mixer.stats(0).get("a1" as VoiceKey) ?? {};
    mixer.free();
    return framesPlayed;
  }

  it("[JB8] everybody else is heard as if it were not there", async () => {
    const undisturbed = await honestFrames(() => {});
    expect(undisturbed).toBeGreaterThan(380);
    const speaker = "bad" as VoiceKey;
    const tenfold = await honestFrames((mixer, now) => {
      for (let each = 0; each < 3; each += 1) {
        const sequence = (now / 10) * 3 + each;
        const times = { layer: "normal" as const, capturedAt: millis(sequence * 40), receivedAt: millis(now) };
        mixer.push({ speaker, sequence, opus: voice[sequence % voice.length]!.opus, ...times });
      }
    });
    const garbage = await honestFrames((mixer, now) => {
      const times = {
        layer: "normal" as const,
        capturedAt: millis(now * (now % 3 === 0 ? -1e6 : 1)),
        receivedAt: millis(now),
      };
      const bytes = Uint8Array.from({ length: 1 + (now % 320) }, (_, index) =>
        index === 0 ? 0x50 : (now * index) & 255,
      );
      mixer.push({ speaker, sequence: (now * 7919) % 100_000, opus: bytes, ...times });
      // 120 ms in one packet.
      mixer.push({ speaker, sequence: now, opus: Uint8Array.of(0x5b, 3, 1, 2, 3), ...times });
    });
    expect([tenfold, garbage]).toEqual([undisturbed, undisturbed]);
  });
});

describe("the playout", () => {
  it("[JB1] allocates nothing of its own once it runs", () => {
    setFlagsFromString("--expose-gc");
    const collect = runInNewContext("gc") as () => void;
    const sound = new Float32Array(packetSamples).map((_, index) => 0.1 * Math.sin(index / 40));
    const decoder: VoiceDecoder = { decode: () => sound, decodeFec: () => sound, conceal: () => sound, free: () => {} };
    const playout = new SpeakerPlayout();
    playout.attach(decoder);
    const block = new Float32Array(blockSamples);
    const packet = { sequence: 0, opus: opusOf(1), capturedAt: millis(0.5), receivedAt: millis(0.5) };
    let now = 1000;
    const run = (blocks: number): void => {
      for (let count = 0; count < blocks; count += 1, now += 10) {
        if (now % 40 === 0 && (now / 40) % 9 !== 4) {
          packet.sequence = now / 40;
          packet.capturedAt = packet.receivedAt = millis(now);
          playout.push(packet);
        }
        playout.render(block, now);
      }
    };
    run(50_000);
    collect();
    const before = process.memoryUsage().heapUsed;
    run(50_000);
    const bytesPerBlock = (process.memoryUsage().heapUsed - before) / 50_000;
    // A block of samples is 1,920 bytes, a step object 40: what is left are numbers in the interpreter.
    expect(bytesPerBlock).toBeLessThan(20);
  });
});
