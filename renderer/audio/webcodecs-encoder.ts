import { isVoicePacket, padPacket, voicePacketBytes } from "../../p2p/core/jitter/opus-packet.ts";
import { packetSamples, sampleRateHz, type VoiceEncoder } from "../../p2p/core/jitter/voice-codec.ts";
import type { PacketEncoder, PacketSink } from "./packet-encoder.ts";

/**
 * What libopus inside the browser aims at. WebCodecs knows no greatest size of a packet, and constant bitrate starves
 * loud syllables: of 7.9 s of speech with copies for lost packets, Chromium 156 keeps a loudness correlation of 0.80-0.87
 * at a constant 24 kbit/s, and 0.986 at a variable 18, where 1 packet of 198 is longer than 120 bytes.
 */
const targetBitsPerSecond = 18_000;
/** At 10 and this bitrate libopus chooses 20 ms hybrid frames, of which a copy covers half; at 20, 40 ms of SILK. */
const packetLossPercent = 20;

/** A packet's duration in µs. */
const packetMicros = 40_000;

/** How the browser's encoder is set up; `packetLossPercent` decides whether packets carry copies. */
function webCodecsConfig(lossPercent: number): AudioEncoderConfig {
  const opus = {
    format: "opus",
    frameDuration: packetMicros,
    application: "voip",
    signal: "voice",
    packetlossperc: lossPercent,
    useinbandfec: true,
    usedtx: false,
    complexity: 5,
  } as const;
  return {
    codec: "opus",
    sampleRate: sampleRateHz,
    numberOfChannels: 1,
    bitrate: targetBitsPerSecond,
    bitrateMode: "variable",
    opus,
  };
}

/** Whether a packet is one SILK frame of 40 ms with a copy of the packet before it (RFC 6716, 4.2.3 and 4.2.4). */
export function carriesCopy(opus: Uint8Array): boolean {
  const [toc = 0, first = 0] = opus;
  const config = toc >> 3;
  const isSilk40 = config < 12 && (config & 3) === 2;
  // One bit of voice activity for each 20 ms, then the bit that says that a copy follows.
  return isSilk40 && (toc & 7) === 0 && (first & 0x20) !== 0;
}

/** The sound of one packet on its way through the encoder. */
interface Spoken {
  readonly pcm: Float32Array<ArrayBuffer>;
  readonly capturedAt: number;
}

/** The browser's libopus: packets of whatever size. The constructor throws where there is no such encoder. */
class RawWebCodecs {
  readonly #encoder: AudioEncoder;
  readonly #config: AudioEncoderConfig;
  /** What is numbered by the encoder's timestamps, which it counts up itself: packets that it leaves out shift nothing. */
  #taken = 0;

  /** `sink` takes packets with their number, from 0 since the last reset; `onError` ends it. */
  constructor(lossPercent: number, sink: (opus: Uint8Array, number: number) => void, onError: () => void) {
    this.#config = webCodecsConfig(lossPercent);
    this.#encoder = new AudioEncoder({
      output: (chunk) => {
        const opus = new Uint8Array(chunk.byteLength);
        chunk.copyTo(opus);
        sink(opus, Math.round(chunk.timestamp / packetMicros));
      },
      error: onError,
    });
    this.#encoder.configure(this.#config);
  }

  /** Takes 40 ms. */
  encode(pcm: Float32Array<ArrayBuffer>): void {
    const data = new AudioData({
      format: "f32-planar",
      sampleRate: sampleRateHz,
      numberOfFrames: pcm.length,
      numberOfChannels: 1,
      timestamp: this.#taken * packetMicros,
      data: pcm,
    });
    this.#taken += 1;
    this.#encoder.encode(data);
    data.close();
  }

  /** Forgets everything, also what is still on its way out. */
  reset(): void {
    this.#encoder.reset();
    this.#encoder.configure(this.#config);
    this.#taken = 0;
  }

  /** Resolves when everything is out. */
  async finish(): Promise<void> {
    await this.#encoder.flush();
    this.#encoder.close();
  }
}

/**
 * Packets by WebCodecs. What comes out longer than it may be is made once more by `mender`, which first hears the two
 * packets before it, so that what it makes fits what decoders remember.
 */
export function createWebCodecsPacketEncoder(
  mender: VoiceEncoder,
  sink: PacketSink,
  onBroken: () => void,
): PacketEncoder {
  /** By number: what is on its way out, and two packets before it. */
  const spoken = new Map<number, Spoken>();
  let next = 0;
  const fitting = (opus: Uint8Array, number: number): Uint8Array => {
    if (opus.length <= voicePacketBytes) return padPacket(opus, voicePacketBytes);
    const heard = [number - 2, number - 1, number].flatMap((each) => spoken.get(each) ?? []);
    return heard.map(({ pcm }) => mender.encode(pcm)).at(-1)!;
  };
  const raw = new RawWebCodecs(
    packetLossPercent,
    (opus, number) => {
      const { capturedAt } = spoken.get(number) ?? {};
      if (capturedAt !== undefined && isVoicePacket(opus)) sink(fitting(opus, number), capturedAt);
      for (const older of spoken.keys()) if (older < number - 1) spoken.delete(older);
    },
    onBroken,
  );
  return {
    encode: (pcm, capturedAt) => {
      spoken.set(next, { pcm, capturedAt });
      next += 1;
      raw.encode(pcm);
    },
    reset: () => {
      spoken.clear();
      next = 0;
      raw.reset();
    },
  };
}

/** Speech that the test encodes: 2 s. */
const testPackets = 50;
/** Pauses need no copy; of speech nearly every packet must have one, or losses would be heard. */
const copiedShareMin = 0.6;
/** What must be made again costs twice. */
const overlongShareMax = 0.1;

/**
 * Whether this browser's encoder makes what we send: 40 ms a packet, within the size but for a few, with copies when it
 * is told of losses, and without when it is not, which shows that the telling works. Never rejects.
 */
export async function webCodecsPasses(): Promise<boolean> {
  if (typeof AudioEncoder === "undefined" || typeof AudioData === "undefined") return false;
  try {
    const plain = await testRun(0);
    const protectedRun = await testRun(packetLossPercent);
    const share = (packets: readonly Uint8Array[], holds: (opus: Uint8Array) => boolean): number =>
      packets.filter(holds).length / packets.length;
    return (
      protectedRun.length >= testPackets &&
      protectedRun.every(isVoicePacket) &&
      share(protectedRun, carriesCopy) >= copiedShareMin &&
      share(protectedRun, ({ length }) => length > voicePacketBytes) <= overlongShareMax &&
      share(plain, carriesCopy) < share(protectedRun, carriesCopy) / 2
    );
  } catch {
    return false;
  }
}

async function testRun(lossPercent: number): Promise<Uint8Array[]> {
  const packets: Uint8Array[] = [];
  let failed = false;
  const raw = new RawWebCodecs(
    lossPercent,
    (opus) => packets.push(opus),
    () => (failed = true),
  );
  for (let index = 0; index < testPackets; index += 1) raw.encode(speechLike(index * packetSamples));
  await raw.finish();
  return failed ? [] : packets;
}

/** A buzzing voice of 120 Hz with breath, in syllables of a third of a second; always the same. */
function speechLike(start: number): Float32Array<ArrayBuffer> {
  const pcm = new Float32Array(packetSamples);
  let noise = 1;
  let breath = 0;
  for (let index = 0; index < packetSamples; index += 1) {
    const at = start + index;
    noise = (Math.imul(noise, 1_664_525) + 1_013_904_223 + start) >>> 0;
    breath = breath * 0.95 + (noise / 2 ** 31 - 1) * 0.05;
    const buzz = at % 400 < 40 ? 0.3 : -0.03;
    pcm[index] = Math.abs(Math.sin((at / sampleRateHz) * Math.PI * 3)) * (buzz + breath) * 0.6;
  }
  return pcm;
}
