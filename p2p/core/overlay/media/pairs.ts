import { limits } from "../../../api/limits.ts";
import type { Millis } from "../../../api/ids.ts";
import type { Passed } from "./spread.ts";

/** Longest that the first of a pair waits: its tick, and what the second may be late. */
const pairMs = 1.5 * limits.packetMs;

/**
 * Leaves on the low layer get two ticks in one message ([OV44]): what is around a message weighs as much as what is in it,
 * and 40 ms later is a fair price where data is dear.
 */
export class Pairs {
  readonly #send: (packets: readonly Passed[], now: Millis) => void;
  #packets: Passed[] = [];
  #openedAt: Millis | undefined;

  constructor(send: (packets: readonly Passed[], now: Millis) => void) {
    this.#send = send;
  }

  add(packets: readonly Passed[], now: Millis): void {
    if (packets.length === 0) return;
    const second = this.#packets.some(({ voiceId }) => packets.some((packet) => packet.voiceId === voiceId));
    this.#packets.push(...packets);
    this.#openedAt ??= now;
    if (second) this.#flush(now);
  }

  handleTimeout(now: Millis): void {
    if (now >= this.dueAt) this.#flush(now);
  }

  /** When what waits is sent; infinite while nothing waits. */
  get dueAt(): number {
    return this.#openedAt === undefined ? Infinity : this.#openedAt + pairMs;
  }

  #flush(now: Millis): void {
    const packets = this.#packets;
    this.#packets = [];
    this.#openedAt = undefined;
    this.#send(packets, now);
  }
}
