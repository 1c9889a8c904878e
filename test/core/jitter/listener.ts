import { millis } from "../../../p2p/api/ids.ts";
import { JitterBuffer, type JitterPacket } from "../../../p2p/core/jitter/buffer.ts";
import type { Attention } from "../../../p2p/core/jitter/delay.ts";
import { Rng } from "../../../p2p/core/rng.ts";

/** One packet on its way: captured, received, or lost. Times in ms of one clock. */
export interface Flight {
  readonly sequence: number;
  readonly capturedAt: number;
  /** Undefined: lost. */
  readonly receivedAt: number | undefined;
}

/** What a listener got. */
export interface Heard {
  readonly buffer: JitterBuffer;
  /** In the order of playing. */
  readonly played: readonly { readonly sequence: number; readonly at: number; readonly delayMs: number }[];
  readonly steps: readonly { readonly kind: string; readonly at: number; readonly ms: number }[];
}

/** A SILK packet of 40 ms that carries its sequence number. */
export function opusOf(sequence: number): Uint8Array {
  return Uint8Array.of(0x50, sequence >> 24, sequence >> 16, sequence >> 8, sequence);
}

/** The packet of a flight that arrived. */
export function packetOf({ sequence, capturedAt, receivedAt }: Flight): JitterPacket {
  return { sequence, capturedAt: millis(capturedAt), receivedAt: millis(receivedAt!), opus: opusOf(sequence) };
}

/**
 * Plays a trace as a sound device would, from the first arrival until all is over. In quiet packets 20 ms are left out
 * or put in when the buffer has too much or too little.
 */
export function listen(
  trace: readonly Flight[],
  quiet: (sequence: number) => boolean = () => false,
  attention: Attention = "listening",
): Heard {
  const arrivals = trace
    .filter(({ receivedAt }) => receivedAt !== undefined)
    .toSorted((left, right) => left.receivedAt! - right.receivedAt!);
  const buffer = new JitterBuffer();
  buffer.setAttention(attention);
  const played: { sequence: number; at: number; delayMs: number }[] = [];
  const steps: { kind: string; at: number; ms: number }[] = [];
  const captured = new Map(trace.map(({ sequence, capturedAt }) => [sequence, capturedAt]));
  let now = arrivals[0]!.receivedAt!;
  let next = 0;
  while (next < arrivals.length || !buffer.idle) {
    for (; next < arrivals.length && arrivals[next]!.receivedAt! <= now; next += 1)
      buffer.push(packetOf(arrivals[next]!));
    const step = buffer.pull(now);
    let ms = 20;
    if (step.kind === "play") {
      const sequence = new DataView(step.opus.buffer).getUint32(1);
      played.push({ sequence, at: now, delayMs: now - captured.get(sequence)! });
      ms = quiet(sequence) ? 40 + step.adjustMs : 40;
    } else if (step.kind === "rebuild") ms = 40;
    else ms = step.ms;
    steps.push({ kind: step.kind, at: now, ms });
    now += ms;
  }
  return { buffer, played, steps };
}

/** How a network behaves. */
export interface Weather {
  readonly lossShare: number;
  /** Losses in a row, on average. */
  readonly lossBurst: number;
  /** Standard deviation of the delay, in ms: its tail is exponential. */
  readonly jitterMs: number;
  /** Share of packets at which a spike begins: everything waits until it is over. */
  readonly spikeShare: number;
  readonly spikeMs: number;
}

/** What a network does to `packets` packets, all from the seed, its weather too unless it is given. */
export function flights(seed: string, packets: number, given?: Weather): { weather: Weather; trace: Flight[] } {
  const rng = new Rng(seed);
  const drawn: Weather = {
    lossShare: [0, 0.01, 0.05, 0.1][rng.int(4)]!,
    lossBurst: [1, 2][rng.int(2)]!,
    jitterMs: [2, 8, 20, 40][rng.int(4)]!,
    spikeShare: [0, 0.002, 0.005][rng.int(3)]!,
    spikeMs: [100, 200, 400][rng.int(3)]!,
  };
  const weather = given ?? drawn;
  let losing = false;
  let blockedUntil = 0;
  const trace = Array.from({ length: packets }, (_, sequence): Flight => {
    const capturedAt = 5_000_000 + sequence * 40;
    const leaves = losing ? 1 / weather.lossBurst : weather.lossShare / (1 - weather.lossShare) / weather.lossBurst;
    if (rng.next() < leaves) losing = !losing;
    const sentAt = 1000 + sequence * 40;
    if (rng.next() < weather.spikeShare) blockedUntil = sentAt + rng.next() * weather.spikeMs;
    const travelled = sentAt + 50 - weather.jitterMs * Math.log(1 - rng.next());
    return { sequence, capturedAt, receivedAt: losing ? undefined : Math.max(travelled, blockedUntil) };
  });
  return { weather, trace };
}

/** The share of packets that came, yet too late for a delay that never changes; `delayMs` is capture to playing. */
export function lateShare(trace: readonly Flight[], delayMs: number): number {
  const came = trace.filter(({ receivedAt }) => receivedAt !== undefined);
  return came.filter(({ capturedAt, receivedAt }) => receivedAt! - capturedAt > delayMs).length / came.length;
}
