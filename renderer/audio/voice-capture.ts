import { packetSamples, sampleRateHz } from "../../p2p/core/jitter/voice-codec.ts";
import { CaptureClock } from "./capture-clock.ts";
import type { Gate } from "./edges.ts";
import { LevelMeter } from "./level.ts";
import type { PacketEncoder } from "./packet-encoder.ts";

/**
 * Blocks of a microphone's sound on their way to packets. While the gate is not `live` no sample is kept, and the
 * encoder begins anew with each opening: its copies for lost packets must not carry what was said before.
 */
export class VoiceCapture {
  readonly #encoder: PacketEncoder;
  readonly #meter: LevelMeter;
  readonly #clock = new CaptureClock();
  readonly #deviceLatencyMs: number;
  #gate: Gate = "shut";
  #packet = new Float32Array(packetSamples);
  #filled = 0;
  #capturedAt = 0;

  /** `onRms` is told the loudness 20 times a second; `deviceLatencyMs` is how old sound is when it comes. */
  constructor(encoder: PacketEncoder, onRms: (rms: number) => void, deviceLatencyMs: number) {
    this.#encoder = encoder;
    this.#meter = new LevelMeter(onRms);
    this.#deviceLatencyMs = deviceLatencyMs;
  }

  /** Nothing that was gathered before goes on. */
  setGate(gate: Gate): void {
    if (gate === this.#gate) return;
    if (gate === "shut") {
      this.#meter.reset();
      this.#clock.reset();
    }
    if (gate === "live") this.#encoder.reset();
    this.#filled = 0;
    this.#gate = gate;
  }

  /** Takes the next block, which came at `at` (Unix ms). */
  take(block: Float32Array, at: number): void {
    if (this.#gate === "shut") return;
    this.#meter.add(block);
    const blockMs = (block.length * 1000) / sampleRateHz;
    const capturedAt = this.#clock.captured(at, blockMs) - this.#deviceLatencyMs;
    if (this.#gate !== "live") return;
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
}
