import type { Timers } from "./edges.ts";
import type { Unsubscribe } from "./types.ts";

/** A part that failed is given this many new starts in a minute; the first ones come fast. */
const restartsMax = 4;
const withinMs = 60_000;
const waitMs = 250;

/** Starts again what failed, and knows when that helps no more. */
export class Restarts {
  readonly #timers: Timers;
  #times: number[] = [];
  #cancel: Unsubscribe | undefined;

  constructor(timers: Timers) {
    this.#timers = timers;
  }

  /** Runs `start` soon. False, and it does not, when it was needed too often. */
  again(start: () => void): boolean {
    const now = this.#timers.now();
    this.#times = this.#times.filter((time) => now - time < withinMs);
    if (this.#times.length >= restartsMax) return false;
    this.#times.push(now);
    this.#cancel?.();
    this.#cancel = this.#timers.after(waitMs * this.#times.length, start);
    return true;
  }

  /** What was to run does not. */
  cancel(): void {
    this.#cancel?.();
    this.#cancel = undefined;
  }
}
