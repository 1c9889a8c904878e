/** What is later than expected by less is a thread that was busy; by more, sound was lost on the way. */
const lateMsMax = 100;
/** The two clocks drift apart by 0.1 ms a second at most: twice that, for a block of 20 ms. */
const driftShare = 0.0002;

/**
 * When each block of a microphone was captured, from when it came: the earliest arrivals tell, since nothing comes
 * before it was said. Times in ms.
 */
export class CaptureClock {
  #next: number | undefined;

  /** The capture time of the first sample of a block of `blockMs` that came at `at`. */
  captured(at: number, blockMs: number): number {
    const latest = at - blockMs;
    const expected = this.#next;
    const start = expected === undefined || latest < expected || latest > expected + lateMsMax ? latest : expected;
    this.#next = start + blockMs * (1 + driftShare);
    return start;
  }

  /** The next block follows none: the microphone was shut in between. */
  reset(): void {
    this.#next = undefined;
  }
}
