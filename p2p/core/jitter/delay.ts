import { limits } from "../../api/limits.ts";
import { Histogram } from "./histogram.ts";

/** The share of packets in order that must come within the target (NetEQ, delay_manager.h: quantile 0.95). */
const inTimeShare = 0.95;
/** What remains of the past with each packet (NetEQ: forget 0.983): a burst of 3 raises the target, 7 s lower it. */
const forget = 0.983;
/** The same for packets out of order and lost ones, which are rarer (NetEQ: reorder_forget 0.9993). */
const reorderForget = 0.9993;
/** 20 ms more delay must save one packet in a hundred (NetEQ: ms_per_loss_percent 20). */
const msPerLossPercent = 20;
/** Packets among which the fastest is looked for: 2 s (NetEQ, relative arrival delay tracker: 2 s). */
const historyPackets = 2000 / limits.packetMs;
/** After such a silence sound cards may have drifted apart by several ms: what was the fastest way is unknown again. */
const historyMsMax = 60_000;
/** Until half a second was heard, nobody knows the network: the target of NetEQ's start (80 ms) is the least. */
const learningPackets = 500 / limits.packetMs;
const learningMs = 80;
/** Less is asked of no network: timers and sound devices alone scatter by as much. */
const targetMsMin = 20;
/** A conversation cannot be had with more; what is later is lost. */
const targetMsMax = 500;

/**
 * How late packets come, measured against the fastest of the last two seconds, and what delay that asks for. Two
 * clocks take part, and only differences of each are used: how they relate does not matter.
 */
export class DelayEstimate {
  #inOrder = new Histogram(forget);
  #outOfOrder = new Histogram(reorderForget);
  /** Receipt less media time of the newest packets, in a ring. */
  readonly #offsets: number[] = [];
  #at = 0;
  #count = 0;
  #lastReceivedAt = Number.NEGATIVE_INFINITY;
  #baseMs = 0;
  #targetMs = learningMs;

  /** Receipt less media time of the fastest packet: media time plus this plus the target is when to play. */
  get baseMs(): number {
    return this.#baseMs;
  }

  /** What to wait after the fastest packets, in ms. */
  get targetMs(): number {
    return this.#targetMs;
  }

  /**
   * Takes a packet as it arrives. `missingBefore` packets of its own sequence are not there yet; -1 says that this one
   * comes after a later one, 0 that nothing is out of order.
   */
  arrived(mediaMs: number, receivedAt: number, missingBefore: number): void {
    if (receivedAt - this.#lastReceivedAt > historyMsMax) this.#offsets.length = this.#at = 0;
    this.#lastReceivedAt = receivedAt;
    const offset = receivedAt - mediaMs;
    this.#offsets[this.#at] = offset;
    this.#at = (this.#at + 1) % historyPackets;
    this.#baseMs = Math.min(...this.#offsets);
    const delayMs = offset - this.#baseMs;
    this.#count += 1;
    // What no delay can mend teaches nothing: after a stall of seconds the target would stay at its greatest.
    if (delayMs > targetMsMax) return;
    if (missingBefore >= 0) this.#inOrder.add(delayMs);
    this.#outOfOrder.add(missingBefore >= 0 ? 0 : delayMs);
    // The one right before it can be rebuilt from now on: that is when it came, though late by a packet.
    if (missingBefore > 0) this.#outOfOrder.add(delayMs + limits.packetMs);
    this.#targetMs = this.#target();
  }

  #target(): number {
    const least = this.#count < learningPackets ? learningMs : targetMsMin;
    const wanted = Math.max(this.#inOrder.quantile(inTimeShare), this.#outOfOrder.cheapest(msPerLossPercent));
    return Math.min(targetMsMax, Math.max(least, wanted));
  }
}
