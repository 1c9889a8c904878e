import type { HeardPacket } from "../../api/engine.ts";
import { limits } from "../../api/limits.ts";
import { type Attention, DelayEstimate, type Order } from "./delay.ts";
import { isVoicePacket } from "./opus-packet.ts";
import { scatterMs, Timeline } from "./timeline.ts";
import { WaitingPackets, type WaitingPacket } from "./waiting.ts";

/** What the buffer needs of a packet: all but its speaker. */
export type JitterPacket = Pick<HeardPacket, "sequence" | "capturedAt" | "receivedAt" | "opus">;

/** What plays next. Each kind is one object that is used again: read it before the next `pull`. */
export type JitterStep =
  /**
   * Decode this packet: 40 ms. The delay is off its target by `adjustMs`: make the packet so much longer, or shorter
   * when that is negative, as far as nobody hears it. `joined`: it follows what was given before; otherwise something
   * is missing in between.
   */
  | {
      readonly kind: "play";
      readonly opus: Uint8Array;
      readonly capturedAt: number;
      readonly adjustMs: number;
      readonly joined: boolean;
    }
  /** The packet before this one is lost: rebuild it from the copy in here. 40 ms. This one itself comes next. */
  | { readonly kind: "rebuild"; readonly from: Uint8Array }
  /** Lost, or not there yet: guess so many ms, 20 or 10. */
  | { readonly kind: "conceal"; readonly ms: number }
  /** Nobody speaks: so many ms of nothing, up to 20, not always whole. */
  | { readonly kind: "silence"; readonly ms: number };

/** Counts since the start; frames are 20 ms. */
export interface JitterCounts {
  /** Played from their own packet. */
  framesPlayed: number;
  framesRebuilt: number;
  /** Never played: lost on the way, or late. Counted when the next packet plays. */
  framesLost: number;
  /** Guesses: those for frames that were lost, those made while waiting, and those that end every talk. */
  framesConcealed: number;
  packetsLate: number;
  packetsDuplicate: number;
  /** Not 40 ms of Opus, numbers that cannot be, or more than the buffer holds. */
  packetsUnusable: number;
}

/** After so much guessing a listener hears a robot, not a speaker; silence is more honest (NetEQ fades in 100 ms). */
const concealmentMsMax = 120;
/**
 * While nothing is there it is looked again after so much of a guess, the least that libopus makes of SILK: most packets that
 * are late are late by a few ms, and what is guessed beyond that is delay to be given back.
 */
const heldStepMs = 10;
/** Packets held at most: 4 s, what two rings replay. */
const packetsMax = 100;
/** How far a packet may be behind its place and still play: half a packet, and the scatter of capture times. */
const behindMsMax = 30;
/** Delay so far above the target is not given back bit by bit: the buffer jumps. More than any target. */
const surplusMsMax = 500;
/**
 * Delay above the target by less is let be, and so is delay below it: voices have periods of 2.5 to 15 ms, of which one must
 * fit between the two, or what was given back would be taken again.
 */
const surplusMsMin = 6;
const lackMsMin = 5;
const overshootMs = 4;
/** So many packets in a row from before all that is remembered are a numbering that began anew. */
const restartPackets = 25;
/** Times that a clock can tell: those of ECMAScript's dates, ±8.64e15 ms. Beyond, sums lose their milliseconds. */
const timeMsMax = 8.64e15;
const nothing: Uint8Array = new Uint8Array();

/**
 * The jitter buffer of one speaker: gives each packet its turn, as soon as the network's recent behaviour lets it be
 * expected that those after it come in time too. It is asked for the next piece whenever the last one has been taken,
 * so the sound device sets the pace. Times are ms of one clock, the listener's. Nothing is allocated after it was made.
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
  readonly #waiting = new WaitingPackets(packetsMax);
  readonly #delay = new DelayEstimate();
  readonly #timeline = new Timeline();
  #newestSequence = -1;
  /** Whether something plays: if so, `#mediaMs` says what is due; otherwise the clock does. */
  #running = false;
  /** Media time up to which everything was played, guessed or given up. */
  #mediaMs = Number.NEGATIVE_INFINITY;
  #lastSequence = -1;
  #rebuiltSinceLast = 0;
  #lastEndMs = 0;
  #concealedMs = 0;
  /** Of `#concealedMs`, what was guessed while nothing else was there: time that no media time was given up for. */
  #heldMs = 0;
  #behindInRow = 0;
  readonly #play = { kind: "play" as const, opus: nothing, capturedAt: 0.5, adjustMs: 0.5, joined: true };
  readonly #rebuild = { kind: "rebuild" as const, from: nothing };
  readonly #conceal = { kind: "conceal" as const, ms: 0.5 };
  readonly #silence = { kind: "silence" as const, ms: 0.5 };

  /** What is aimed at, in ms after the fastest packets. */
  get targetMs(): number {
    return this.#delay.targetMs;
  }

  /** Whether nothing waits or plays: the speaker is silent until the next packet. */
  get idle(): boolean {
    return !this.#running && this.#waiting.count === 0;
  }

  /** Whether this listener takes part now: then words are worth less delay. */
  setAttention(attention: Attention): void {
    this.#delay.attention = attention;
  }

  /** Takes a packet, in any order. It is opened, yet its content is still a stranger's. */
  push(packet: JitterPacket): void {
    const { sequence, capturedAt, receivedAt, opus } = packet;
    const numbers = Number.isSafeInteger(sequence) && sequence >= 0;
    const times = Math.abs(capturedAt) <= timeMsMax && Math.abs(receivedAt) <= timeMsMax;
    if (!numbers || !times || !isVoicePacket(opus)) {
      this.counts.packetsUnusable += 1;
      return;
    }
    if (this.#beganAnew(sequence)) this.#forget();
    // What came before tells nothing about the network when it comes once more.
    if (this.#waiting.has(sequence)) {
      this.counts.packetsDuplicate += 1;
      return;
    }
    const mediaMs = this.#timeline.place(packet);
    this.#delay.arrived(mediaMs, receivedAt, this.#orderOf(sequence));
    this.#newestSequence = Math.max(this.#newestSequence, sequence);
    this.#store(sequence, mediaMs, capturedAt, opus);
  }

  /** What to play at `now`, when everything given before has been taken. */
  pull(now: number): JitterStep {
    this.#dropBehind();
    return this.#running ? this.#continued(now) : this.#started(now);
  }

  #orderOf(sequence: number): Order {
    if (this.#newestSequence < 0 || sequence === this.#newestSequence + 1) return "next";
    if (sequence > this.#newestSequence) return "after-gap";
    const rebuildable = this.#waiting.has(sequence + 1) || this.#lastSequence === sequence + 1;
    return rebuildable ? "overtaken" : "filled-gap";
  }

  /** In its place in the order; what is late is counted. */
  #store(sequence: number, mediaMs: number, capturedAt: number, opus: Uint8Array): void {
    if (sequence <= this.#lastSequence || mediaMs < this.#mediaMs - behindMsMax) {
      this.counts.packetsLate += 1;
      return;
    }
    this.#waiting.add(sequence, mediaMs, capturedAt, opus);
    if (!this.#waiting.full) return;
    this.#waiting.dropFirst();
    this.counts.packetsUnusable += 1;
  }

  #dropBehind(): void {
    for (let first = this.#waiting.first; first !== undefined; first = this.#waiting.first) {
      if (first.mediaMs >= this.#mediaMs - behindMsMax) return;
      this.#dropFirst();
    }
  }

  #dropFirst(): void {
    this.#waiting.dropFirst();
    this.counts.packetsLate += 1;
  }

  /** After silence: the first packet whose time has come; those whose time was long ago are late. */
  #started(now: number): JitterStep {
    for (;;) {
      const { first } = this.#waiting;
      if (first === undefined) return this.#silent(limits.frameMs);
      const waitMs = this.#dueMs(first.mediaMs) - now;
      if (waitMs > 0.5) return this.#silent(Math.min(limits.frameMs, waitMs));
      if (waitMs >= -surplusMsMax) {
        this.#running = true;
        return this.#played(first, now);
      }
      this.#dropFirst();
    }
  }

  /** In the flow of speech: the next packet, or what stands in for it. */
  #continued(now: number): JitterStep {
    const { first } = this.#waiting;
    if (first === undefined) return this.#missing();
    if (now - this.#dueMs(this.#mediaMs) > surplusMsMax) return this.#restarted(now);
    const missing = first.sequence - this.#lastSequence - 1 - this.#rebuiltSinceLast;
    // The microphone was closed in between: its time decides, whatever was lost before.
    if (first.mediaMs - this.#mediaMs > missing * limits.packetMs + scatterMs) return this.#restarted(now);
    // What was guessed while nothing was there stands for what turns out to be lost.
    if (missing > 0)
      this.#mediaMs += Math.max(0, Math.min(this.#heldMs, first.mediaMs - this.#mediaMs - limits.packetMs));
    this.#heldMs = 0;
    const gapMs = first.mediaMs - this.#mediaMs;
    if (missing === 0 || gapMs <= limits.frameMs) return this.#played(first, now);
    if (gapMs <= limits.packetMs + limits.frameMs / 2) return this.#rebuilt(first);
    if (this.#concealedMs >= concealmentMsMax) return this.#restarted(now);
    this.#mediaMs += limits.frameMs;
    return this.#concealed(limits.frameMs);
  }

  /** Nothing is there, lost or late or never said: guess, and wait for it. What comes of it then plays that much later. */
  #missing(): JitterStep {
    if (this.#concealedMs >= concealmentMsMax) {
      this.#running = false;
      this.#heldMs = 0;
      return this.#silent(limits.frameMs);
    }
    this.#heldMs += heldStepMs;
    return this.#concealed(heldStepMs);
  }

  #restarted(now: number): JitterStep {
    this.#running = false;
    this.#heldMs = 0;
    return this.#started(now);
  }

  #silent(ms: number): JitterStep {
    this.#silence.ms = ms;
    return this.#silence;
  }

  #concealed(ms: number): JitterStep {
    this.#conceal.ms = ms;
    this.#concealedMs += ms;
    this.counts.framesConcealed += ms / limits.frameMs;
    return this.#conceal;
  }

  #rebuilt(from: WaitingPacket): JitterStep {
    this.#mediaMs = from.mediaMs;
    this.#rebuiltSinceLast += 1;
    this.#concealedMs = 0;
    this.counts.framesRebuilt += limits.packetMs / limits.frameMs;
    this.#rebuild.from = from.opus;
    return this.#rebuild;
  }

  #played(packet: WaitingPacket, now: number): JitterStep {
    const { sequence, mediaMs, capturedAt, opus } = packet;
    this.#countLost(sequence, mediaMs);
    const surplusMs = now - this.#dueMs(mediaMs);
    const step = this.#play;
    step.opus = opus;
    step.capturedAt = capturedAt;
    step.adjustMs =
      surplusMs >= surplusMsMin ? -surplusMs - overshootMs : surplusMs <= -lackMsMin ? -surplusMs + overshootMs : 0;
    step.joined = sequence === this.#lastSequence + 1 + this.#rebuiltSinceLast && this.#concealedMs === 0;
    this.#waiting.dropFirst();
    this.#lastSequence = sequence;
    this.#rebuiltSinceLast = 0;
    this.#mediaMs = this.#lastEndMs = mediaMs + limits.packetMs;
    this.#concealedMs = this.#heldMs = 0;
    this.counts.framesPlayed += limits.packetMs / limits.frameMs;
    return step;
  }

  /** Numbers that were skipped, unless no time passed for them: then nothing was ever said under them. */
  #countLost(sequence: number, mediaMs: number): void {
    if (this.#lastSequence < 0) return;
    const skipped = sequence - this.#lastSequence - 1 - this.#rebuiltSinceLast;
    const timePackets = Math.round((mediaMs - this.#lastEndMs) / limits.packetMs) - this.#rebuiltSinceLast;
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
    this.#waiting.clear();
    this.#delay.reset();
    this.#timeline.reset();
    this.#newestSequence = this.#lastSequence = -1;
    this.#mediaMs = Number.NEGATIVE_INFINITY;
    this.#running = false;
    this.#rebuiltSinceLast = this.#concealedMs = this.#heldMs = this.#behindInRow = 0;
  }
}
