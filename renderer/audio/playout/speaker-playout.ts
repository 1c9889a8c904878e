import { JitterBuffer, type JitterPacket, type JitterStep } from "../../../p2p/core/jitter/buffer.ts";
import type { Attention } from "../../../p2p/core/jitter/delay.ts";
import { ComfortNoise } from "../../../p2p/core/jitter/comfort-noise.ts";
import { Joiner } from "../../../p2p/core/jitter/join.ts";
import { Stretcher, stretchedSamplesMax } from "../../../p2p/core/jitter/stretch.ts";
import { sampleRateHz, type VoiceDecoder } from "../../../p2p/core/jitter/voice-codec.ts";
import { rmsOf } from "../level.ts";
import type { SpeakerStats } from "../types.ts";

/** A talk ends over 10 ms. */
const endSamples = 480;
/** Quieter than -52 dBFS is a pause in any voice that can be heard. */
const quietRms = 0.0025;
/** So is what is 30 dB below this speaker's own voice. */
const quietShare = 0.03;
/** What remains of the remembered loudness with each packet: it halves in 6 s. */
const loudnessKept = 0.995;

/**
 * One speaker's packets made into sound, block by block, as the sound device takes it. Beside what the decoder gives,
 * nothing is allocated.
 */
export class SpeakerPlayout {
  readonly #buffer = new JitterBuffer();
  readonly #stretcher = new Stretcher();
  readonly #noise = new ComfortNoise();
  readonly #joiner = new Joiner();
  #decoder: VoiceDecoder | undefined;
  /** Sound made; what lies between `#readyAt` and `#readyEnd` is not yet taken. */
  readonly #ready = new Float32Array(stretchedSamplesMax);
  #readyAt = 0;
  #readyEnd = 0;
  /** The Opus configuration of the packet that was played last: another one is of another layer, or of another strength. */
  #config = 0;
  #reconfigured = false;
  /** What was made last. */
  #last: JitterStep["kind"] = "silence";
  /** Whether that is to be heard. */
  #sounds = false;
  #loudest = 0;
  #delayMs = 0;

  /** Gives it the decoder it needs, and will free. Until then packets wait and nothing sounds. */
  attach(decoder: VoiceDecoder): void {
    this.#decoder = decoder;
  }

  setAttention(attention: Attention): void {
    this.#buffer.setAttention(attention);
  }

  /** Whether nothing waits or plays: at most the room behind this speaker still sounds. */
  get idle(): boolean {
    return this.#buffer.idle && !this.speaking;
  }

  /** Whether what was given last was speech, and not the room behind it. */
  get speaking(): boolean {
    return this.#last !== "silence";
  }

  /** Takes a packet, in any order. */
  push(packet: JitterPacket): void {
    this.#buffer.push(packet);
  }

  /** Fills `block` with the sound that begins at `now` (ms); false, and nothing filled in, when all of it is silence. */
  render(block: Float32Array, now: number): boolean {
    const decoder = this.#decoder;
    if (decoder === undefined || (this.idle && !this.#noise.sounds && this.#readyAt >= this.#readyEnd)) return false;
    let sounding = false;
    for (let filled = 0; filled < block.length;) {
      if (this.#readyAt >= this.#readyEnd) {
        const at = now + (filled * 1000) / sampleRateHz;
        this.#make(this.#buffer.pull(at), at, decoder);
      }
      const count = Math.min(block.length - filled, this.#readyEnd - this.#readyAt);
      for (let index = 0; index < count; index += 1) block[filled + index] = this.#ready[this.#readyAt + index]!;
      sounding ||= this.#sounds;
      this.#readyAt += count;
      filled += count;
    }
    return sounding;
  }

  /** `afterMs` is what passes between here and the ear. */
  stats(afterMs: number): SpeakerStats {
    const { framesPlayed, framesRebuilt, framesLost, packetsLate } = this.#buffer.counts;
    const latencyMs = this.speaking ? this.#delayMs + afterMs : null;
    return { framesPlayed, framesRebuilt, framesLost, packetsLate, targetMs: this.#buffer.targetMs, latencyMs };
  }

  /** Gives the decoder back. */
  free(): void {
    this.#decoder?.free();
  }

  /** Makes the sound of a step. */
  #make(step: JitterStep, now: number, decoder: VoiceDecoder): void {
    const last = this.#last;
    this.#last = step.kind;
    this.#readyAt = 0;
    this.#readyEnd = this.#made(step, last, now, decoder);
    // Only packets of one layer that follow each other, and guesses, go on by themselves; the end of a talk fades anyway.
    const goesOn = step.kind === last && (step.kind !== "play" || (step.joined && !this.#reconfigured));
    if (!goesOn && step.kind !== "silence") this.#joiner.join(this.#ready, this.#readyEnd);
    this.#sounds = step.kind !== "silence" || last !== "silence" || this.#noise.sounds;
    this.#joiner.remember(this.#ready, this.#readyEnd);
  }

  /** Gives its samples. */
  #made(step: JitterStep, last: JitterStep["kind"], now: number, decoder: VoiceDecoder): number {
    switch (step.kind) {
      case "play":
        this.#delayMs = now - step.capturedAt;
        return this.#played(step.opus, step.adjustMs, decoder);
      case "rebuild":
        return this.#as(decoder.decodeFec(step.from) ?? decoder.conceal());
      case "conceal":
        return this.#as(decoder.conceal((step.ms * sampleRateHz) / 1000));
      case "silence":
        return this.#silent(Math.max(1, Math.round((step.ms * sampleRateHz) / 1000)), last);
      default:
        return step satisfies never;
    }
  }

  #played(opus: Uint8Array, adjustMs: number, decoder: VoiceDecoder): number {
    const config = opus[0]! >> 3;
    this.#reconfigured = config !== this.#config;
    this.#config = config;
    const pcm = decoder.decode(opus);
    if (pcm === undefined) return this.#as(decoder.conceal());
    const rms = rmsOf(pcm);
    this.#loudest = Math.max(rms, this.#loudest * loudnessKept);
    this.#noise.learn(pcm, rms);
    const isQuiet = rms <= Math.max(quietRms, this.#loudest * quietShare);
    return this.#stretcher.stretch(pcm, adjustMs, isQuiet, this.#ready);
  }

  /** The end of a talk: what would have gone on fades into the room; then that, until it has faded too. */
  #silent(samples: number, last: JitterStep["kind"]): number {
    if (last === "silence") {
      this.#noise.fill(this.#ready, samples);
      return samples;
    }
    this.#noise.begin();
    const count = Math.min(samples, endSamples);
    this.#noise.fill(this.#ready, count);
    this.#joiner.fadeInto(this.#ready, count);
    return count;
  }

  #as(pcm: Float32Array): number {
    this.#ready.set(pcm);
    return pcm.length;
  }
}
