/** What a run measured. Null where nothing happened that could be measured. */
export interface Figures {
  /** Capture to ear, over every packet heard, 95th percentile. */
  readonly delayP95Ms: number | null;
  /** Most links that a packet crossed to a member. */
  readonly depthMax: number;
  /** Living members who heard nothing in the last two seconds though a microphone was open. */
  readonly withoutSound: number;
  /** Longest silence around a parent's death, over its direct children, 95th percentile. */
  readonly outageMsP95: number | null;
  /**
   * Share of a member's packets ready within 400 ms, from its first sound until it left, in the minute around the first blow to
   * relays if there is one: the median member, the worst 20th, and what all of them missed on average.
   */
  readonly onTimeMedian: number | null;
  readonly onTimeP5: number | null;
  readonly missShare: number | null;
  /** What is sent beside media, once the first audience is in. */
  readonly controlKbpsPerPeer: number;
  /** Control bytes per media byte. */
  readonly controlShare: number | null;
  /** Media messages that brought nothing new, of all that arrived. */
  readonly duplicateShare: number | null;
  /** Asking to join until the first sound, for who joined while somebody spoke; 95th percentile. */
  readonly joinMsP95: number | null;
  /** Moves of members whose parent had not died. */
  readonly bystanderMoves: number;
  /** Members who were told that there is no way in. */
  readonly gaveUp: number;
}

/** The value below which a share `at` of the values lies (nearest rank); null without values. */
export function quantile(values: readonly number[], at: number): number | null {
  const sorted = Float64Array.from(values).sort();
  return sorted[Math.min(sorted.length - 1, Math.max(0, Math.ceil(at * sorted.length) - 1))] ?? null;
}

/** Counts of whole ms: the delays of a long run by the million, of which only a quantile is wanted. */
export class Histogram {
  private readonly counts = new Float64Array(65_536);
  private total = 0;

  add(ms: number): void {
    this.counts[Math.min(this.counts.length - 1, ms)]!++;
    this.total++;
  }

  quantile(at: number): number | null {
    let left = Math.max(1, Math.ceil(at * this.total));
    const found = this.counts.findIndex((count) => (left -= count) <= 0);
    return this.total === 0 ? null : found;
  }
}
