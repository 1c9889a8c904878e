/** What is later than expected by less is a thread that was busy; by more, sound was lost on the way. */
const lateMsMax = 100;
/** The two clocks drift apart by 0.1 ms a second at most: twice that, for a block of 20 ms. */
const driftShare = 0.0002;

/** What waited so much longer than others nobody waits for: the room went on, and who said it may be gone. */
const staleMsMin = 1000;

/**
 * Tells packets that waited on their way, as before a page that stood still. Against the youngest that came, so that it does
 * not matter how the clocks of two threads relate.
 */
export class Staleness {
  #leastMs = Infinity;

  /** Whether a packet that was captured at `capturedAt` is stale at `now`; ms of any two clocks. */
  isStale(capturedAt: number, now: number): boolean {
    const ageMs = now - capturedAt;
    this.#leastMs = Math.min(this.#leastMs, ageMs);
    return ageMs - this.#leastMs > staleMsMin;
  }
}

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
