import type { Millis } from "../../../api/ids.ts";
import { limits } from "../../../api/limits.ts";
import { RecentVoices } from "./recent.ts";

/** On time is ready to play within 400 ms of capture (the command-line contract; ITU-T G.114's upper bound). */
export const onTimeMsMax = 400;
/** Latencies kept of one interval, which is a second. */
const intervalLatenciesMax = 512;
/** A capture clock that differs by more than this from ours is wrong, not late: lateness is then counted from the best transit seen. */
const clockSkewMsMax = 10_000;
/** What a packet takes at the least when clocks cannot tell: one wide-area crossing. */
const assumedTransitMs = 50;
/** A hole longer than this is a closed microphone or a new stream, not loss: 10 minutes. */
const holePacketsMax = 15_000;
/** Holes remembered one by one; in a room that lasts days, the first of them tell enough. */
const outagesMax = 10_000;
/** Packets of one voice that wait for their deadline at most: a minute. */
const openMax = 1500;
const framesPerPacket = limits.packetMs / limits.frameMs;
/** Latencies kept for percentiles: a reservoir of the last ones, 11 minutes of one voice. */
const latenciesMax = 16_384;

interface VoiceAccount {
  /** Packets not yet judged: sequence → arrived in time. */
  readonly open: Map<number, boolean>;
  nextToJudge: number;
  newest: number;
  /** Capture time of packet `anchor`, on our clock; what a missing packet's deadline is reckoned from. */
  anchorSequence: number;
  anchorCapturedAt: number;
  skewMs: number | undefined;
  gapFrames: number;
}

/**
 * Counts what a listener was owed and what it got, from sequence numbers and not from what happened to arrive ([RM25]).
 * One packet is two frames of 20 ms.
 */
export class Ledger {
  framesExpected = 0;
  framesOnTime = 0;
  framesConcealed = 0;
  /** Of those concealed, the ones whose packet never came: whatever clocks say of lateness, these were lost. */
  framesMissing = 0;
  framesDuplicate = 0;
  readonly outagesMs: number[] = [];
  readonly #voices = new RecentVoices<VoiceAccount>();
  readonly #latencies: number[] = [];
  #latencyCount = 0;
  #interval: number[] = [];
  #worstGapFrames = 0;

  /** A packet opened at `now`. */
  arrived(voice: string, sequence: number, capturedAt: number, now: Millis): void {
    const account = this.#voices.of(voice, () => opened(sequence, capturedAt, now));
    const latencyMs = now - capturedAt - (account.skewMs ?? 0);
    if (sequence > account.newest) this.#advance(account, sequence, capturedAt);
    // Only a capture clock that runs away leaves so many unjudged: what it says of time is not believed.
    if (account.open.size > openMax) {
      account.open.clear();
      account.nextToJudge = sequence;
    }
    if (sequence >= account.nextToJudge) account.open.set(sequence, latencyMs <= onTimeMsMax);
    this.#recordLatency(latencyMs);
    this.#judge(account, now);
  }

  duplicate(): void {
    this.framesDuplicate += framesPerPacket;
  }

  /** Judges every packet whose deadline has passed; call before reading counts. */
  settle(now: Millis): void {
    for (const account of this.#voices.all) this.#judge(account, now);
  }

  /** The longest run of frames not on time that touched the interval, in ms, and the interval's median latency. */
  get interval(): { worstGapMs: number; latencyMs: number | null } {
    const running = Math.max(0, ...[...this.#voices.all].map((account) => account.gapFrames));
    const worstGapMs = Math.max(this.#worstGapFrames, running) * limits.frameMs;
    const sorted = this.#interval.slice().sort((a, b) => a - b);
    const latencyMs = sorted.length === 0 ? null : Math.round(sorted[sorted.length >> 1] ?? 0);
    return { worstGapMs, latencyMs };
  }

  /** Starts a new interval. */
  startInterval(): void {
    this.#worstGapFrames = 0;
    this.#interval = [];
  }

  /** Percentiles of capture-to-ready latency over the last `latenciesMax` packets. */
  percentiles(): { p50: number; p95: number; p99: number } | null {
    if (this.#latencies.length === 0) return null;
    const sorted = this.#latencies.slice().sort((a, b) => a - b);
    const at = (share: number): number => Math.round(sorted[Math.floor(share * (sorted.length - 1))] ?? 0);
    return { p50: at(0.5), p95: at(0.95), p99: at(0.99) };
  }

  #advance(account: VoiceAccount, sequence: number, capturedAt: number): void {
    if (sequence - account.newest > holePacketsMax) account.nextToJudge = sequence;
    account.newest = sequence;
    account.anchorSequence = sequence;
    account.anchorCapturedAt = capturedAt;
  }

  #judge(account: VoiceAccount, now: Millis): void {
    while (account.nextToJudge <= account.newest) {
      const sequence = account.nextToJudge;
      const known = account.open.get(sequence);
      const capturedAt = account.anchorCapturedAt - (account.anchorSequence - sequence) * limits.packetMs;
      if (known === undefined && now - capturedAt - (account.skewMs ?? 0) <= onTimeMsMax) return;
      account.open.delete(sequence);
      account.nextToJudge++;
      if (known === undefined) this.framesMissing += framesPerPacket;
      this.#close(account, known === true);
    }
  }

  #close(account: VoiceAccount, onTime: boolean): void {
    this.framesExpected += framesPerPacket;
    if (onTime) {
      this.framesOnTime += framesPerPacket;
      if (account.gapFrames > 0 && this.outagesMs.length < outagesMax)
        this.outagesMs.push(account.gapFrames * limits.frameMs);
      account.gapFrames = 0;
      return;
    }
    this.framesConcealed += framesPerPacket;
    account.gapFrames += framesPerPacket;
    this.#worstGapFrames = Math.max(this.#worstGapFrames, account.gapFrames);
  }

  #recordLatency(latencyMs: number): void {
    // Nobody may ever ask: a few seconds' worth tells as much.
    if (this.#interval.length < intervalLatenciesMax) this.#interval.push(latencyMs);
    this.#latencies[this.#latencyCount++ % latenciesMax] = latencyMs;
  }
}

/** What is owed of a voice whose first packet this is. */
function opened(sequence: number, capturedAt: number, now: Millis): VoiceAccount {
  const transitMs = now - capturedAt;
  const skewed = Math.abs(transitMs) > clockSkewMsMax;
  return {
    open: new Map(),
    nextToJudge: sequence,
    newest: sequence,
    anchorSequence: sequence,
    anchorCapturedAt: capturedAt,
    skewMs: skewed ? transitMs - assumedTransitMs : undefined,
    gapFrames: 0,
  };
}
