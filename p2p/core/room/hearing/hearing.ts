import type { Layer, Stats, Totals } from "../../../api/engine.ts";
import type { Millis } from "../../../api/ids.ts";
import { limits } from "../../../api/limits.ts";
import type { Passed } from "../../overlay/media/spread.ts";
import { ReplayWindow } from "../../packet/replay.ts";
import { Ledger } from "./ledger.ts";
import { RecentVoices } from "./recent.ts";
import { LossWatch } from "./strength.ts";

/** A pause in arrival that is told of with a move: three packets. */
const gapMsMin = 3 * limits.packetMs;
/** And how long ago it may have ended: replayed packets come before the word that they were replayed. */
const gapReportMs = 1000;

/** What a listener counts of `Stats`. */
export type SoundStats = Pick<
  Stats,
  "framesExpected" | "framesOnTime" | "framesConcealed" | "framesSent" | "worstGapMs" | "latencyMs" | "hops" | "layer"
>;

/** What one listener hears, in numbers. */
export class Hearing {
  /** Links from the speaker heard last. */
  hops = 0;
  framesSent = 0;
  /** The layer asked for. */
  wanted: Layer = "normal";
  /** The layer heard last. */
  #layer: Layer | undefined;
  /** Ticks heard of each voice, whatever the layer: both carry the same number. */
  readonly #ticks = new RecentVoices<ReplayWindow>();
  readonly #ledger = new Ledger();
  readonly losses = new LossWatch();
  #moves = 0;
  #covers = 0;
  #heardAt: Millis | undefined;
  /** The last hole in what arrived. */
  #gap: { readonly ms: number; readonly endedAt: Millis } | undefined;

  /** Whether this tick of this voice was not heard yet in either layer. */
  isNews({ voice, sequence }: Passed): boolean {
    const verdict = this.#ticks.peek(voice)?.judge(sequence);
    return verdict === undefined || verdict === "fresh" || verdict === "too-far";
  }

  /** A packet was opened. True for the very first. */
  heard(passed: Passed, capturedAt: Millis, now: Millis): boolean {
    const first = this.#heardAt === undefined;
    const pauseMs = now - (this.#heardAt ?? now);
    if (pauseMs > gapMsMin) this.#gap = { ms: pauseMs, endedAt: now };
    this.#heardAt = now;
    this.hops = passed.hops;
    this.#layer = passed.layer;
    this.#ticks.of(passed.voice, () => new ReplayWindow()).accept(passed.sequence);
    this.#ledger.arrived(passed.voice, passed.sequence, capturedAt, now);
    return first;
  }

  /** We came over to another parent. Returns how long nothing had arrived, in ms. */
  moved(now: Millis): number {
    this.#moves++;
    return this.#gapMs(now);
  }

  /** The parent's connection was cut and another continued it. Returns the same. */
  covered(now: Millis): number {
    this.#covers++;
    return this.#gapMs(now);
  }

  #gapMs(now: Millis): number {
    const recent = this.#gap !== undefined && now - this.#gap.endedAt < gapReportMs ? this.#gap : undefined;
    return Math.round(recent ? recent.ms : now - (this.#heardAt ?? now));
  }

  /** Judges what is due. True when we began or ceased to lose much. */
  settle(now: Millis): boolean {
    this.#ledger.settle(now);
    const { framesExpected, framesMissing, framesConcealed } = this.#ledger;
    return this.losses.look(framesExpected, framesMissing, framesConcealed, now);
  }

  /** Counts so far, and how the interval went. */
  stats(now: Millis): SoundStats {
    this.#ledger.settle(now);
    const { framesExpected, framesOnTime, framesConcealed } = this.#ledger;
    const counts = { framesExpected, framesOnTime, framesConcealed, framesSent: this.framesSent };
    return { ...counts, hops: this.hops, layer: this.#layer ?? this.wanted, ...this.#ledger.interval };
  }

  startInterval(): void {
    this.#ledger.startInterval();
  }

  totals(): Totals {
    const { outagesMs } = this.#ledger;
    return { latencyMs: this.#ledger.percentiles(), outagesMs, covers: this.#covers, moves: this.#moves };
  }
}

/** What of `Stats` is counted at the ear, for who sits in no room. */
export const noSound = {
  framesExpected: 0,
  framesOnTime: 0,
  framesConcealed: 0,
  framesSent: 0,
  worstGapMs: 0,
  latencyMs: null,
  hops: 0,
};
