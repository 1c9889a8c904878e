import type { HeardPacket } from "../../api/engine.ts";
import { limits } from "../../api/limits.ts";
import { DelayEstimate } from "./delay.ts";
import { isVoicePacket } from "./opus-packet.ts";
import { scatterMs, Timeline } from "./timeline.ts";

/** What the buffer needs of a packet: all but its speaker. */
export type JitterPacket = Pick<HeardPacket, "sequence" | "capturedAt" | "receivedAt" | "opus">;

/** What plays next. */
export type JitterStep =
  /**
   * Decode this packet: 40 ms. Where it is quiet, make it so much longer (`adjustMs` is 20) or shorter (-20): the
   * delay is off its target.
   */
  | { readonly kind: "play"; readonly opus: Uint8Array; readonly capturedAt: number; readonly adjustMs: -20 | 0 | 20 }
  /** The packet before this one is lost: rebuild it from the copy in here. 40 ms. This one itself comes next. */
  | { readonly kind: "rebuild"; readonly from: Uint8Array }
  /** Lost, or not there yet: guess 20 ms. */
  | { readonly kind: "conceal" }
  /** Nobody speaks: so many ms of nothing, up to 20, not always whole. */
  | { readonly kind: "silence"; readonly ms: number };

/** Counts since the start; frames are 20 ms. */
export interface JitterCounts {
  /** Played from their own packet. */
  framesPlayed: number;
  framesRebuilt: number;
  /** Never played: lost on the way, or late. Counted when the next packet plays. */
  framesLost: number;
  /** Guesses: those for frames that were lost, and those that end every talk. */
  framesConcealed: number;
  packetsLate: number;
  packetsDuplicate: number;
  /** Not 40 ms of Opus, numbers that cannot be, or more than the buffer holds. */
  packetsUnusable: number;
}

/** After so much guessing a listener hears a robot, not a speaker; silence is more honest (NetEQ fades in 100 ms). */
const concealmentMsMax = 120;
/** Packets held at most: 4 s, what two rings replay. */
const packetsMax = 100;
/** How far a packet may be behind its place and still play: half a packet, and the scatter of capture times. */
const behindMsMax = 30;
/** Delay so far above the target is not waited out until a quiet moment: the buffer jumps. More than any target. */
const surplusMsMax = 600;
/** Delay above the target by less is let be: waiting for one lost packet makes as much, and the next may need it. */
const spareMsMin = 30;
/** So many packets in a row from before all that is remembered are a numbering that began anew. */
const restartPackets = 25;

interface Waiting {
  readonly sequence: number;
  readonly mediaMs: number;
  readonly capturedAt: number;
  readonly opus: Uint8Array;
}

/**
 * The jitter buffer of one speaker: gives each packet its turn, as soon as the network's recent behaviour lets it be
 * expected that those after it come in time too. It is asked for the next piece whenever the last one has been taken,
 * so the sound device sets the pace. Times are ms of one clock, the listener's.
 */
export class JitterBuffer {
  readonly counts: JitterCounts = {
    framesPlayed: 0,
    framesRebuilt: 0,
    framesLost: 0,
    framesConcealed: 0,
    packetsLate: 0,
    packetsDuplicate: 0,
    packetsUnusable: 0,
  };
  /** By sequence, lowest first. */
  #waiting: Waiting[] = [];
  #delay = new DelayEstimate();
  #timeline = new Timeline();
  #newestSequence = -1;
  /** Whether something plays: if so, `#mediaMs` says what is due; otherwise the clock does. */
  #running = false;
  /** Media time up to which everything was played, guessed or given up. */
  #mediaMs = Number.NEGATIVE_INFINITY;
  #lastSequence = -1;
  #rebuiltSinceLast = 0;
  #lastEndMs = 0;
  #concealedMs = 0;
  #behindInRow = 0;

  /** What is aimed at, in ms after the fastest packets. */
  get targetMs(): number {
    return this.#delay.targetMs;
  }

  /** Whether nothing waits or plays: the speaker is silent until the next packet. */
  get idle(): boolean {
    return !this.#running && this.#waiting.length === 0;
  }

  /** Takes a packet, in any order. It is opened, yet its content is still a stranger's. */
  push(packet: JitterPacket): void {
    const { sequence, capturedAt, receivedAt, opus } = packet;
    const numbers = Number.isSafeInteger(sequence) && sequence >= 0;
    if (!numbers || !Number.isFinite(capturedAt) || !Number.isFinite(receivedAt) || !isVoicePacket(opus)) {
      this.counts.packetsUnusable += 1;
      return;
    }
    if (this.#beganAnew(sequence)) this.#forget();
    const mediaMs = this.#timeline.place(packet);
    const inOrder = sequence > this.#newestSequence;
    const missing = this.#newestSequence < 0 ? 0 : sequence - this.#newestSequence - 1;
    // Of a larger hole the last packet could be rebuilt too, but such holes are not what a delay can mend.
    this.#delay.arrived(mediaMs, receivedAt, inOrder ? (missing === 1 ? 1 : 0) : -1);
    if (inOrder) this.#newestSequence = sequence;
    this.#store({ sequence, mediaMs, capturedAt, opus });
  }

  /** What to play at `now`, when everything given before has been taken. */
  pull(now: number): JitterStep {
    this.#dropBehind();
    return this.#running ? this.#continued(now) : this.#started(now);
  }

  /** Ahead of everything else in its place in the order; what is late is counted. */
  #store(packet: Waiting): void {
    if (packet.sequence <= this.#lastSequence || packet.mediaMs < this.#mediaMs - behindMsMax) {
      this.counts.packetsLate += 1;
      return;
    }
    let at = this.#waiting.length;
    while (at > 0 && this.#waiting[at - 1]!.sequence > packet.sequence) at -= 1;
    if (this.#waiting[at - 1]?.sequence === packet.sequence) {
      this.counts.packetsDuplicate += 1;
      return;
    }
    this.#waiting.splice(at, 0, packet);
    if (this.#waiting.length <= packetsMax) return;
    this.#waiting.shift();
    this.counts.packetsUnusable += 1;
  }

  #dropBehind(): void {
    while (this.#waiting.length > 0 && this.#waiting[0]!.mediaMs < this.#mediaMs - behindMsMax) this.#dropFirst();
  }

  #dropFirst(): void {
    this.#waiting.shift();
    this.counts.packetsLate += 1;
  }

  /** After silence: the first packet whose time has come; those whose time was long ago are late. */
  #started(now: number): JitterStep {
    for (;;) {
      const [first] = this.#waiting;
      if (first === undefined) return { kind: "silence", ms: limits.frameMs };
      const waitMs = this.#dueMs(first.mediaMs) - now;
      if (waitMs > 0.5) return { kind: "silence", ms: Math.min(limits.frameMs, waitMs) };
      if (waitMs >= -limits.packetMs) {
        this.#running = true;
        return this.#play(first, now);
      }
      this.#dropFirst();
    }
  }

  /** In the flow of speech: the next packet, or what stands in for it. */
  #continued(now: number): JitterStep {
    const surplusMs = now - this.#dueMs(this.#mediaMs);
    const [first] = this.#waiting;
    if (surplusMs > surplusMsMax && first !== undefined) return this.#restarted(now);
    if (first === undefined) return this.#missing(surplusMs);
    const missing = first.sequence - this.#lastSequence - 1 - this.#rebuiltSinceLast;
    const gapMs = first.mediaMs - this.#mediaMs;
    // The microphone was closed in between: its time decides, whatever was lost before.
    if (gapMs > missing * limits.packetMs + scatterMs) return this.#restarted(now);
    if (missing === 0 || gapMs <= limits.frameMs) return this.#play(first, now);
    if (gapMs <= limits.packetMs + limits.frameMs / 2) {
      this.#mediaMs = first.mediaMs;
      this.#rebuiltSinceLast += 1;
      this.#concealedMs = 0;
      this.counts.framesRebuilt += limits.packetMs / limits.frameMs;
      return { kind: "rebuild", from: first.opus };
    }
    if (this.#concealedMs >= concealmentMsMax) return this.#restarted(now);
    return this.#conceal(true);
  }

  /** Nothing is there. If our delay is below the target, or at it, the packet may still come: guess, and wait for it. */
  #missing(surplusMs: number): JitterStep {
    if (this.#concealedMs < concealmentMsMax) return this.#conceal(surplusMs > limits.frameMs / 2);
    this.#running = false;
    return { kind: "silence", ms: limits.frameMs };
  }

  #restarted(now: number): JitterStep {
    this.#running = false;
    return this.#started(now);
  }

  #conceal(advance: boolean): JitterStep {
    if (advance) this.#mediaMs += limits.frameMs;
    this.#concealedMs += limits.frameMs;
    this.counts.framesConcealed += 1;
    return { kind: "conceal" };
  }

  #play(packet: Waiting, now: number): JitterStep {
    this.#waiting.shift();
    this.#countLost(packet);
    const surplusMs = now - this.#dueMs(packet.mediaMs);
    this.#lastSequence = packet.sequence;
    this.#rebuiltSinceLast = 0;
    this.#mediaMs = this.#lastEndMs = packet.mediaMs + limits.packetMs;
    this.#concealedMs = 0;
    this.counts.framesPlayed += limits.packetMs / limits.frameMs;
    const adjustMs = surplusMs >= spareMsMin ? -20 : surplusMs <= -limits.frameMs ? 20 : 0;
    return { kind: "play", opus: packet.opus, capturedAt: packet.capturedAt, adjustMs };
  }

  /** Numbers that were skipped, unless no time passed for them: then nothing was ever said under them. */
  #countLost(packet: Waiting): void {
    if (this.#lastSequence < 0) return;
    const skipped = packet.sequence - this.#lastSequence - 1 - this.#rebuiltSinceLast;
    const timePackets = Math.round((packet.mediaMs - this.#lastEndMs) / limits.packetMs) - this.#rebuiltSinceLast;
    const lost = Math.max(0, Math.min(skipped, timePackets));
    this.counts.framesLost += (lost * limits.packetMs) / limits.frameMs;
  }

  #dueMs(mediaMs: number): number {
    return mediaMs + this.#delay.baseMs + this.#delay.targetMs;
  }

  #beganAnew(sequence: number): boolean {
    const behind = this.#newestSequence - sequence > limits.replayWindowPackets;
    this.#behindInRow = behind ? this.#behindInRow + 1 : 0;
    return this.#behindInRow >= restartPackets;
  }

  #forget(): void {
    this.#waiting = [];
    this.#delay = new DelayEstimate();
    this.#timeline = new Timeline();
    this.#newestSequence = this.#lastSequence = -1;
    this.#mediaMs = Number.NEGATIVE_INFINITY;
    this.#running = false;
    this.#rebuiltSinceLast = this.#concealedMs = this.#behindInRow = 0;
  }
}
