import { setImmediate } from "node:timers/promises";
import type { VoiceStrength } from "../../api/engine.ts";
import { millis, type Millis } from "../../api/ids.ts";
import { limits } from "../../api/limits.ts";
import type { Clock } from "../../engine/ports.ts";
import { openAudioFile } from "./file.ts";
import { createVoiceEncoder, type EncodedVoice, type VoiceEncoder } from "./opus.ts";
import { packetSamples, sampleRateHz } from "./pcm.ts";

/** How a file is spoken. */
export interface PlayOptions {
  /** Starts over at its end, without a gap, until stopped. */
  readonly loop: boolean;
  readonly clock: Clock;
  /** Takes each packet with the moment at which its first sample stands in the speaker's time. Must not throw. */
  readonly onPacket: (packet: EncodedVoice, capturedAt: Millis) => void;
}

/** A file being spoken. */
export interface Playing {
  /**
   * Resolves when the last packet was handed out, or after `stop`. Rejects as `openAudioFile` does. Nobody has to
   * listen: a rejection that is not awaited is let go.
   */
  readonly done: Promise<void>;
  /** How packets are made that are not encoded yet: those of 400 ms from now on. Begins `copied`. */
  setStrength(strength: VoiceStrength): void;
  /** No packet comes after it; files and decoders are given back, then `done` resolves. */
  stop(): void;
}

/** Packets encoded ahead: 400 ms, more than one read, decoding and encoding take on a busy machine. */
const packetsAhead = 10;
/** Packets that must be ready before the first goes out. */
const packetsAtStart = 3;
/** A delay up to this is caught up with a burst of packets; after a longer one the schedule moves. */
const catchUpMsMax = 3 * limits.packetMs;
/** A looped file up to this long is kept decoded (6 MB), not decoded again on every round. */
const loopSamplesMax = 30 * sampleRateHz;

/**
 * Speaks a file: one packet of 40 ms at start + n × 40 ms by the clock. After a stall of at most 120 ms the overdue
 * packets go out at once, with the times at which they were due; after a longer one the rest is spoken that much
 * later. Nothing of the file is ever skipped. The end of the last packet is silence.
 */
export function playFile(path: string, options: PlayOptions): Playing {
  const abort = new AbortController();
  const schedule = new Schedule(options);
  let strength: VoiceStrength = "copied";
  let encoder: VoiceEncoder | undefined;
  const produce = async (): Promise<void> => {
    try {
      encoder = await createVoiceEncoder();
      encoder.setStrength(strength);
      for await (const packet of encodedPackets(path, options.loop, encoder, abort.signal)) {
        await schedule.add(packet);
        if (abort.signal.aborted) return;
        // Encoding ahead takes 10 ms and more: others get their turn in between.
        await setImmediate();
      }
      await schedule.drain();
    } finally {
      schedule.stop();
      encoder?.free();
      encoder = undefined;
    }
  };
  const done = produce();
  done.catch(() => {});
  return {
    done,
    setStrength: (next) => {
      strength = next;
      encoder?.setStrength(next);
    },
    stop: () => {
      abort.abort();
      schedule.stop();
    },
  };
}

/** Hands out packets by the clock. */
class Schedule {
  readonly #options: PlayOptions;
  readonly #queue: EncodedVoice[] = [];
  #due: Millis | undefined;
  #complete = false;
  #stopped = false;
  #cancelWake: (() => void) | undefined;
  /** Resolves the producer's wait; it is the only one who waits. */
  #resume: (() => void) | undefined;

  constructor(options: PlayOptions) {
    this.#options = options;
  }

  /** Resolves when there is room for another packet, or at once after `stop`. */
  async add(packet: EncodedVoice): Promise<void> {
    this.#queue.push(packet);
    this.#handOut();
    while (!this.#stopped && this.#queue.length >= packetsAhead) await this.#changed();
  }

  /** Resolves when every packet has gone out, or after `stop`. */
  async drain(): Promise<void> {
    this.#complete = true;
    this.#handOut();
    while (!this.#stopped && this.#queue.length > 0) await this.#changed();
  }

  stop(): void {
    this.#stopped = true;
    this.#queue.length = 0;
    this.#cancelWake?.();
    this.#resume?.();
  }

  #changed(): Promise<void> {
    return new Promise((resolve) => {
      this.#resume = resolve;
    });
  }

  #handOut(): void {
    if (this.#stopped || (this.#due === undefined && !this.#complete && this.#queue.length < packetsAtStart)) return;
    this.#cancelWake?.();
    while (this.#queue.length > 0) {
      const now = this.#options.clock.now();
      let due = this.#due ?? now;
      if (due > now) {
        this.#due = due;
        this.#cancelWake = this.#options.clock.wakeAt(due, () => this.#handOut());
        break;
      }
      if (now - due > catchUpMsMax) due = now;
      this.#due = millis(due + limits.packetMs);
      this.#options.onPacket(this.#queue.shift()!, due);
    }
    this.#resume?.();
  }
}

async function* encodedPackets(
  path: string,
  loop: boolean,
  encoder: VoiceEncoder,
  signal: AbortSignal,
): AsyncGenerator<EncodedVoice> {
  const packet = new Float32Array(packetSamples);
  let filled = 0;
  for await (const samples of loop ? loopedSamples(path) : fileSamples(path)) {
    for (let start = 0; start < samples.length;) {
      if (signal.aborted) return;
      const piece = samples.subarray(start, start + packetSamples - filled);
      packet.set(piece, filled);
      start += piece.length;
      filled += piece.length;
      if (filled < packetSamples) continue;
      filled = 0;
      yield encoder.encode(packet);
    }
  }
  if (filled > 0) yield encoder.encode(packet.fill(0, filled));
}

async function* fileSamples(path: string): AsyncGenerator<Float32Array> {
  yield* await openAudioFile(path);
}

async function* loopedSamples(path: string): AsyncGenerator<Float32Array> {
  const kept: Float32Array[] = [];
  let samplesKept = 0;
  let complete = false;
  while (!complete) {
    for await (const samples of fileSamples(path)) {
      samplesKept += samples.length;
      if (samplesKept <= loopSamplesMax) kept.push(samples);
      else kept.length = 0;
      yield samples;
    }
    complete = samplesKept <= loopSamplesMax;
  }
  for (;;) yield* kept;
}
