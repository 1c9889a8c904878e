import { describe, expect, it } from "vitest";
import { compareSpeech } from "../../audio/compare.ts";
import { fixturePath, joined, readAudio, sine } from "../../audio/sounds.ts";
import { createVoiceDecoder } from "../../../p2p/io/audio/opus.ts";
import { playFile, type Playing } from "../../../p2p/io/audio/pace.ts";
import { ManualClock } from "./manual-clock.ts";
import { scratchDirectory } from "./scratch.ts";
import { wavBytes } from "./wav-bytes.ts";

const scratch = scratchDirectory();
const clip = fixturePath("speech.flac");

/** A file being played, with what it has handed out. */
class Listener {
  readonly clock = new ManualClock();
  readonly startedAt = this.clock.now();
  readonly packets: { readonly opus: Uint8Array; readonly capturedAt: number; readonly handedOutAt: number }[] = [];
  readonly playing: Playing;
  #arrived: (() => void) | undefined;

  constructor(path: string, loop = false) {
    this.playing = playFile(path, {
      loop,
      clock: this.clock,
      onPacket: ({ opus }, capturedAt) => {
        this.packets.push({ opus, capturedAt, handedOutAt: this.clock.now() });
        this.#arrived?.();
      },
    });
  }

  /** Resolves when so many packets were handed out without time passing. */
  async until(count: number): Promise<void> {
    while (this.packets.length < count) await new Promise<void>((resolve) => (this.#arrived = resolve));
  }

  /** Plays on, 40 ms at a time, until so many packets were handed out. */
  async playUntil(count: number): Promise<void> {
    await this.until(1);
    while (this.packets.length < count) {
      const expected = this.packets.length + 1;
      this.clock.advance(40);
      await this.until(expected);
    }
  }

  /** Capture times since the start. */
  get times(): number[] {
    return this.packets.map(({ capturedAt }) => capturedAt - this.startedAt);
  }
}

async function tonePath(name: string, samples: number): Promise<string> {
  return await scratch.write(name, wavBytes([sine(samples, 440, 48_000)]));
}

describe("playFile", () => {
  it("hands out a packet each 40 ms, captured when it was due, and ends after the last", async () => {
    const listener = new Listener(await tonePath("short.wav", 1920 * 5 + 1));
    await listener.playUntil(6);
    await listener.playing.done;
    expect(listener.times).toEqual([0, 40, 80, 120, 160, 200]);
    expect(listener.packets.every(({ opus }) => opus.length === 120)).toBe(true);
    expect(listener.clock.waiting).toBe(0);
  });

  it("plays a file shorter than one packet, its end silent", async () => {
    const listener = new Listener(await tonePath("tiny.wav", 100));
    await listener.playing.done;
    expect(listener.times).toEqual([0]);
  });

  it("does not drift, however unevenly it is woken", async () => {
    const listener = new Listener(await tonePath("uneven.wav", 1920 * 50));
    await listener.until(1);
    for (let count = 2; count <= 50; count += 1) {
      listener.clock.stall(40 + ((count * 13) % 7) - 3);
      if (listener.clock.now() < listener.startedAt + (count - 1) * 40)
        listener.clock.advance(listener.startedAt + (count - 1) * 40 - listener.clock.now());
      await listener.until(count);
    }
    expect(listener.times).toEqual(Array.from({ length: 50 }, (_, index) => index * 40));
  });

  it("catches up after a short stall, with the times at which the packets were due", async () => {
    const listener = new Listener(await tonePath("stall.wav", 1920 * 12));
    await listener.playUntil(4);
    listener.clock.stall(160);
    await listener.until(8);
    expect(listener.times).toEqual([0, 40, 80, 120, 160, 200, 240, 280]);
    expect(listener.packets.slice(4).map(({ handedOutAt }) => handedOutAt - listener.startedAt)).toEqual([
      280, 280, 280, 280,
    ]);
    listener.playing.stop();
    await listener.playing.done;
  });

  it("moves the schedule after a long stall, and skips nothing", async () => {
    const path = await tonePath("long-stall.wav", 1920 * 12);
    const steady = new Listener(path);
    await steady.playUntil(12);
    const stalled = new Listener(path);
    await stalled.playUntil(4);
    stalled.clock.stall(1000);
    await stalled.until(5);
    await stalled.playUntil(12);
    expect(stalled.times.slice(3, 7)).toEqual([120, 1120, 1160, 1200]);
    expect(stalled.packets.map(({ opus }) => opus)).toEqual(steady.packets.map(({ opus }) => opus));
    await Promise.all([steady.playing.done, stalled.playing.done]);
  });

  it("loops without a gap, by sound and by time", async () => {
    const source = await readAudio(clip);
    const listener = new Listener(clip, true);
    const count = Math.ceil((2.5 * source.length) / 1920);
    await listener.playUntil(count);
    listener.playing.stop();
    await listener.playing.done;
    expect(listener.times).toEqual(Array.from({ length: count }, (_, index) => index * 40));
    const decoder = await createVoiceDecoder();
    const heard = joined(listener.packets.map(({ opus }) => decoder.decode(opus)!));
    decoder.free();
    const result = compareSpeech(source, heard, 48_000);
    expect(result.envelopeCorrelation).toBeGreaterThan(0.98);
    expect(result.worstGapMs).toBe(0);
    expect(result.heardMs).toBeGreaterThan(2.45 * (source.length / 48));
  });

  it("loops a file that is too long to be kept, by reading it again", async () => {
    const seconds = 31;
    const rateHz = 8000;
    // A sweep, so that the second round differs from the first where it should not begin.
    const sweep = Float32Array.from(
      { length: seconds * rateHz },
      (_, index) => 0.5 * Math.sin(index * (0.1 + index / 1e6)),
    );
    const listener = new Listener(await scratch.write("sweep.wav", wavBytes([sweep], { rateHz })), true);
    await listener.playUntil((seconds * 1000) / 40 + 50);
    listener.playing.stop();
    await listener.playing.done;
    const decoder = await createVoiceDecoder();
    const heard = joined(listener.packets.map(({ opus }) => decoder.decode(opus)!));
    decoder.free();
    const crossings = (from: number): number => zeroCrossings(heard.subarray(from, from + 24_000));
    expect(Math.abs(crossings(seconds * 48_000 + 24_000) - crossings(24_000))).toBeLessThan(10);
  });

  it("hands out nothing after stop, and gives its wake-ups back", async () => {
    const listener = new Listener(clip, true);
    await listener.playUntil(3);
    listener.playing.stop();
    listener.playing.stop();
    listener.clock.advance(10_000);
    await listener.playing.done;
    expect(listener.packets.length).toBe(3);
    expect(listener.clock.waiting).toBe(0);
  });

  it("can be stopped before its file is open", async () => {
    const listener = new Listener(clip, true);
    listener.playing.stop();
    await listener.playing.done;
    expect(listener.packets).toEqual([]);
  });

  it("rejects as opening the file does", async () => {
    await expect(new Listener(scratch.path("missing.wav"), true).playing.done).rejects.toMatchObject({
      code: "audio-missing",
    });
    const empty = await scratch.write("empty.wav", wavBytes([new Float32Array(0)]));
    await expect(new Listener(empty, true).playing.done).rejects.toMatchObject({ code: "audio-empty" });
  });
});

function zeroCrossings(samples: Float32Array): number {
  let count = 0;
  for (let index = 1; index < samples.length; index += 1)
    if (samples[index - 1]! < 0 !== samples[index]! < 0) count += 1;
  return count;
}
