import { millis } from "../../../p2p/api/ids.ts";
import type { VoiceDecoder } from "../../../p2p/core/jitter/voice-codec.ts";
import { packetSamples, sampleRateHz } from "../../../p2p/core/jitter/voice-codec.ts";
import { createVoiceDecoder, createVoiceEncoder } from "../../../p2p/io/audio/opus.ts";
import { blockSamples } from "../../../renderer/audio/ring.ts";
import { SpeakerPlayout } from "../../../renderer/audio/playout/speaker-playout.ts";
import type { Flight } from "../../core/jitter/listener.ts";

const samplesPerMs = sampleRateHz / 1000;
const blockMs = blockSamples / samplesPerMs;

/** What an ear heard of one voice. */
export interface Heard {
  readonly sound: Float32Array;
  /** Ms of sound from packets, rebuilt from copies, and guessed or silent, from the first sound to the last. */
  readonly playedMs: number;
  readonly rebuiltMs: number;
  readonly guessedMs: number;
  /** Capture to playing, mean over packets, ms. */
  readonly delayMs: number;
}

/** Speech as packets of 40 ms, over and over until there are `packets`, by one encoder. */
export async function encoded(speech: Float32Array, packets: number): Promise<Uint8Array[]> {
  const encoder = await createVoiceEncoder();
  const packet = new Float32Array(packetSamples);
  const all = Array.from({ length: packets }, (_, number) => {
    for (let index = 0; index < packetSamples; index += 1) {
      packet[index] = speech[(number * packetSamples + index) % speech.length]!;
    }
    return encoder.encode(packet).opus;
  });
  encoder.free();
  return all;
}

/** The window's own playout, its real decoder included, of packets that arrive as the trace says. */
export async function hearByWindow(opus: readonly Uint8Array[], trace: readonly Flight[], fec = true): Promise<Heard> {
  const decoder = await createVoiceDecoder();
  const counting = new CountingDecoder(decoder, fec);
  const playout = new SpeakerPlayout();
  playout.attach(counting);
  const arrivals = trace
    .filter(({ receivedAt }) => receivedAt !== undefined)
    .toSorted((left, right) => left.receivedAt! - right.receivedAt!);
  const begin = arrivals[0]!.receivedAt!;
  const blocks = Math.ceil((arrivals.at(-1)!.receivedAt! + 1500 - begin) / blockMs);
  const sound = new Float32Array(blocks * blockSamples);
  const block = new Float32Array(blockSamples);
  let next = 0;
  let silentMs = 0;
  let silentSince = 0;
  for (let index = 0; index < blocks; index += 1) {
    const now = begin + index * blockMs;
    for (; next < arrivals.length && arrivals[next]!.receivedAt! <= now; next += 1) {
      const { sequence, capturedAt, receivedAt } = arrivals[next]!;
      const packet = opus[sequence]!;
      counting.capturedAt.set(packet, capturedAt);
      playout.push({ sequence, capturedAt: millis(capturedAt), receivedAt: millis(receivedAt!), opus: packet });
    }
    counting.now = now;
    if (playout.render(block, now)) sound.set(block, index * blockSamples);
    // Silence counts when speech follows it.
    if (playout.speaking) {
      silentMs += silentSince;
      silentSince = 0;
    } else if (counting.packets > 0) silentSince += blockMs;
  }
  decoder.free();
  const { playedMs, rebuiltMs, guessedMs, delaySumMs, packets } = counting;
  return { sound, playedMs, rebuiltMs, guessedMs: guessedMs + silentMs, delayMs: delaySumMs / packets };
}

/** A buffer as it is first built: everything waits until a constant time after capture, and what is not there is guessed. */
export async function hearByConstant(
  opus: readonly Uint8Array[],
  trace: readonly Flight[],
  delayMs: number,
): Promise<Heard> {
  const decoder = await createVoiceDecoder();
  const sound = new Float32Array(trace.length * packetSamples);
  let played = 0;
  trace.forEach(({ sequence, capturedAt, receivedAt }, index) => {
    const there = receivedAt !== undefined && receivedAt <= capturedAt + delayMs;
    sound.set((there ? decoder.decode(opus[sequence]!) : undefined) ?? decoder.conceal(), index * packetSamples);
    if (there) played += 1;
  });
  decoder.free();
  return { sound, playedMs: played * 40, rebuiltMs: 0, guessedMs: (trace.length - played) * 40, delayMs };
}

/** Counts what a playout asks of its decoder. */
class CountingDecoder implements VoiceDecoder {
  now = 0;
  packets = 0;
  delaySumMs = 0;
  playedMs = 0;
  rebuiltMs = 0;
  guessedMs = 0;
  readonly capturedAt = new Map<Uint8Array, number>();
  readonly #decoder: VoiceDecoder;
  readonly #fec: boolean;

  constructor(decoder: VoiceDecoder, fec: boolean) {
    this.#decoder = decoder;
    this.#fec = fec;
  }

  decode(opus: Uint8Array): Float32Array | undefined {
    this.packets += 1;
    this.delaySumMs += this.now - (this.capturedAt.get(opus) ?? this.now);
    this.playedMs += 40;
    return this.#decoder.decode(opus);
  }

  decodeFec(next: Uint8Array): Float32Array | undefined {
    if (!this.#fec) return undefined;
    this.rebuiltMs += 40;
    return this.#decoder.decodeFec(next);
  }

  conceal(samples = packetSamples): Float32Array {
    this.guessedMs += samples / samplesPerMs;
    return this.#decoder.conceal(samples);
  }

  free(): void {
    this.#decoder.free();
  }
}
