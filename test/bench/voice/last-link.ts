import { MissingPackets } from "../../../p2p/core/jitter/requests.ts";
import { limits } from "../../../p2p/api/limits.ts";
import { Rng } from "../../../p2p/core/rng.ts";
import type { Flight } from "../../core/jitter/listener.ts";

/** Gilbert and Elliott's channel: loses everything while it is bad, nothing while it is good. */
export class LossChannel {
  readonly #rng: Rng;
  readonly #toBad: number;
  readonly #toGood: number;
  #bad = false;

  /** `burst`: packets lost in a row, on average. */
  constructor(rng: Rng, lossShare: number, burst: number) {
    this.#rng = rng;
    this.#toGood = 1 / burst;
    this.#toBad = lossShare / (1 - lossShare) / burst;
  }

  /** Whether the next packet is lost. */
  loses(): boolean {
    if (this.#rng.next() < (this.#bad ? this.#toGood : this.#toBad)) this.#bad = !this.#bad;
    return this.#bad;
  }
}

/** A listener's access line, on whose far side both parent and backup stand. */
export interface LastLink {
  readonly seed: string;
  readonly packets: number;
  readonly lossShare: number;
  readonly burst: number;
  readonly roundTripMs: number;
  /** Mean of the exponential scatter of each packet's way. */
  readonly jitterMs: number;
  /** Whether missing packets are asked for, as `MissingPackets` says. Each way crosses the same line again. */
  readonly requests: boolean;
}

/** What came of each packet, and what was sent for it. */
export interface Crossing {
  readonly trace: readonly Flight[];
  readonly requestsSent: number;
  readonly answersSent: number;
}

/** Sends packets of a voice over the link, 40 ms apart. Times in ms. */
export function cross(link: LastLink): Crossing {
  const rng = new Rng(link.seed);
  const down = new LossChannel(new Rng(`${link.seed} down`), link.lossShare, link.burst);
  const up = new LossChannel(new Rng(`${link.seed} up`), link.lossShare, link.burst);
  const oneWay = (): number => link.roundTripMs / 2 - link.jitterMs * Math.log(1 - rng.next());
  const missing = new MissingPackets({ parent: link.roundTripMs, backup: link.roundTripMs });
  const receivedAt = new Map<number, number>();
  const events: { readonly at: number; run(now: number): void }[] = [];
  const at = (time: number, run: (now: number) => void): void => {
    let index = events.length;
    while (index > 0 && events[index - 1]!.at < time) index -= 1;
    events.splice(index, 0, { at: time, run });
  };
  let requestsSent = 0;
  let answersSent = 0;
  let alarmAt = 0;
  const ask = (now: number): void => {
    for (let one = missing.due(now); one !== undefined; one = missing.due(now)) {
      requestsSent += 1;
      const { sequence } = one;
      if (up.loses()) continue;
      at(now + oneWay(), (then) => {
        answersSent += 1;
        send(sequence, then);
      });
    }
    const { deadline } = missing;
    // One alarm is enough: each arrival looks too.
    if (deadline === undefined || (alarmAt > now && alarmAt <= deadline)) return;
    alarmAt = deadline;
    at(deadline, ask);
  };
  const send = (sequence: number, now: number): void => {
    if (down.loses()) return;
    at(now + oneWay(), (then) => {
      if (receivedAt.has(sequence)) return;
      receivedAt.set(sequence, then);
      missing.arrived(sequence, then);
      if (link.requests) ask(then);
    });
  };
  for (let sequence = 0; sequence < link.packets; sequence += 1)
    at(1000 + sequence * limits.packetMs, (now) => send(sequence, now));
  for (let next = events.pop(); next !== undefined; next = events.pop()) next.run(next.at);
  const trace = Array.from({ length: link.packets }, (_, sequence): Flight => {
    return { sequence, capturedAt: 1000 + sequence * limits.packetMs, receivedAt: receivedAt.get(sequence) };
  });
  return { trace, requestsSent, answersSent };
}

/**
 * The share of packets that neither came nor could be rebuilt from their successor within a delay that never changes;
 * `delayMs` is capture to playing.
 */
export function constantMissing(trace: readonly Flight[], delayMs: number): number {
  const by = (flight: Flight | undefined, dueAt: number): boolean =>
    flight?.receivedAt !== undefined && flight.receivedAt <= dueAt;
  const absent = trace.filter((flight, index) => {
    const dueAt = flight.capturedAt + delayMs;
    return !by(flight, dueAt) && !by(trace[index + 1], dueAt);
  });
  return absent.length / trace.length;
}

/** The least constant delay, capture to playing, with no more missing than that; found knowing all of the trace. */
export function bestConstantDelay(trace: readonly Flight[], missingShare: number): number {
  let delayMs = 0;
  while (delayMs < 2000 && constantMissing(trace, delayMs) > missingShare + 1e-9) delayMs += 1;
  return delayMs;
}
