import { millis, type Millis } from "../../../p2p/api/ids.ts";
import type { Clock } from "../../../p2p/engine/ports.ts";

/** A clock that stands still until it is told: time is an input of these tests. */
export class ManualClock implements Clock {
  #now = 1_000_000;
  readonly #wakes = new Set<{ readonly at: number; readonly callback: () => void }>();

  now(): Millis {
    return millis(this.#now);
  }

  wakeAt(at: Millis, callback: () => void): () => void {
    const wake = { at, callback };
    this.#wakes.add(wake);
    return () => void this.#wakes.delete(wake);
  }

  /** Wake-ups that are set. */
  get waiting(): number {
    return this.#wakes.size;
  }

  /** Lets time pass, waking everybody at their own moment. */
  advance(ms: number): void {
    const end = this.#now + ms;
    for (;;) {
      const next = [...this.#wakes].filter(({ at }) => at <= end).sort((left, right) => left.at - right.at)[0];
      if (next === undefined) break;
      this.#now = Math.max(this.#now, next.at);
      this.#wakes.delete(next);
      next.callback();
    }
    this.#now = end;
  }

  /** Lets time pass as for a process that was not scheduled: everybody wakes only at its end. */
  stall(ms: number): void {
    this.#now += ms;
    this.advance(0);
  }
}
