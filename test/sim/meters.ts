import { limits } from "../../p2p/api/limits.ts";
import type { PeerEvent } from "../../p2p/core/peer-io.ts";
import type { Coverage } from "./coverage.ts";
import { Histogram, quantile } from "./figures.ts";
import type { Figures } from "./figures.ts";
import type { ControlFrame, MediaSighting, MediaTrace, TraceListener } from "./media-trace.ts";
import type { Ending } from "./network.ts";
import type { Observer } from "./observer.ts";
import type { DrawnSecond } from "./picture/snapshot.ts";
import type { Reference } from "./reference.ts";

/** Ready to play at most so long after capture: the command-line contract. */
const onTimeMs = 400;
/** How far around a parent's death its children's silence is looked at. */
const outageBeforeMs = 200;
const outageAfterMs = 20_000;
/** How far around the first blow to relays continuity is judged: the minute around it (GOALS.md, T3). */
const aroundBlowMs = 30_000;
/** Silence this long at the end counts as being without sound. */
const withoutSoundMs = 2000;

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
  /** Who slept or cheats, and so heard nothing by its own doing. */
  private readonly excused = new Set<number>();
  private readonly bereavements: Bereavement[] = [];
  private readonly reference: Reference;
  private readonly coverage: Coverage;
  private readonly elapsedMs: () => number;
  private trace: MediaTrace | undefined;
  private living = 0;
  private readonly blowAt: number | undefined;
  private readonly inAt: number;
  private isIn = false;

  /** @param times when the first blow to relays falls, and when the first audience is in, in virtual ms. */
  constructor(
    reference: Reference,
    coverage: Coverage,
    elapsedMs: () => number,
    times: { readonly blowAt: number | undefined; readonly inAt: number },
  ) {
    this.blowAt = times.blowAt;
    this.inAt = times.inAt;
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
    for (const child of this.trace.childrenOf(node, at - 1000)) this.bereavements.push({ child, at });
  }

  slept(node: number): void {
    this.excused.add(node);
  }

  hostile(node: number): void {
    this.excused.add(node);
  }

  second(): void {
    this.peerSeconds += this.living;
    if (this.isIn || this.elapsedMs() < this.inAt) return;
    // What is sent beside media is counted during speech, as soon as there is such a time: joining is judged by itself.
    this.isIn = true;
    this.controlBytes = this.mediaBytes = this.mediaArrived = this.mediaRepeated = this.peerSeconds = 0;
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
    const onTime = this.judged.map(({ share: part }) => part);
    const joins = members.flatMap((node) => this.joinMs(node) ?? []);
    const outages = this.bereavements.flatMap((loss) => this.outageMs(loss) ?? []);
    return {
      delayP95Ms: this.delayP95Ms(),
      depthMax: this.depthMax,
      withoutSound: members.filter((node) => this.isWithoutSound(node)).length,
      outageMsP95: quantile(outages, 0.95),
      onTimeMedian: quantile(onTime, 0.5),
      onTimeP5: quantile(onTime, 0.05),
      missShare: onTime.length === 0 ? null : 1 - onTime.reduce((sum, part) => sum + part, 0) / onTime.length,
      controlKbpsPerPeer: (this.controlBytes * 8) / 1000 / Math.max(1, this.peerSeconds),
      controlShare: share(this.controlBytes, this.mediaBytes),
      duplicateShare: share(this.mediaRepeated, this.mediaArrived),
      joinMsP95: quantile(joins, 0.95),
      bystanderMoves: this.bystanderMoves,
      gaveUp: this.gaveUp,
    };
  }

  /** When continuity is judged. */
  get window(): { readonly from: number; readonly to: number } {
    if (this.blowAt === undefined) return { from: 0, to: this.elapsedMs() };
    return { from: this.blowAt - aroundBlowMs, to: Math.min(this.elapsedMs(), this.blowAt + aroundBlowMs) };
  }

  /** Members whose continuity is judged: for how many ms, and which share of the packets was in time. */
  get judged(): { readonly node: number; readonly ms: number; readonly share: number }[] {
    const others = this.reference.members.filter((node) => !this.excused.has(node));
    return others.flatMap((node) => this.judge(node) ?? []);
  }

  /** The whole run, second by second: who was in, and which share of what was said then was in time. */
  seconds(): DrawnSecond[] {
    const length = Math.ceil(this.elapsedMs() / 1000);
    const [members, expected, onTime] = [new Float64Array(length), new Float64Array(length), new Float64Array(length)];
    for (const node of this.reference.members.filter((each) => !this.excused.has(each))) {
      const from = this.reference.firstHeardAt(node) ?? Infinity;
      const until = this.reference.endedAt(node) ?? this.elapsedMs();
      for (let second = Math.floor(from / 1000); second < until / 1000; second++) members[second]!++;
      for (const speaker of this.reference.speakers) {
        if (speaker === node) continue;
        this.reference.eachDelay(node, speaker, from, until - onTimeMs, (delay, capturedAt) => {
          const second = Math.floor(capturedAt / 1000);
          expected[second]!++;
          if (delay !== undefined && delay <= onTimeMs) onTime[second]!++;
        });
      }
    }
    return Array.from(members, (count, second) => ({
      members: count,
      onTime: expected[second]! > 0 ? onTime[second]! / expected[second]! : undefined,
    }));
  }

  /** Children whose parent died, once for each time. */
  get bereaved(): number[] {
    return this.bereavements.flatMap((loss) => (this.outageMs(loss) === undefined ? [] : [loss.child]));
  }

  /** Who joined while somebody spoke, and heard something. */
  get joiners(): number[] {
    return this.reference.members.filter((node) => this.joinMs(node) !== undefined);
  }

  private delayP95Ms(): number | null {
    const delays = new Histogram();
    for (const node of this.reference.members) {
      for (const speaker of this.reference.speakers)
        this.reference.eachDelay(node, speaker, 0, Infinity, (delay) => {
          if (delay !== undefined) delays.add(delay);
        });
    }
    return delays.quantile(0.95);
  }

  private judge(node: number): { readonly node: number; readonly ms: number; readonly share: number } | undefined {
    const first = this.reference.firstHeardAt(node);
    if (first === undefined) return undefined;
    const from = Math.max(first, this.window.from);
    const to = Math.min(this.window.to, (this.reference.endedAt(node) ?? this.elapsedMs()) - onTimeMs);
    let expected = 0;
    let onTime = 0;
    for (const speaker of this.reference.speakers) {
      if (speaker !== node)
        this.reference.eachDelay(node, speaker, from, to, (delay) => {
          expected++;
          if (delay !== undefined && delay <= onTimeMs) onTime++;
        });
    }
    return expected === 0 ? undefined : { node, ms: to - from, share: onTime / expected };
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
    if (!this.reference.isAlive(node) || this.reference.startedAt(node) > since || this.excused.has(node)) return false;
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
