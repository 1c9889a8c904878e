/** What waits for the sound device at least and at most, in ms: less than the least, and a timer that is late is heard. */
const fillMs = { min: 12, max: 160 } as const;
/** What is to be left when we come back after our longest absence, in ms, beside a quarter of that absence. */
const spareMs = 8;
const spareShare = 0.25;
/** Absences are remembered in spans of 2 s, for half a minute: what was busy once may be so again, and is delay for all until then. */
const spanMs = 2000;
const spans = 15;
/**
 * In the first 5 s, while the page still loads, absences are at least what a worker's timers scatter by on a computer with
 * other things to do, and longer ones say nothing of the time after.
 */
const absenceMsAtFirst = 26;
const settlingMs = 5000;
/** Longer absences are those of a computer that slept: no fill would have bridged them. */
const absenceMsMax = 1000;

/**
 * How much sound must wait for the device: as little as this computer, with all else it does, lets us. It looks at how
 * long the device had to play from what was there, so that it need not run dry first to be known. Allocates nothing.
 */
export class FillTarget {
  /** The longest absence of each span, the one of now at `#at`. */
  readonly #absences = new Float64Array(spans);
  #at = 0;
  #spanSince: number;
  readonly #settlesAt: number;
  #settled = false;
  #lookedAt: number;
  #leftMs = 0;

  constructor(now: number) {
    this.#spanSince = this.#lookedAt = now;
    this.#settlesAt = now + settlingMs;
  }

  /** Tells the target in ms at `now`, while `filledMs` wait for the device. */
  at(now: number, filledMs: number): number {
    if (now - this.#spanSince >= spanMs) {
      this.#spanSince = now;
      this.#at = (this.#at + 1) % spans;
      this.#absences[this.#at] = 0;
    }
    // By the clock, and by what the device took: it may take much at once.
    const absenceMs = Math.max(now - this.#lookedAt, this.#leftMs - filledMs);
    if (!this.#settled && now >= this.#settlesAt) {
      this.#settled = true;
      this.#absences.fill(0);
    }
    if (absenceMs <= absenceMsMax) this.#absences[this.#at] = Math.max(this.#absences[this.#at]!, absenceMs);
    this.#lookedAt = now;
    let longest = this.#settled ? 0 : absenceMsAtFirst;
    for (let index = 0; index < spans; index += 1) longest = Math.max(longest, this.#absences[index]!);
    return Math.min(fillMs.max, Math.max(fillMs.min, longest * (1 + spareShare) + spareMs));
  }

  /** Tells what waits for the device after it was filled. */
  left(filledMs: number): void {
    this.#leftMs = filledMs;
  }
}
