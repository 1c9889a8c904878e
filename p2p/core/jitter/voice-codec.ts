import { limits } from "../../api/limits.ts";
import { isVoicePacket, padPacket, voicePacketBytes } from "./opus-packet.ts";

/** Every sample inside Teahouse is mono float at this rate: what Opus decodes to. */
export const sampleRateHz = 48_000;
/** Samples of one packet: 1,920. */
export const packetSamples = (sampleRateHz * limits.packetMs) / 1000;
/** Samples of one frame, the unit of every count: 960. */
export const frameSamples = (sampleRateHz * limits.frameMs) / 1000;

/**
 * What libopus aims at. It may use up to `voicePacketBytes` for a packet, and padding fills the rest. Measured on five
 * synthetic voices against its own constant bitrate of 24 kbit/s, where the copies that FEC needs starve loud
 * syllables: loudness correlates with the original by 0.98-0.99 instead of 0.86-0.96, rebuilt packets are nearer to the
 * lost ones, and encoding takes 0.4 ms a packet instead of 1.4 ms.
 */
const targetBitsPerSecond = 20_000;

/** Turns 40 ms of speech into one packet; keeps state from packet to packet. */
export interface VoiceEncoder {
  /** Takes 1,920 finite samples, gives `voicePacketBytes` bytes of its own. Anything else is our bug and throws. */
  encode(pcm: Float32Array): Uint8Array;
  free(): void;
}

/**
 * Turns packets of one speaker into sound, 1,920 samples at a time; keeps state, so packets go in by order of
 * sequence, and each lost one is asked for by `decodeFec` or `conceal` in its place. Bytes are hostile: what is
 * not 40 ms of valid Opus gives undefined, never a throw, and leaves the decoder usable.
 */
export interface VoiceDecoder {
  decode(opus: Uint8Array): Float32Array | undefined;
  /** The packet lost just before `next`, from the copy at a lower rate that `next` carries; concealed when it has none. */
  decodeFec(next: Uint8Array): Float32Array | undefined;
  /** A guess at what was lost, so many samples long, a whole packet if not said; fades out when repeated. */
  conceal(samples?: number): Float32Array;
  free(): void;
}

/** What is used of libopus-wasm's encoder. */
export interface OpusEncoding {
  encodeFloat(pcm: Float32Array, options: { readonly maxPacketBytes: number }): Uint8Array;
  free(): void;
}

/** What is used of libopus-wasm's decoder. */
export interface OpusDecoding {
  decodeFloat(opus: Uint8Array, options: { readonly decodeFec?: boolean; readonly frameSize?: number }): Float32Array;
  decodePacketLossFloat(samples: number): Float32Array;
  free(): void;
}

/**
 * What libopus is asked for beside `Application.Voip` and `Signal.Voice`: speech of constant size, no DTX, and a copy of
 * each packet in its successor (in-band FEC). With FEC at this rate libopus 1.6 settles on SILK in single frames of
 * 40 ms (up to 6 kHz), so that the copy covers a whole packet; without FEC it would choose fullband hybrid frames of
 * 20 ms, half of which a copy could cover.
 */
export const voiceEncoderOptions = {
  sampleRate: sampleRateHz,
  channels: 1,
  frameSize: packetSamples,
  bitrate: targetBitsPerSecond,
  vbr: true,
  vbrConstraint: false,
  dtx: false,
  fec: true,
  packetLossPercent: 10,
  // 10 takes twice the time, and no measurement of ours on speech could tell them apart.
  complexity: 5,
} as const;

/** What libopus is asked for to decode. Mono: a stereo packet is mixed down by libopus. */
export const voiceDecoderOptions = { sampleRate: sampleRateHz, channels: 1, maxFrameSize: packetSamples } as const;

/** libopus, made with `voiceEncoderOptions`, as our encoder. */
export function voiceEncoder(encoder: OpusEncoding): VoiceEncoder {
  return {
    encode: (pcm) => padPacket(encoder.encodeFloat(pcm, { maxPacketBytes: voicePacketBytes }), voicePacketBytes),
    free: () => encoder.free(),
  };
}

/** libopus, made with `voiceDecoderOptions`, for hostile packets. */
export function voiceDecoder(decoder: OpusDecoding): VoiceDecoder {
  const guarded = (opus: Uint8Array, decodeFec: boolean): Float32Array | undefined => {
    if (!isVoicePacket(opus)) return undefined;
    try {
      const options = decodeFec ? { decodeFec, frameSize: packetSamples } : {};
      const pcm = decoder.decodeFloat(opus, options);
      return pcm.length === packetSamples ? pcm : undefined;
    } catch {
      // libopus found the frames inside the packet malformed.
      return undefined;
    }
  };
  return {
    decode: (opus) => guarded(opus, false),
    decodeFec: (next) => guarded(next, true),
    conceal: (samples = packetSamples) => decoder.decodePacketLossFloat(samples),
    free: () => decoder.free(),
  };
}
