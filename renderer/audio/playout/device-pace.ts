/** What the device took is looked at in spans of 2 s. */
const spanMs = 2000;
/** A device that is behind by so much more than a span ago left that much out; clocks drift apart by 0.4 ms at most. */
const droppedMsMin = 10;
/** More than this is a computer that slept, or a device that was changed. */
const droppedMsMax = 1000;
/** In so many spans of a minute something must be left out: one may be anybody's bad moment. */
const spansMin = 3;
const withinMs = 60_000;

/**
 * Whether the device keeps time. One that is asked for little at a time, for less delay, drops what the computer, with all
 * else it does, brings too late; what it then plays is torn, though enough of it waits.
 */
export class DevicePace {
  readonly #drops: number[] = [];
  #spanSince: number | undefined;
  /** By how much less was taken than time passed: the least of this span, and of the one before. */
  #least = Infinity;
  #before = Infinity;
  #underruns = 0;
  #isKept = true;

  /**
   * Looks at `now`, when the device took `takenMs` of sound since it began and found nothing `underruns` times: what we did
   * not have is not the device's fault. False when it keeps dropping.
   */
  keeps(now: number, takenMs: number, underruns: number): boolean {
    this.#spanSince ??= now;
    this.#least = Math.min(this.#least, now - takenMs);
    if (now - this.#spanSince < spanMs) return this.#isKept;
    const droppedMs = this.#least - this.#before;
    const isOurs = underruns !== this.#underruns;
    if (!isOurs && droppedMs >= droppedMsMin && droppedMs <= droppedMsMax) this.#drops.push(now);
    this.#spanSince = now;
    this.#before = this.#least;
    this.#least = Infinity;
    this.#underruns = underruns;
    if (this.#drops.length > spansMin) this.#drops.shift();
    this.#isKept = this.#drops.filter((at) => now - at < withinMs).length < spansMin;
    return this.#isKept;
  }
}
