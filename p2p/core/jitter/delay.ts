import { limits } from "../../api/limits.ts";
import { bucketMs, Histogram } from "./histogram.ts";

/**
 * The share of packets in order, spikes counted once, for which the playout must not have to wait. NetEQ (delay_manager.h)
 * has 0.95, and counts each packet of a spike. A wait loses no word: who converses has one in 2.7 s rather than more delay.
 * Who listens has one in 10 s, for 3 ms more where packets scatter by 10 ms: waits, and what gives them back, cost some 0.003 of
 * intelligibility (`npm run bench -- Q`). From 0.998 on the longer delay is of more use to lost packets than to these ([JB9]).
 */
const inTimeShare = { listening: 0.996, conversing: 0.985 } as const;
/**
 * What remains of the past with each packet: half a bad time is forgotten in 9 s. (NetEQ: 0.983 for those in order; 0.9993
 * for others, which holds on for 40 s.)
 */
const forget = 0.997;
/**
 * So much more delay must save one packet in a hundred. Who converses: 20, as NetEQ has it. Who listens: ITU-T G.114 lets
 * them wait 250 to 400 ms, and a word that is missing is missing for good. Of 160, 200, 240 and 300 the least that, with
 * requests answered over 80 ms of round trip, leaves no more than 1 % missing at 10 % lost (`npm run bench -- T10`).
 */
const msPerLossPercent = { listening: 240, conversing: 20 } as const;
/** Packets among which the fastest is looked for: 2 s (NetEQ, relative arrival delay tracker: 2 s). */
const historyPackets = 2000 / limits.packetMs;
/** After such a silence sound cards may have drifted apart by several ms: what was the fastest way is unknown again. */
const historyMsMax = 60_000;
/** Until half a second was heard, nobody knows the network: the target of NetEQ's start (80 ms) is the least. */
const learningPackets = 500 / limits.packetMs;
const learningMs = 80;
/**
 * What playout lacks of its target by less than 5 ms is let be: below 20 ms, where that would be most of the target, the
 * target has it on top.
 */
const lackMs = bucketMs;
const nearMs = 20;
/** As fine as delays are told apart, and the lack. */
const targetMsMin = bucketMs + lackMs;
/**
 * What is later is lost. Who converses talks into others whose answers are late: with the ways there and back, coding and
 * devices, 150 ms here stay within the 400 that G.114 lets a conversation bear.
 */
const targetMsMax = { listening: 500, conversing: 150 } as const;

/** What a listener does: just listen, or take part, so that delay is in the way. */
export type Attention = keyof typeof targetMsMax;
/** How fast delay above the target is given back, for each packet: about one period of a voice. */
const givenBackMs = 8;

/** What a packet that arrives says of the order on its way. */
export type Order =
  /** All before it are there. */
  | "next"
  /** Some before it are missing; the one right before it can be rebuilt from it. */
  | "after-gap"
  /** A later one came before it, and it was needed: nothing there to rebuild it from. */
  | "filled-gap"
  /** A later one came before it; it could have been rebuilt. */
  | "overtaken";

/**
 * How late packets come, measured against the fastest of the last two seconds, and what delay that asks for. Two
 * clocks take part, and only differences of each are used: how they relate does not matter, and that they drift apart
 * is followed within two seconds.
 */
export class DelayEstimate {
  /** Takes effect with the next packet. */
  attention: Attention = "listening";
  readonly #inOrder = new Histogram(forget);
  readonly #outOfOrder = new Histogram(forget);
  /** Receipt less media time of the newest packets, in a ring. */
  readonly #offsets = new Float64Array(historyPackets);
  #at = 0;
  #held = 0;
  #count = 0;
  #lastReceivedAt = Number.NEGATIVE_INFINITY;
  #baseMs = 0;
  #targetMs = learningMs;
  /** Spike mode: what the playout already waits, because of a late packet a moment ago. */
  #spikeMs = 0;

  /** Receipt less media time of the fastest packet: media time plus this plus the target is when to play. */
  get baseMs(): number {
    return this.#baseMs;
  }

  /** What to wait after the fastest packets, in ms. */
  get targetMs(): number {
    return this.#targetMs;
  }

  /** Begins anew, with nothing known. */
  reset(): void {
    this.#inOrder.reset();
    this.#outOfOrder.reset();
    this.#at = this.#held = this.#count = 0;
    this.#lastReceivedAt = Number.NEGATIVE_INFINITY;
    this.#targetMs = learningMs;
    this.#spikeMs = 0;
  }

  /** Takes a packet as it arrives, with its place in time and in the order. */
  arrived(mediaMs: number, receivedAt: number, order: Order): void {
    if (receivedAt - this.#lastReceivedAt > historyMsMax) this.#at = this.#held = 0;
    this.#lastReceivedAt = receivedAt;
    const offset = receivedAt - mediaMs;
    this.#remember(offset);
    const delayMs = offset - this.#baseMs;
    this.#count += 1;
    const isPeak = this.#isPeak(delayMs);
    // What no delay can mend teaches nothing: after a stall of seconds the target would stay at its greatest.
    if (delayMs > targetMsMax.listening) return;
    const inOrder = order === "next" || order === "after-gap";
    if (inOrder) this.#inOrder.add(isPeak ? delayMs : 0);
    if (order !== "overtaken") this.#outOfOrder.add(inOrder ? 0 : delayMs);
    // The one right before it can be rebuilt from now on: that is when it came, though late by a packet.
    if (order === "after-gap") this.#outOfOrder.add(delayMs + limits.packetMs);
    this.#targetMs = this.#target();
  }

  /**
   * Whether the playout, which waits for a late packet and then gives the time back bit by bit, would have had to wait
   * again for this one. All that a stalled network lets go at once count as one, the latest.
   */
  #isPeak(delayMs: number): boolean {
    const isPeak = delayMs > this.#spikeMs;
    const restMs = Math.max(0, this.#spikeMs - givenBackMs);
    this.#spikeMs = isPeak ? Math.min(delayMs, targetMsMax.listening) : restMs;
    return isPeak;
  }

  #remember(offset: number): void {
    this.#offsets[this.#at] = offset;
    this.#at = (this.#at + 1) % historyPackets;
    this.#held = Math.min(historyPackets, this.#held + 1);
    let least = offset;
    for (let index = 0; index < this.#held; index += 1) least = Math.min(least, this.#offsets[index]!);
    this.#baseMs = least;
  }

  #target(): number {
    const least = this.#count < learningPackets ? learningMs : targetMsMin;
    const wanted = Math.max(
      this.#inOrder.quantile(inTimeShare[this.attention]),
      this.#outOfOrder.cheapest(msPerLossPercent[this.attention]),
    );
    const safe = Math.max(wanted, Math.min(nearMs, wanted + lackMs));
    return Math.min(targetMsMax[this.attention], Math.max(least, safe));
  }
}
