import { limits } from "../../p2p/api/limits.ts";
import type { PeerEvent } from "../../p2p/core/peer-io.ts";
import type { Coverage } from "./coverage.ts";
import type { ControlFrame, MediaSighting, MediaTrace, TraceListener } from "./media-trace.ts";
import type { Ending } from "./network.ts";
import type { Observer } from "./observer.ts";
import type { Reference } from "./reference.ts";

/** Ready to play at most so long after capture: the command-line contract. */
const onTimeMs = 400;
/** How far around a parent's death its children's silence is looked at. */
const outageBeforeMs = 200;
const outageAfterMs = 20_000;
/** Silence this long at the end counts as being without sound. */
const withoutSoundMs = 2000;

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
  /** Share of a member's packets ready within 400 ms, from its first sound until it left: the median member, the worst 20th. */
  readonly onTimeMedian: number | null;
  readonly onTimeP5: number | null;
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

interface Bereavement {
  readonly child: number;
  readonly at: number;
}

/** Counts bytes, links and moves while a run lasts; the rest of its figures come from the reference at the end. */
export class Meters implements Observer, TraceListener {
  private depthMax = 0;
  private bystanderMoves = 0;
  private gaveUp = 0;
  private controlBytes = 0;
  private mediaBytes = 0;
  private mediaArrived = 0;
  private mediaRepeated = 0;
  private peerSeconds = 0;
  private readonly bereavements: Bereavement[] = [];
  private readonly reference: Reference;
  private readonly coverage: Coverage;
  private readonly elapsedMs: () => number;
  private trace: MediaTrace | undefined;
  private living = 0;

  constructor(reference: Reference, coverage: Coverage, elapsedMs: () => number) {
    this.reference = reference;
    this.coverage = coverage;
    this.elapsedMs = elapsedMs;
  }

  /** The trace knows who is whose parent. */
  follow(trace: MediaTrace): void {
    this.trace = trace;
  }

  started(): void {
    this.living++;
  }

  ended(node: number, by: Ending): void {
    this.living--;
    if (by === "leave" || this.trace === undefined) return;
    const at = this.elapsedMs();
    for (const [child, parent] of this.trace.parents) {
      if (parent.parent === node && parent.at > at - 1000) this.bereavements.push({ child, at });
    }
  }

  second(): void {
    this.peerSeconds += this.living;
  }

  event(node: number, event: PeerEvent): void {
    if (event.event === "trouble" && event.fatal) this.gaveUp++;
    if (event.event === "move" && !this.coverage.isBereaved(node)) this.bystanderMoves++;
  }

  frameSent(_from: number, _to: number, _frame: ControlFrame, bytes: number): void {
    this.controlBytes += bytes;
  }

  mediaSent({ bytes }: MediaSighting): void {
    this.mediaBytes += bytes;
  }

  mediaDelivered({ to, journey, repeat }: MediaSighting): void {
    this.mediaArrived++;
    if (repeat) this.mediaRepeated++;
    else if (this.reference.partOf(to) !== "relay") this.depthMax = Math.max(this.depthMax, journey.hops[to] ?? 0);
  }

  /** What came out; call when the run is over. */
  figures(): Figures {
    const members = this.reference.members;
    const onTime = members.flatMap((node) => this.onTimeShare(node) ?? []);
    const delays = members.flatMap((node) => this.delaysOf(node));
    const joins = members.flatMap((node) => this.joinMs(node) ?? []);
    const outages = this.bereavements.flatMap((loss) => this.outageMs(loss) ?? []);
    return {
      delayP95Ms: quantile(delays, 0.95),
      depthMax: this.depthMax,
      withoutSound: members.filter((node) => this.isWithoutSound(node)).length,
      outageMsP95: quantile(outages, 0.95),
      onTimeMedian: quantile(onTime, 0.5),
      onTimeP5: quantile(onTime, 0.05),
      controlKbpsPerPeer: (this.controlBytes * 8) / 1000 / Math.max(1, this.peerSeconds),
      controlShare: share(this.controlBytes, this.mediaBytes),
      duplicateShare: share(this.mediaRepeated, this.mediaArrived),
      joinMsP95: quantile(joins, 0.95),
      bystanderMoves: this.bystanderMoves,
      gaveUp: this.gaveUp,
    };
  }

  private delaysOf(node: number): number[] {
    const delays: number[] = [];
    for (const speaker of this.reference.speakers) {
      for (const delay of this.reference.delays(node, speaker, 0, Infinity))
        if (delay !== undefined) delays.push(delay);
    }
    return delays;
  }

  private onTimeShare(node: number): number | undefined {
    const from = this.reference.firstHeardAt(node);
    if (from === undefined) return undefined;
    const to = (this.reference.endedAt(node) ?? this.elapsedMs()) - onTimeMs;
    let expected = 0;
    let onTime = 0;
    for (const speaker of this.reference.speakers) {
      if (speaker === node) continue;
      for (const delay of this.reference.delays(node, speaker, from, to)) {
        expected++;
        if (delay !== undefined && delay <= onTimeMs) onTime++;
      }
    }
    return expected === 0 ? undefined : onTime / expected;
  }

  private joinMs(node: number): number | undefined {
    const heardAt = this.reference.firstHeardAt(node);
    const startedAt = this.reference.startedAt(node);
    if (heardAt === undefined || !this.wasAnyOpen(node, startedAt)) return undefined;
    return heardAt - startedAt;
  }

  /** Whether somebody spoke in the moment before. */
  private wasAnyOpen(node: number, at: number): boolean {
    return this.reference.speakers.some((speaker) => {
      const recent = this.reference.delays(node, speaker, at - 2 * limits.packetMs, at);
      return speaker !== node && recent.next().done !== true;
    });
  }

  private outageMs({ child, at }: Bereavement): number | undefined {
    if (this.reference.partOf(child) === "relay") return undefined;
    const end = Math.min(at + outageAfterMs, this.reference.endedAt(child) ?? this.elapsedMs());
    const heard = this.hearingTimes(child, at - outageBeforeMs, end);
    return longestGap([at - outageBeforeMs, ...heard, end]);
  }

  /** When something came to this ear, between two times, in order. */
  private hearingTimes(node: number, from: number, to: number): number[] {
    const times: number[] = [];
    for (const speaker of this.reference.speakers) {
      for (const [capturedAt, delay] of this.reference.hearings(node, speaker, from - outageAfterMs, to)) {
        const at = capturedAt + delay;
        if (at >= from && at <= to) times.push(at);
      }
    }
    return times.sort((a, b) => a - b);
  }

  private isWithoutSound(node: number): boolean {
    const since = this.elapsedMs() - withoutSoundMs;
    if (!this.reference.isAlive(node) || this.reference.startedAt(node) > since) return false;
    const speakers = this.reference.speakersSince(since).filter((speaker) => speaker !== node);
    return speakers.length > 0 && (this.reference.lastHeardAt(node) ?? -1) < since;
  }
}

function longestGap(times: readonly number[]): number {
  return times.slice(1).reduce((longest, at, index) => Math.max(longest, at - (times[index] ?? at)), 0);
}

function share(part: number, whole: number): number | null {
  return whole === 0 ? null : part / whole;
}

/** The value below which a share `at` of the values lies (nearest rank); null without values. */
export function quantile(values: number[], at: number): number | null {
  const sorted = Float64Array.from(values).sort();
  return sorted[Math.min(sorted.length - 1, Math.max(0, Math.ceil(at * sorted.length) - 1))] ?? null;
}
