import { Application, createEncoder, Signal } from "libopus-wasm";
import { voiceEncoder, voiceEncoderOptions, type VoiceEncoder } from "../../p2p/core/jitter/voice-codec.ts";

/** Takes the packets that an encoder makes; `capturedAt` is when their first sample was captured, in Unix ms. */
export type PacketSink = (opus: Uint8Array, capturedAt: number) => void;

/** Makes packets of `voicePacketBytes` bytes out of 40 ms of sound each; they come out in order, perhaps later. */
export interface PacketEncoder {
  encode(pcm: Float32Array<ArrayBuffer>, capturedAt: number): void;
  /** Forgets what was said: the next packet knows nothing of those before. What is still on its way out is dropped. */
  reset(): void;
}

/** libopus in WASM, as the engine's own encoder. Rejects when it cannot be loaded. */
export async function createWasmVoiceEncoder(): Promise<VoiceEncoder> {
  return voiceEncoder(
    await createEncoder({ ...voiceEncoderOptions, application: Application.Voip, signal: Signal.Voice }),
  );
}

/** Packets by libopus in WASM: 0.4 ms each. `onBroken` is told when it cannot be made again. */
export async function createWasmPacketEncoder(sink: PacketSink, onBroken: () => void): Promise<PacketEncoder> {
  let current = await createWasmVoiceEncoder();
  /** Made ahead, since making one takes a turn and the first word must not wait for it. */
  let spare: VoiceEncoder | undefined = await createWasmVoiceEncoder();
  return {
    encode: (pcm, capturedAt) => sink(current.encode(pcm), capturedAt),
    reset: () => {
      if (spare === undefined) return;
      current.free();
      current = spare;
      spare = undefined;
      createWasmVoiceEncoder().then((fresh) => (spare = fresh), onBroken);
    },
  };
}
