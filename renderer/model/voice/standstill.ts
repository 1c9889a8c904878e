import type { Timers } from "../timers.ts";

/** So often it is looked while nobody speaks; who speaks looks with every packet. A hidden page is let run once a second. */
const lookMs = 1000;

/**
 * Notices that nothing ran in this window for longer than `msMin`: the computer slept, or the page was frozen. The clock by
 * which timers run may have slept too (Linux and macOS), and the wall clock may have been set; whichever passed more counts.
 */
export class Standstill {
  readonly #timers: Timers;
  readonly #wallClock: () => number;
  readonly #msMin: number;
  readonly #onStood: () => void;
  #at = 0;
  #wallAt = 0;
  #endLook: (() => void) | undefined;

  /** `wallClock` tells Unix ms; `onStood` is called once for each standstill, by whoever looks first after it. */
  constructor(timers: Timers, wallClock: () => number, msMin: number, onStood: () => void) {
    this.#timers = timers;
    this.#wallClock = wallClock;
    this.#msMin = msMin;
    this.#onStood = onStood;
  }

  /** Looks from now on, until `end`. */
  begin(): void {
    if (this.#endLook !== undefined) return;
    this.#note();
    this.#lookOn();
  }

  end(): void {
    this.#endLook?.();
    this.#endLook = undefined;
  }

  /** True when nothing ran here since the last look; the first to ask is told. Ignored before `begin`. */
  look(): boolean {
    if (this.#endLook === undefined) return false;
    const stoodMs = Math.max(this.#timers.now() - this.#at, this.#wallClock() - this.#wallAt);
    this.#note();
    if (stoodMs < this.#msMin) return false;
    this.#onStood();
    return true;
  }

  #lookOn(): void {
    this.#endLook = this.#timers.after(lookMs, () => {
      this.#lookOn();
      this.look();
    });
  }

  #note(): void {
    this.#at = this.#timers.now();
    this.#wallAt = this.#wallClock();
  }
}
