/** Delays finer than this are not told apart: no timer of a browser does. */
export const bucketMs = 5;
/** Delays up to 1 s; what is later counts as 1 s. */
const bucketCount = 200;
/**
 * How fast the first packets may shape the whole: each weighs this much over the count so far (NetEQ,
 * delay_manager.h: start_forget_weight 2).
 */
const startForgetWeight = 2;

/**
 * Delay beyond this counts threefold: with the ways, coding and devices, it takes a listener from the 250 to 400 ms that
 * ITU-T G.114 bears. Without it, the few packets that come last of all decide, and all others wait 20 ms longer for them.
 */
const dearFromMs = 220;
const dearWeight = 2;

/** Shares of packets by delay, in which old packets weigh less and less. */
export class Histogram {
  readonly #shares = new Float64Array(bucketCount);
  /** What remains of the past with each packet. */
  readonly #forget: number;
  #count = 0;

  constructor(forget: number) {
    this.#forget = forget;
  }

  /** Forgets all. */
  reset(): void {
    this.#shares.fill(0);
    this.#count = 0;
  }

  /** Takes one delay in ms; what is below 0 counts as 0. */
  add(delayMs: number): void {
    this.#count += 1;
    const forget = Math.min(this.#forget, Math.max(0, 1 - startForgetWeight / (this.#count + 1)));
    for (let index = 0; index < bucketCount; index += 1) this.#shares[index]! *= forget;
    const bucket = Math.min(bucketCount - 1, Math.max(0, Math.floor(delayMs / bucketMs)));
    this.#shares[bucket]! += 1 - forget;
  }

  /** The delay in ms, a multiple of `bucketMs`, within which this share of packets came; 0 before the first. */
  quantile(share: number): number {
    // Sums of shares are a hair below 1.
    const wanted = share - 1e-9;
    let within = 0;
    for (let index = 0; index < bucketCount && this.#count > 0; index += 1) {
      within += this.#shares[index]!;
      if (within >= wanted) return (index + 1) * bucketMs;
    }
    return this.#count === 0 ? 0 : bucketCount * bucketMs;
  }

  /**
   * The delay in ms at which waiting longer no longer pays: a wait of `msPerLossPercent` must save one packet in a
   * hundred, and three times as many from 220 ms on. Packets in the first bucket come for nothing.
   */
  cheapest(msPerLossPercent: number): number {
    let beyond = 1 - this.#shares[0]!;
    let best = 0;
    let lowest = beyond * 100 * msPerLossPercent;
    for (let index = 1; index < bucketCount && this.#count > 0; index += 1) {
      beyond -= this.#shares[index]!;
      const delayMs = (index + 1) * bucketMs;
      const dearMs = Math.max(0, delayMs - dearFromMs) * dearWeight;
      const cost = delayMs + dearMs + beyond * 100 * msPerLossPercent;
      if (cost < lowest) [best, lowest] = [delayMs, cost];
    }
    return this.#count === 0 ? 0 : best;
  }
}
