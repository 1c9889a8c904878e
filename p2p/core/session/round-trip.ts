/** Of so many round trips the least is told: what is above it is queueing, not distance (RFC 6817 does the same for delays). */
const samplesKept = 4;

/** The round trip to one neighbour, as far as it depends on the way and not on the moment. */
export class RoundTrip {
  readonly #samples: number[] = [];

  /** ms; undefined before the first measurement. */
  get leastMs(): number | undefined {
    return this.#samples.length === 0 ? undefined : Math.min(...this.#samples);
  }

  learn(ms: number): void {
    this.#samples.push(Math.max(0, ms));
    if (this.#samples.length > samplesKept) this.#samples.shift();
  }
}
