import { limits } from "../../api/limits.ts";

const windowPackets = limits.replayWindowPackets;

/** What a window says of a sequence number. `too-far`: further ahead than `limits.packetsAheadMax`. */
export type ReplayVerdict = "fresh" | "duplicate" | "too-old" | "too-far";

/**
 * The packets already seen of one voice in one layer, after RFC 4303, appendix A2: the newest sequence number and a
 * mark for each of the `limits.replayWindowPackets` up to it. The first packet opens it anywhere. `judge` changes
 * nothing, so that only what is signed moves the window ([PK8]).
 */
export class ReplayWindow {
  /** One byte a packet, at its sequence number modulo the window. */
  readonly #seen = new Uint8Array(windowPackets);
  #newest: number | undefined;

  judge(sequence: number): ReplayVerdict {
    if (this.#newest === undefined) return "fresh";
    if (sequence > this.#newest) return sequence - this.#newest > limits.packetsAheadMax ? "too-far" : "fresh";
    if (this.#newest - sequence >= windowPackets) return "too-old";
    return this.#seen[sequence % windowPackets] === 1 ? "duplicate" : "fresh";
  }

  /** Marks a packet, and moves the window when it is the newest. Not for one that was judged too old. */
  accept(sequence: number): void {
    const newest = this.#newest ?? sequence;
    if (sequence - newest >= windowPackets) this.#seen.fill(0);
    else for (let next = newest + 1; next <= sequence; next++) this.#seen[next % windowPackets] = 0;
    this.#seen[sequence % windowPackets] = 1;
    this.#newest = Math.max(newest, sequence);
  }
}
