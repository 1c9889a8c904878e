import assert from "node:assert/strict";
import { limits } from "../../api/limits.ts";

/** Asserts that a message of ours keeps the size limit; to break it is our own bug. */
export function assertMessage(message: Uint8Array): void {
  assert(message.length > 0, "a message has at least one byte");
  assert(message.length <= limits.linkMessageBytesMax, `a message has at most ${limits.linkMessageBytesMax} bytes`);
}

/** Messages that wait for a slow network: `limits.linkQueueMessagesMax` at most, of which the oldest falls. */
export class Outbox {
  #waiting: Uint8Array[] = [];
  #dropped = 0;

  get length(): number {
    return this.#waiting.length;
  }

  get full(): boolean {
    return this.#waiting.length >= limits.linkQueueMessagesMax;
  }

  /** Messages that fell so far. */
  get dropped(): number {
    return this.#dropped;
  }

  /** Appends a message. True when it, as the queue was full, pushed out the oldest. */
  push(message: Uint8Array): boolean {
    const overflow = this.full;
    if (overflow) {
      this.#waiting.shift();
      this.#dropped += 1;
    }
    this.#waiting.push(message);
    return overflow;
  }

  shift(): Uint8Array | undefined {
    return this.#waiting.shift();
  }

  /** Takes everything, oldest first. */
  takeAll(): Uint8Array[] {
    const all = this.#waiting;
    this.#waiting = [];
    return all;
  }

  clear(): void {
    this.#waiting = [];
  }
}
