import { type Millis, millis } from "../../../api/ids.ts";

/** A clock that differs less than this from the relays' is believed: nothing of ours expires that fast. */
const trustedMsMax = 5 * 60_000;
const samplesMax = 16;
/** Nothing of ours is older than 2025, and no capability can be dated beyond 2106: who says so has no clock at all. */
const timeMsMin = 1_735_689_600_000;
const timeMsMax = 4_102_444_800_000;

/** Knows the time better than a computer whose clock is wrong: the median of what relays said ([RM23]). */
export class ClockCheck {
  readonly #offsets: number[] = [];

  /** A relay said it is `time`. */
  learn(time: number, now: Millis): void {
    if (time < timeMsMin || time > timeMsMax) return;
    this.#offsets.push(time - now);
    if (this.#offsets.length > samplesMax) this.#offsets.shift();
  }

  get knows(): boolean {
    return this.#offsets.length > 0;
  }

  /** The time to judge expiry by. */
  now(now: Millis): Millis {
    const sorted = this.#offsets.slice().sort((a, b) => a - b);
    const median = sorted[sorted.length >> 1] ?? 0;
    return Math.abs(median) > trustedMsMax ? millis(now + median) : now;
  }
}
