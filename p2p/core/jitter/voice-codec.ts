import type { VoiceStrength } from "../../api/engine.ts";
import { limits } from "../../api/limits.ts";
import { isVoicePacket, lowPacketBytes, padPacket, richPacketBytes, voicePacketBytes } from "./opus-packet.ts";

/** Every sample inside Teahouse is mono float at this rate: what Opus decodes to. */
export const sampleRateHz = 48_000;
/** Samples of one packet: 1,920. */
export const packetSamples = (sampleRateHz * limits.packetMs) / 1000;
/** Samples of one frame, the unit of every count: 960. */
export const frameSamples = (sampleRateHz * limits.frameMs) / 1000;

/** 40 ms of a voice in both layers. */
export interface EncodedVoice {
  /** The normal layer: `voicePacketBytes`, or `richPacketBytes` while `rich`. */
  readonly opus: Uint8Array;
  /** The low layer: `lowPacketBytes`. */
  readonly low: Uint8Array;
}

/** Turns 40 ms of speech into one packet of each layer; keeps state from packet to packet. */
export interface VoiceEncoder {
  /** Takes 1,920 finite samples, gives bytes of its own. Anything else is our bug and throws. */
  encode(pcm: Float32Array): EncodedVoice;
  /** From the next packet on. Begins `copied`. */
  setStrength(strength: VoiceStrength): void;
  free(): void;
}

/**
 * Turns packets of one speaker into sound, 1,920 samples at a time; keeps state, so packets go in by order of
 * sequence, and each lost one is asked for by `decodeFec` or `conceal` in its place. Bytes are hostile: what is
 * not 40 ms of valid Opus gives undefined, never a throw, and leaves the decoder usable. No sample is beyond ±1.
 */
export interface VoiceDecoder {
  decode(opus: Uint8Array): Float32Array | undefined;
  /** The packet lost just before `next`, from the copy at a lower rate that `next` carries; concealed when it has none. */
  decodeFec(next: Uint8Array): Float32Array | undefined;
  /** A guess at what was lost, so many samples long, a whole packet if not said; fades out when repeated. */
  conceal(samples?: number): Float32Array;
  free(): void;
}

/** libopus's numbers for up to 8 kHz (wideband) and up to 20 kHz (fullband). */
type OpusBandwidth = 1103 | 1105;

/** What is used of libopus-wasm's encoder. */
export interface OpusEncoding {
  encodeFloat(pcm: Float32Array, options: { readonly maxPacketBytes: number }): Uint8Array;
  setBitrate(bitsPerSecond: number): void;
  setFec(enabled: boolean): void;
  setPacketLossPercent(percent: number): void;
  setMaxBandwidth(bandwidth: OpusBandwidth): void;
  free(): void;
}

/** What is used of libopus-wasm's decoder. */
export interface OpusDecoding {
  decodeFloat(opus: Uint8Array, options: { readonly decodeFec?: boolean; readonly frameSize?: number }): Float32Array;
  decodePacketLossFloat(samples: number): Float32Array;
  free(): void;
}

/** Of both layers: speech, no DTX, and 10 takes twice the time of 5 without any measurement of ours telling them apart. */
const encoderOptions = {
  sampleRate: sampleRateHz,
  channels: 1,
  frameSize: packetSamples,
  dtx: false,
  complexity: 5,
} as const;

/**
 * What libopus is asked for, beside `Application.Voip` and `Signal.Voice`, for the normal layer. It may use up to the
 * packet's bytes, and padding fills the rest: of its own constant bitrate of 24 kbit/s, the copies that FEC needs starve
 * loud syllables (measured on five synthetic voices: loudness correlates with the original by 0.86-0.96 instead of
 * 0.98-0.99, and encoding takes three times as long).
 */
const normalOptions = { ...encoderOptions, vbr: true, vbrConstraint: false } as const;

/**
 * The same for the low layer: libopus's own constant bitrate, and no copies, which starve it. Measured on five voices at 10
 * kbit/s: intelligibility (STOI) 0.951, and 0.940 with a variable bitrate; 0.954 at 10 to 12 with copies, which at these
 * rates rebuild no more than a guess does.
 */
const lowOptions = { ...encoderOptions, bitrate: 9_000, vbr: false, fec: false } as const;

interface Setting {
  readonly bitrate: number;
  readonly packetBytes: number;
  /** What libopus is told is lost; 0 is no copies. */
  readonly lossPercent: number;
  readonly bandwidth: OpusBandwidth;
}

/**
 * Measured on five voices (STOI; log-spectral distance in dB up to 8 kHz; STOI when one packet in four is rebuilt):
 * `plain` 0.970, 2.0, 0.78; `copied` 0.964, 2.3, 0.925; `rich` 0.986, 1.4, 0.956. With copies at 24 kbit/s libopus settles
 * on SILK in frames of 40 ms, so that a copy covers a whole packet, and so it does at 40 within 8 kHz; else it would choose
 * hybrid frames of 20 ms, half of which a copy could cover (0.89). Telling it of more loss than 10 % takes from the packets
 * more than it gives to the copies: 0.925 at 10, 0.923 at 15, 0.87 at 20.
 */
const settings: Readonly<Record<VoiceStrength, Setting>> = {
  plain: { bitrate: 22_000, packetBytes: voicePacketBytes, lossPercent: 0, bandwidth: 1105 },
  copied: { bitrate: 20_000, packetBytes: voicePacketBytes, lossPercent: 10, bandwidth: 1105 },
  rich: { bitrate: 30_000, packetBytes: richPacketBytes, lossPercent: 10, bandwidth: 1103 },
};

/** What libopus is asked for to decode. Mono: a stereo packet is mixed down by libopus. */
export const voiceDecoderOptions = { sampleRate: sampleRateHz, channels: 1, maxFrameSize: packetSamples } as const;

/** Both layers by libopus, which `create` makes with these options and for speech. Rejects as it does. */
export async function voiceEncoder(
  create: (options: typeof normalOptions | typeof lowOptions) => Promise<OpusEncoding>,
): Promise<VoiceEncoder> {
  const [normal, low] = await Promise.all([create(normalOptions), create(lowOptions)]);
  let setting: Setting;
  const setStrength = (strength: VoiceStrength): void => {
    setting = settings[strength];
    normal.setBitrate(setting.bitrate);
    normal.setFec(setting.lossPercent > 0);
    normal.setPacketLossPercent(setting.lossPercent);
    normal.setMaxBandwidth(setting.bandwidth);
  };
  const packet = (encoder: OpusEncoding, pcm: Float32Array, maxPacketBytes: number): Uint8Array =>
    padPacket(encoder.encodeFloat(pcm, { maxPacketBytes }), maxPacketBytes);
  setStrength("copied");
  return {
    encode: (pcm) => ({ opus: packet(normal, pcm, setting.packetBytes), low: packet(low, pcm, lowPacketBytes) }),
    setStrength,
    free: () => {
      normal.free();
      low.free();
    },
  };
}

/** libopus, made with `voiceDecoderOptions`, for hostile packets. */
export function voiceDecoder(decoder: OpusDecoding): VoiceDecoder {
  const guarded = (opus: Uint8Array, decodeFec: boolean): Float32Array | undefined => {
    if (!isVoicePacket(opus)) return undefined;
    try {
      const options = decodeFec ? { decodeFec, frameSize: packetSamples } : {};
      const pcm = decoder.decodeFloat(opus, options);
      return pcm.length === packetSamples ? bounded(pcm) : undefined;
    } catch {
      // libopus found the frames inside the packet malformed.
      return undefined;
    }
  };
  return {
    decode: (opus) => guarded(opus, false),
    decodeFec: (next) => guarded(next, true),
    conceal: (samples = packetSamples) => bounded(decoder.decodePacketLossFloat(samples)),
    free: () => decoder.free(),
  };
}

/**
 * Garbage that is Opus by its first bytes decodes to a million times what a loudspeaker can play, which no levelling would
 * bring back: it is as loud as the loudest voice and no louder. In place.
 */
function bounded(pcm: Float32Array): Float32Array {
  for (let index = 0; index < pcm.length; index += 1) {
    const sample = pcm[index]!;
    pcm[index] = sample > 1 ? 1 : sample < -1 ? -1 : sample || 0;
  }
  return pcm;
}
