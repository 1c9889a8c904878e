import { limits } from "../../api/limits.ts";

/** Capture times may scatter by so much around 40 ms a packet. */
export const scatterMs = 60;
/** How far arrival may be off what a clock says before we no longer believe the clock. */
const beliefMs = 1000;

/** What a timeline is told of a packet. */
export interface Moment {
  readonly sequence: number;
  /** By the speaker's clock, in ms. */
  readonly capturedAt: number;
  /** By ours, in ms. */
  readonly receivedAt: number;
}

/**
 * Where each packet of one speaker stands in time: capture time, unless the speaker's clock jumped. A closed
 * microphone, skipped sequence numbers and a jump look alike in two of sequence, capture and arrival; the third tells.
 */
export class Timeline {
  /** Of the packet with the highest number; -1 before the first. */
  #sequence = -1;
  #receivedAt = 0;
  #mediaMs = 0;
  /** Media time less capture time since the last jump. */
  #correctionMs = 0;

  /** Begins anew. */
  reset(): void {
    this.#sequence = -1;
    this.#correctionMs = 0;
  }

  /** The media time of a packet in ms: on the speaker's clock as it was at first. */
  place(packet: Moment): number {
    const mediaMs = packet.capturedAt + this.#correctionMs;
    if (this.#sequence < 0) return this.#accept(packet, mediaMs);
    const bySequence = (packet.sequence - this.#sequence) * limits.packetMs;
    const byCapture = mediaMs - this.#mediaMs;
    if (packet.sequence < this.#sequence) {
      // Of before a jump, or of before a pause: it cannot be later than its sequence says.
      return byCapture <= bySequence + scatterMs ? mediaMs : this.#mediaMs + bySequence;
    }
    if (Math.abs(byCapture - bySequence) <= scatterMs) return this.#accept(packet, mediaMs);
    const byArrival = packet.receivedAt - this.#receivedAt;
    if (byCapture > 0 && Math.abs(byCapture - byArrival) <= beliefMs) return this.#accept(packet, mediaMs);
    const nearSequence = Math.abs(bySequence - byArrival) <= beliefMs;
    const passed = nearSequence ? bySequence : Math.max(byArrival, limits.packetMs);
    this.#correctionMs = this.#mediaMs + passed - packet.capturedAt;
    return this.#accept(packet, this.#mediaMs + passed);
  }

  #accept(packet: Moment, mediaMs: number): number {
    this.#sequence = packet.sequence;
    this.#receivedAt = packet.receivedAt;
    this.#mediaMs = mediaMs;
    return mediaMs;
  }
}
