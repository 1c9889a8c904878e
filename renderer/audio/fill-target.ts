/** What waits for the sound device at least and at most, in ms: a worker's timers scatter by several ms. */
const fillMs = { start: 40, min: 30, max: 160 } as const;
/** What one underrun adds. */
const riseMs = 20;
/** A quiet half minute gives 10 ms back. */
const fallAfterMs = 30_000;
const fallMs = 10;

/** How much sound must wait for the device: as little as this machine, with all else it does, lets us. */
export class FillTarget {
  #targetMs: number = fillMs.start;
  #underruns = 0;
  #changedAt: number;

  constructor(now: number) {
    this.#changedAt = now;
  }

  /** The target in ms at `now`, when the device has found nothing `underruns` times since the start. */
  at(now: number, underruns: number): number {
    if (underruns !== this.#underruns) {
      // Underruns that follow each other at once have one cause.
      if (now - this.#changedAt >= 100) this.#set(Math.min(fillMs.max, this.#targetMs + riseMs), now);
      this.#underruns = underruns;
    } else if (now - this.#changedAt >= fallAfterMs) {
      this.#set(Math.max(fillMs.min, this.#targetMs - fallMs), now);
    }
    return this.#targetMs;
  }

  #set(targetMs: number, now: number): void {
    this.#targetMs = targetMs;
    this.#changedAt = now;
  }
}
