import {
  voiceDecoder,
  voiceDecoderOptions,
  voiceEncoder,
  type VoiceDecoder,
  type VoiceEncoder,
} from "../../core/jitter/voice-codec.ts";

export {
  isVoicePacket,
  opusDurationMs,
  lowPacketBytes,
  padPacket,
  richPacketBytes,
  voicePacketBytes,
} from "../../core/jitter/opus-packet.ts";
export type { EncodedVoice, VoiceDecoder, VoiceEncoder } from "../../core/jitter/voice-codec.ts";

/** libopus for speech. Rejects only when it cannot be loaded. */
export async function createVoiceEncoder(): Promise<VoiceEncoder> {
  const { Application, Signal, createEncoder } = await import("libopus-wasm");
  return voiceEncoder((options) => createEncoder({ ...options, application: Application.Voip, signal: Signal.Voice }));
}

/** libopus for hostile packets. Rejects only when it cannot be loaded. */
export async function createVoiceDecoder(): Promise<VoiceDecoder> {
  const { createDecoder } = await import("libopus-wasm");
  return voiceDecoder(await createDecoder(voiceDecoderOptions));
}
