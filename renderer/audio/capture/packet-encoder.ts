import { Application, createEncoder, Signal } from "libopus-wasm";
import type { VoiceStrength } from "../../../p2p/api/engine.ts";
import { voiceEncoder, type EncodedVoice, type VoiceEncoder } from "../../../p2p/core/jitter/voice-codec.ts";

/** Takes the packets that an encoder makes; `capturedAt` is when their first sample was captured, in Unix ms. */
export type PacketSink = (packet: EncodedVoice, capturedAt: number) => void;

/** Makes packets of both layers out of 40 ms of sound each. */
export interface PacketEncoder {
  encode(pcm: Float32Array<ArrayBuffer>, capturedAt: number): void;
  /** How the normal layer is made from the next packet on. */
  setStrength(strength: VoiceStrength): void;
  /** Forgets what was said: the next packet knows nothing of those before. */
  reset(): void;
}

/**
 * libopus in WASM, as the engine's own encoder. Not the browser's: WebCodecs knows no greatest size of a packet, makes
 * copies only at bitrates at which every tenth packet is too long, and cannot be told of losses without beginning anew.
 * Both layers together take 0.7 ms of 40.
 */
function createWasmVoiceEncoder(): Promise<VoiceEncoder> {
  return voiceEncoder((options) => createEncoder({ ...options, application: Application.Voip, signal: Signal.Voice }));
}

/** Packets by libopus in WASM. Rejects when it cannot be loaded; `onBroken` is told when it cannot be made again. */
export async function createWasmPacketEncoder(sink: PacketSink, onBroken: () => void): Promise<PacketEncoder> {
  let current = await createWasmVoiceEncoder();
  /** Made ahead, since making one takes a turn and the first word must not wait for it. */
  let spare: VoiceEncoder | undefined = await createWasmVoiceEncoder();
  let strength: VoiceStrength = "copied";
  return {
    encode: (pcm, capturedAt) => sink(current.encode(pcm), capturedAt),
    setStrength: (next) => {
      strength = next;
      current.setStrength(next);
    },
    reset: () => {
      if (spare === undefined) return;
      current.free();
      current = spare;
      current.setStrength(strength);
      spare = undefined;
      createWasmVoiceEncoder().then((fresh) => (spare = fresh), onBroken);
    },
  };
}
