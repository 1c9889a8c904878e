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
  #newest: (Moment & { readonly mediaMs: number }) | undefined;
  /** Media time less capture time since the last jump. */
  #correctionMs = 0;

  /** The media time of a packet in ms: on the speaker's clock as it was at first. */
  place(packet: Moment): number {
    const newest = this.#newest;
    const mediaMs = packet.capturedAt + this.#correctionMs;
    if (newest === undefined) return this.#accept(packet, mediaMs);
    const bySequence = (packet.sequence - newest.sequence) * limits.packetMs;
    const byCapture = mediaMs - newest.mediaMs;
    if (packet.sequence < newest.sequence) {
      // Of before a jump, or of before a pause: it cannot be later than its sequence says.
      return byCapture <= bySequence + scatterMs ? mediaMs : newest.mediaMs + bySequence;
    }
    if (Math.abs(byCapture - bySequence) <= scatterMs) return this.#accept(packet, mediaMs);
    const byArrival = packet.receivedAt - newest.receivedAt;
    const near = (ms: number): boolean => Math.abs(ms - byArrival) <= beliefMs;
    if (byCapture > 0 && near(byCapture)) return this.#accept(packet, mediaMs);
    const passed = near(bySequence) ? bySequence : Math.max(byArrival, limits.packetMs);
    this.#correctionMs = newest.mediaMs + passed - packet.capturedAt;
    return this.#accept(packet, newest.mediaMs + passed);
  }

  #accept(packet: Moment, mediaMs: number): number {
    const { sequence, capturedAt, receivedAt } = packet;
    this.#newest = { sequence, capturedAt, receivedAt, mediaMs };
    return mediaMs;
  }
}
