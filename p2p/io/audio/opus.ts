import {
  voiceDecoder,
  voiceDecoderOptions,
  voiceEncoder,
  voiceEncoderOptions,
  type VoiceDecoder,
  type VoiceEncoder,
} from "../../core/jitter/voice-codec.ts";

export { isVoicePacket, opusDurationMs, padPacket, voicePacketBytes } from "../../core/jitter/opus-packet.ts";
export type { VoiceDecoder, VoiceEncoder } from "../../core/jitter/voice-codec.ts";

/** libopus for speech. Rejects only when it cannot be loaded. */
export async function createVoiceEncoder(): Promise<VoiceEncoder> {
  const { Application, Signal, createEncoder } = await import("libopus-wasm");
  return voiceEncoder(
    await createEncoder({ ...voiceEncoderOptions, application: Application.Voip, signal: Signal.Voice }),
  );
}

/** libopus for hostile packets. Rejects only when it cannot be loaded. */
export async function createVoiceDecoder(): Promise<VoiceDecoder> {
  const { createDecoder } = await import("libopus-wasm");
  return voiceDecoder(await createDecoder(voiceDecoderOptions));
}
