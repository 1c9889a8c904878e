import type { Millis } from "../../api/ids.ts";
import { limits } from "../../api/limits.ts";
import type { Deadline } from "../machine.ts";
import { millis } from "../../api/ids.ts";
import { RoundTrip } from "./round-trip.ts";

/** Bytes of a message in one fragment: a link message less the frame's own head. */
export const fragmentBytes = limits.linkMessageBytesMax - 8;
/** The longest message: a relay view with every field full is 31 KiB, a usual one 2. More is hostile or a bug. */
export const laneMessageBytesMax = 65_536;
/** Fragments of the longest message, all full as we send them: a far end that sends crumbs is hostile too. */
const messageFragmentsMax = Math.ceil(laneMessageBytesMax / fragmentBytes);
/** Fragments on the way at once, and buffered out of order at the receiver. */
const windowFragments = 32;
/** Messages waiting to be sent: a peer that reads nothing for long is cut off rather than remembered. */
const queueFragmentsMax = 512;
/** First retransmission before a round trip was measured (RFC 6298, section 2). */
const timeoutMsFirst = 1000;
const timeoutMsMin = 200;
const timeoutMsMax = 4000;

interface Outgoing {
  readonly sequence: number;
  readonly last: boolean;
  readonly bytes: Uint8Array;
  sentAt: Millis | undefined;
  firstSentAt: Millis | undefined;
  resends: number;
}

interface Incoming {
  readonly last: boolean;
  readonly bytes: Uint8Array;
}

/** What a lane sends: a fragment, or the number of the next fragment it waits for. */
export type LaneFrame =
  | { readonly kind: "fragment"; readonly sequence: number; readonly last: boolean; readonly bytes: Uint8Array }
  | { readonly kind: "ack"; readonly next: number };

/**
 * Ordered, acknowledged messages over links that may lose, reorder, and be replaced ([SS1]–[SS3]).
 * Lives in a session, so that a new link continues where the old one fell.
 */
export class ReliableLane {
  #nextSequence = 0;
  readonly #waiting: Outgoing[] = [];
  #nextExpected = 0;
  readonly #ahead = new Map<number, Incoming>();
  #parts: Uint8Array[] = [];
  #partBytes = 0;
  #smoothedRttMs: number | undefined;
  readonly roundTrip = new RoundTrip();
  readonly #emit: (frame: LaneFrame) => void;

  constructor(emit: (frame: LaneFrame) => void) {
    this.#emit = emit;
  }

  /** Queues one message. False when the far end has not read for so long that the session is to be given up. */
  send(message: Uint8Array, now: Millis): boolean {
    const count = Math.max(1, Math.ceil(message.length / fragmentBytes));
    if (this.#waiting.length + count > queueFragmentsMax) return false;
    for (let index = 0; index < count; index++) {
      this.#waiting.push({
        sequence: this.#nextSequence++,
        last: index === count - 1,
        bytes: message.subarray(index * fragmentBytes, (index + 1) * fragmentBytes),
        sentAt: undefined,
        firstSentAt: undefined,
        resends: 0,
      });
    }
    this.#sendNew(now);
    return true;
  }

  /**
   * Takes a fragment and returns the messages it completed, in order.
   * @returns `"overflow"` when the far end sends a message longer than `laneMessageBytesMax`, or in crumbs.
   */
  receive(sequence: number, last: boolean, bytes: Uint8Array): Uint8Array[] | "overflow" {
    const messages: Uint8Array[] = [];
    if (sequence >= this.#nextExpected && sequence < this.#nextExpected + windowFragments) {
      this.#ahead.set(sequence, { last, bytes });
    }
    for (let part = this.#ahead.get(this.#nextExpected); part; part = this.#ahead.get(this.#nextExpected)) {
      this.#ahead.delete(this.#nextExpected++);
      this.#parts.push(part.bytes);
      this.#partBytes += part.bytes.length;
      if (this.#partBytes > laneMessageBytesMax || this.#parts.length > messageFragmentsMax) return "overflow";
      if (part.last) messages.push(this.#takeMessage());
    }
    this.#emit({ kind: "ack", next: this.#nextExpected });
    return messages;
  }

  /** Everything below `next` arrived. */
  acknowledge(next: number, now: Millis): void {
    while (this.#waiting[0] && this.#waiting[0].sequence < next && this.#waiting[0].sentAt !== undefined) {
      const done = this.#waiting.shift();
      // Karn's rule: a resent fragment says nothing about the round trip.
      if (done?.sentAt !== undefined && done.resends === 0) this.#learnRtt(now - done.sentAt);
    }
    this.#sendNew(now);
  }

  /** A link was replaced: what is on the way is sent again at once, on whatever link serves now. */
  resume(now: Millis): void {
    for (const fragment of this.#onTheWay()) this.#transmit(fragment, now);
  }

  handleTimeout(now: Millis): void {
    const oldest = this.#waiting[0];
    if (oldest?.sentAt === undefined || now < oldest.sentAt + this.#timeoutMs(oldest)) return;
    for (const fragment of this.#onTheWay()) {
      fragment.resends++;
      this.#transmit(fragment, now);
    }
  }

  /** Since when the far end owes an answer. */
  get unansweredSince(): Millis | undefined {
    return this.#waiting[0]?.firstSentAt;
  }

  deadline(): Deadline | undefined {
    const oldest = this.#waiting[0];
    if (oldest?.sentAt === undefined) return undefined;
    return { at: millis(oldest.sentAt + this.#timeoutMs(oldest)), reason: "resend on the reliable lane" };
  }

  #timeoutMs(fragment: Outgoing): number {
    const base = this.#smoothedRttMs === undefined ? timeoutMsFirst : Math.max(timeoutMsMin, 3 * this.#smoothedRttMs);
    return Math.min(timeoutMsMax, base * 2 ** Math.min(fragment.resends, 5));
  }

  #learnRtt(sampleMs: number): void {
    this.roundTrip.learn(sampleMs);
    this.#smoothedRttMs = this.#smoothedRttMs === undefined ? sampleMs : 0.875 * this.#smoothedRttMs + 0.125 * sampleMs;
  }

  #onTheWay(): Outgoing[] {
    return this.#waiting.slice(0, windowFragments).filter((fragment) => fragment.sentAt !== undefined);
  }

  #sendNew(now: Millis): void {
    for (const fragment of this.#waiting.slice(0, windowFragments)) {
      if (fragment.sentAt === undefined) this.#transmit(fragment, now);
    }
  }

  #transmit(fragment: Outgoing, now: Millis): void {
    fragment.sentAt = now;
    fragment.firstSentAt ??= now;
    this.#emit({ kind: "fragment", sequence: fragment.sequence, last: fragment.last, bytes: fragment.bytes });
  }

  #takeMessage(): Uint8Array {
    const message = new Uint8Array(this.#partBytes);
    let offset = 0;
    for (const part of this.#parts) {
      message.set(part, offset);
      offset += part.length;
    }
    this.#parts = [];
    this.#partBytes = 0;
    return message;
  }
}
