import type { HeardPacket } from "../../api/engine.ts";
import { limits } from "../../api/limits.ts";
import type { VoiceDecoder } from "./opus.ts";
import { isVoicePacket } from "./opus.ts";
import { frameSamples } from "./pcm.ts";

/** What became of one speaker's frames (20 ms each) so far, and of packets that were of no use. */
export interface PlayoutCounts {
  /** Played from their own packet. */
  framesOnTime: number;
  /** Rebuilt or guessed, because their packet was not there in time. */
  framesConcealed: number;
  /** Those of `framesConcealed` that were rebuilt from the copy in the next packet. */
  framesRebuilt: number;
  packetsLate: number;
  packetsDuplicate: number;
  /** Too long, not 40 ms of Opus, or with a sequence or time that cannot be. */
  packetsUnusable: number;
}

/** Nothing has happened yet. */
export function zeroCounts(): PlayoutCounts {
  return {
    framesOnTime: 0,
    framesConcealed: 0,
    framesRebuilt: 0,
    packetsLate: 0,
    packetsDuplicate: 0,
    packetsUnusable: 0,
  };
}

/** Capture to ear; the figure that the command-line contract calls on time. */
export const playoutDelayMs = 400;
/** After so much guessing a listener hears a robot, not a speaker; silence is more honest. */
const concealmentMsMax = 120;
/** Packets kept at once: five times what 400 ms need. */
const packetsKeptMax = 50;
/** A capture time so far after its receipt is a clock that this playout cannot serve. */
const aheadMsMax = packetsKeptMax * limits.packetMs;
/** Capture times may jitter by so much around 40 ms a packet before we believe that the speaker paused. */
const jitterMs = limits.packetMs;

/**
 * The sound of one speaker, a fixed 400 ms after capture. It stands in for the jitter buffer wherever both clocks are
 * one machine's. Nothing is decoded before its time has come, so that the copy in a successor can be used; packets
 * count as there from their `receivedAt` on, so what comes out does not depend on when it is asked for.
 */
export class FixedPlayout {
  readonly counts = zeroCounts();
  readonly #decoder: VoiceDecoder;
  readonly #packets = new Map<number, HeardPacket>();
  /** Second half of the packet that is being played. */
  #rest: Float32Array | undefined;
  /** The sequence after the last one that was played, guessed or passed over. */
  #next = 0;
  /** Whether `#next` is due right after what was played last; otherwise its capture time decides. */
  #running = false;
  #concealedMs = 0;

  constructor(decoder: VoiceDecoder) {
    this.#decoder = decoder;
  }

  /** Whether any packet waits or plays: if not, the speaker is silent until the next `push`. */
  get idle(): boolean {
    return !this.#running && this.#rest === undefined && this.#packets.size === 0;
  }

  /** Takes a packet, in any order. It is opened, yet its content is still a stranger's. */
  push(packet: HeardPacket): void {
    // Without a bound, one packet from the far future would hold up all that follow it.
    const aheadMs = packet.capturedAt - packet.receivedAt;
    const sane = Number.isSafeInteger(packet.sequence) && packet.sequence >= 0 && aheadMs <= aheadMsMax;
    if (!sane || !isVoicePacket(packet.opus)) this.counts.packetsUnusable += 1;
    else if (packet.sequence < this.#next) this.counts.packetsLate += 1;
    else if (this.#packets.has(packet.sequence)) this.counts.packetsDuplicate += 1;
    else if (this.#packets.size >= packetsKeptMax) this.counts.packetsUnusable += 1;
    else this.#packets.set(packet.sequence, packet);
  }

  /** The next 20 ms, which begin to play at `atMs`; undefined is silence. Call it for every 20 ms, in order. */
  render(atMs: number): Float32Array | undefined {
    const rest = this.#rest;
    this.#rest = undefined;
    if (rest !== undefined) return rest;
    const packet = this.#running ? this.#continued(atMs) : this.#started(atMs);
    if (packet === undefined) return undefined;
    this.#next += 1;
    this.#rest = packet.subarray(frameSamples);
    return packet.subarray(0, frameSamples);
  }

  /** After silence: the first packet whose time has come within this block. */
  #started(atMs: number): Float32Array | undefined {
    for (;;) {
      const packet = this.#lowest(atMs);
      if (packet === undefined || dueMs(packet) > atMs) return undefined;
      this.#next = packet.sequence;
      if (dueMs(packet) > atMs - limits.frameMs) {
        this.#running = true;
        return this.#played(packet);
      }
      this.#dropLate(packet);
    }
  }

  /** In the flow of speech: the expected packet, or what stands in for it. */
  #continued(atMs: number): Float32Array | undefined {
    for (;;) {
      const packet = this.#at(this.#next, atMs);
      if (packet === undefined) return this.#replaced(atMs);
      if (dueMs(packet) > atMs + jitterMs) {
        this.#running = false;
        return undefined;
      }
      if (dueMs(packet) > atMs - jitterMs - limits.frameMs) return this.#played(packet);
      this.#dropLate(packet);
    }
  }

  #played(packet: HeardPacket): Float32Array {
    this.#packets.delete(packet.sequence);
    const pcm = this.#decoder.decode(packet.opus);
    if (pcm === undefined) {
      this.counts.packetsUnusable += 1;
      return this.#concealed();
    }
    this.counts.framesOnTime += 2;
    this.#concealedMs = 0;
    return pcm;
  }

  /** The expected packet is not there: from its successor, by a guess, or not at all. */
  #replaced(atMs: number): Float32Array | undefined {
    const later = this.#lowest(atMs);
    const successor = later?.sequence === this.#next + 1 ? later : undefined;
    const dueByLater = later === undefined ? atMs : dueMs(later) - (later.sequence - this.#next) * limits.packetMs;
    if (dueByLater <= atMs + jitterMs) {
      const rebuilt = successor === undefined ? undefined : this.#decoder.decodeFec(successor.opus);
      if (rebuilt !== undefined) {
        this.counts.framesConcealed += 2;
        this.counts.framesRebuilt += 2;
        this.#concealedMs = 0;
        return rebuilt;
      }
      if (this.#concealedMs < concealmentMsMax) return this.#concealed();
    }
    this.#running = false;
    this.#concealedMs = 0;
    // What has come for this very moment may play now, after an outage that skipped sequences.
    return this.#started(atMs);
  }

  #concealed(): Float32Array {
    this.counts.framesConcealed += 2;
    this.#concealedMs += limits.packetMs;
    return this.#decoder.conceal();
  }

  #dropLate(packet: HeardPacket): void {
    this.#packets.delete(packet.sequence);
    this.counts.packetsLate += 1;
    this.#next = packet.sequence + 1;
  }

  #at(sequence: number, atMs: number): HeardPacket | undefined {
    const packet = this.#packets.get(sequence);
    return packet !== undefined && packet.receivedAt <= atMs ? packet : undefined;
  }

  #lowest(atMs: number): HeardPacket | undefined {
    let lowest: HeardPacket | undefined;
    for (const packet of this.#packets.values()) {
      if (packet.receivedAt > atMs || packet.sequence < this.#next) continue;
      if (lowest === undefined || packet.sequence < lowest.sequence) lowest = packet;
    }
    return lowest;
  }
}

/** When the packet's first sample is to be heard. */
function dueMs(packet: HeardPacket): number {
  return packet.capturedAt + playoutDelayMs;
}
