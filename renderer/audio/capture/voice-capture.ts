import type { VoiceStrength } from "../../../p2p/api/engine.ts";
import { packetSamples, sampleRateHz } from "../../../p2p/core/jitter/voice-codec.ts";
import { CaptureClock } from "./capture-clock.ts";
import type { Gate } from "../edges.ts";
import { LevelMeter } from "../level.ts";
import type { PacketEncoder } from "./packet-encoder.ts";
import { maskDelayMs, type VoiceMask } from "../mask/voice-mask.ts";

/** What a capture is told and tells. */
export interface VoiceCaptureOptions {
  /** How old sound is when it comes, in ms. */
  readonly deviceLatencyMs: number;
  /** Told the loudness of the microphone, 20 times a second. */
  readonly onRms: (rms: number) => void;
  /** Told what `record` kept. */
  readonly onRecorded: (pcm: Float32Array<ArrayBuffer>) => void;
}

/**
 * Blocks of a microphone's sound on their way to packets. While the gate is not `live` no sample is kept but for a
 * recording, and the encoder begins anew with each opening: its copies for lost packets must not carry what was said
 * before. With a mask, nothing but the masked voice goes further than the level.
 */
export class VoiceCapture {
  readonly #encoder: PacketEncoder;
  readonly #options: VoiceCaptureOptions;
  readonly #meter: LevelMeter;
  readonly #clock = new CaptureClock();
  #gate: Gate = "shut";
  #mask: VoiceMask | undefined;
  #packet = new Float32Array(packetSamples);
  #filled = 0;
  #capturedAt = 0;
  #recording: Float32Array<ArrayBuffer> | undefined;
  #recorded = 0;

  constructor(encoder: PacketEncoder, options: VoiceCaptureOptions) {
    this.#encoder = encoder;
    this.#options = options;
    this.#meter = new LevelMeter(options.onRms);
  }

  /** Nothing that was gathered before goes on. */
  setGate(gate: Gate): void {
    if (gate === this.#gate) return;
    if (gate === "shut") {
      this.#meter.reset();
      this.#clock.reset();
    }
    if (gate === "live") {
      this.#mask?.forget();
      this.#begin();
    }
    this.#gate = gate;
  }

  /** Whose voice leaves from now on: one's own, without one. */
  setMask(mask: VoiceMask | undefined): void {
    this.#mask = mask;
    this.#begin();
  }

  /** How the normal layer is made from now on. */
  setStrength(strength: VoiceStrength): void {
    this.#encoder.setStrength(strength);
  }

  /** Keeps so many samples of what others would hear, then tells them; 0 tells what there is so far. */
  record(samples: number): void {
    if (samples > 0) {
      this.#recording = new Float32Array(samples);
      this.#recorded = 0;
    } else this.#endRecording();
  }

  /** Takes the next block, which came at `at` (Unix ms). It may be written over. */
  take(block: Float32Array, at: number): void {
    if (this.#gate === "shut") return;
    bound(block);
    this.#meter.add(block);
    const blockMs = (block.length * 1000) / sampleRateHz;
    const maskMs = this.#mask === undefined ? 0 : maskDelayMs;
    const capturedAt = this.#clock.captured(at, blockMs) - this.#options.deviceLatencyMs - maskMs;
    if (this.#gate !== "live" && this.#recording === undefined) return;
    this.#mask?.apply(block);
    this.#keep(block);
    if (this.#gate === "live") this.#pack(block, capturedAt);
  }

  #begin(): void {
    this.#encoder.reset();
    this.#filled = 0;
  }

  #pack(block: Float32Array, capturedAt: number): void {
    for (let start = 0; start < block.length;) {
      if (this.#filled === 0) this.#capturedAt = capturedAt + (start * 1000) / sampleRateHz;
      const piece = block.subarray(start, start + packetSamples - this.#filled);
      this.#packet.set(piece, this.#filled);
      this.#filled += piece.length;
      start += piece.length;
      if (this.#filled < packetSamples) continue;
      this.#encoder.encode(this.#packet, this.#capturedAt);
      this.#packet = new Float32Array(packetSamples);
      this.#filled = 0;
    }
  }

  #keep(block: Float32Array): void {
    const recording = this.#recording;
    if (recording === undefined) return;
    const piece = block.subarray(0, recording.length - this.#recorded);
    recording.set(piece, this.#recorded);
    this.#recorded += piece.length;
    if (this.#recorded === recording.length) this.#endRecording();
  }

  #endRecording(): void {
    const recording = this.#recording;
    this.#recording = undefined;
    if (recording !== undefined) this.#options.onRecorded(recording.slice(0, this.#recorded));
  }
}

/** Broken drivers give what is no number, of which averages never recover, or what no device could play. In place. */
function bound(block: Float32Array): void {
  for (let index = 0; index < block.length; index += 1) {
    const sample = block[index]!;
    block[index] = sample > 1 ? 1 : sample < -1 ? -1 : sample || 0;
  }
}
