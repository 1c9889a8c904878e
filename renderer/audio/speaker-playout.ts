import { JitterBuffer, type JitterPacket, type JitterStep } from "../../p2p/core/jitter/buffer.ts";
import { frameSamples, packetSamples, sampleRateHz, type VoiceDecoder } from "../../p2p/core/jitter/voice-codec.ts";
import { rmsOf } from "./level.ts";
import type { SpeakerStats } from "./types.ts";

/** Two pieces are joined over 5 ms, so that no edge can be heard. */
const joinSamples = 240;
/** Quieter than -52 dBFS is a pause in any voice that can be heard. */
const quietRms = 0.0025;
/** So is what is 30 dB below this speaker's own voice. */
const quietShare = 0.03;
/** What remains of the remembered loudness with each packet: it halves in 6 s. */
const loudnessKept = 0.995;

/** One speaker's packets made into sound, block by block, as the sound device takes it. */
export class SpeakerPlayout {
  readonly #buffer = new JitterBuffer();
  #decoder: VoiceDecoder | undefined;
  /** Sound made and not yet taken. */
  #ready = new Float32Array();
  #readyAt = 0;
  #loudest = 0;
  #delayMs: number | null = null;

  /** Gives it the decoder it needs, and will free. Until then packets wait and nothing sounds. */
  attach(decoder: VoiceDecoder): void {
    this.#decoder = decoder;
  }

  /** Whether nothing waits or plays. */
  get idle(): boolean {
    return this.#buffer.idle && this.#readyAt >= this.#ready.length;
  }

  /** Takes a packet, in any order. */
  push(packet: JitterPacket): void {
    this.#buffer.push(packet);
  }

  /** Fills `block` with the sound that begins at `now` (ms); false, and nothing filled in, when all of it is silence. */
  render(block: Float32Array, now: number): boolean {
    const decoder = this.#decoder;
    if (decoder === undefined) return false;
    let sounding = false;
    for (let filled = 0; filled < block.length;) {
      if (this.#readyAt >= this.#ready.length) {
        const at = now + (filled * 1000) / sampleRateHz;
        this.#ready = this.#made(this.#buffer.pull(at), at, decoder);
        this.#readyAt = 0;
      }
      const count = Math.min(block.length - filled, this.#ready.length - this.#readyAt);
      block.set(this.#ready.subarray(this.#readyAt, this.#readyAt + count), filled);
      sounding ||= this.#delayMs !== null;
      this.#readyAt += count;
      filled += count;
    }
    return sounding;
  }

  /** `afterMs` is what passes between here and the ear. */
  stats(afterMs: number): SpeakerStats {
    const { framesPlayed, framesRebuilt, framesLost, packetsLate } = this.#buffer.counts;
    const latencyMs = this.#delayMs === null ? null : this.#delayMs + afterMs;
    return { framesPlayed, framesRebuilt, framesLost, packetsLate, targetMs: this.#buffer.targetMs, latencyMs };
  }

  /** Gives the decoder back. */
  free(): void {
    this.#decoder?.free();
  }

  #made(step: JitterStep, now: number, decoder: VoiceDecoder): Float32Array<ArrayBuffer> {
    switch (step.kind) {
      case "play": {
        this.#delayMs = now - step.capturedAt;
        const pcm = decoder.decode(step.opus);
        return pcm === undefined ? own(decoder.conceal()) : this.#adjusted(own(pcm), step.adjustMs);
      }
      case "rebuild":
        return own(decoder.decodeFec(step.from) ?? decoder.conceal());
      case "conceal":
        return own(decoder.conceal(frameSamples));
      case "silence":
        this.#delayMs = null;
        return new Float32Array(Math.max(1, Math.round((step.ms * sampleRateHz) / 1000)));
      default:
        return step satisfies never;
    }
  }

  /** In a pause, half a packet less or more brings the delay to its target unheard. */
  #adjusted(pcm: Float32Array<ArrayBuffer>, adjustMs: -20 | 0 | 20): Float32Array<ArrayBuffer> {
    const rms = rmsOf(pcm);
    this.#loudest = Math.max(rms, this.#loudest * loudnessKept);
    if (adjustMs === 0 || rms > Math.max(quietRms, this.#loudest * quietShare)) return pcm;
    return adjustMs < 0 ? shortened(pcm) : lengthened(pcm);
  }
}

function own(pcm: Float32Array): Float32Array<ArrayBuffer> {
  return pcm as Float32Array<ArrayBuffer>;
}

/** A packet without its middle frame's worth, both ends as they were. */
function shortened(pcm: Float32Array): Float32Array<ArrayBuffer> {
  return joinedAt(pcm, packetSamples / 4, packetSamples / 4 + frameSamples);
}

/** A packet with a frame's worth of its middle twice. */
function lengthened(pcm: Float32Array): Float32Array<ArrayBuffer> {
  return joinedAt(pcm, (packetSamples * 3) / 4, (packetSamples * 3) / 4 - frameSamples);
}

/** The sound up to `left` and, faded into it, what follows `right`. */
function joinedAt(pcm: Float32Array, left: number, right: number): Float32Array<ArrayBuffer> {
  const result = new Float32Array(left + pcm.length - right);
  result.set(pcm.subarray(0, left));
  result.set(pcm.subarray(right), left);
  for (let index = 0; index < joinSamples && left + index < pcm.length && right + index < pcm.length; index += 1) {
    const share = (index + 1) / (joinSamples + 1);
    result[left + index] = pcm[left + index]! * (1 - share) + pcm[right + index]! * share;
  }
  return result;
}
