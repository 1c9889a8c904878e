import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { fixturePath, joined, readAudio, rmsError } from "../../audio/sounds.ts";
import { compareSpeech } from "../../audio/compare.ts";
import {
  createVoiceDecoder,
  createVoiceEncoder,
  isVoicePacket,
  lowPacketBytes,
  opusDurationMs,
  padPacket,
  richPacketBytes,
  voicePacketBytes,
  type VoiceDecoder,
} from "../../../p2p/io/audio/opus.ts";

const samplesPerPacket = 1920;
let speech: Float32Array;
let packets: Uint8Array[];
const lowPackets: Uint8Array[] = [];
/** What a listener hears who loses nothing. */
let clean: Float32Array[];
const decoders: VoiceDecoder[] = [];

beforeAll(async () => {
  speech = await readAudio(fixturePath("speech.flac"));
  const encoder = await createVoiceEncoder();
  packets = [];
  for (let start = 0; start + samplesPerPacket <= speech.length; start += samplesPerPacket) {
    const { opus, low } = encoder.encode(speech.subarray(start, start + samplesPerPacket));
    packets.push(opus);
    lowPackets.push(low);
  }
  encoder.free();
  const decoder = await newDecoder();
  clean = packets.map((packet) => decoder.decode(packet)!);
});

afterAll(() => {
  for (const decoder of decoders) decoder.free();
});

async function newDecoder(): Promise<VoiceDecoder> {
  const decoder = await createVoiceDecoder();
  decoders.push(decoder);
  return decoder;
}

/** A few bytes that any SILK decoder takes for a frame. */
function anyFrame(): number[] {
  return Array.from({ length: 30 }, (_, index) => (index * 73 + 11) & 0xff);
}

/** Error relative to the clean decoding, where every fifth packet is lost and `replace` stands in for it. */
async function errorOfLost(replace: (decoder: VoiceDecoder, next: Uint8Array) => Float32Array): Promise<number> {
  const decoder = await newDecoder();
  const lost: Float32Array[] = [];
  const expected: Float32Array[] = [];
  packets.forEach((packet, index) => {
    const next = packets[index + 1];
    if (index % 5 !== 3 || next === undefined) {
      expect(decoder.decode(packet)).toHaveLength(samplesPerPacket);
      return;
    }
    lost.push(replace(decoder, next));
    expected.push(clean[index]!);
  });
  const silence = new Float32Array(lost.length * samplesPerPacket);
  return rmsError(joined(lost), joined(expected)) / rmsError(silence, joined(expected));
}

describe("voice encoder", () => {
  it("gives packets of exactly 120 bytes, and 45 in the low layer, for speech, silence and noise alike", async () => {
    expect([voicePacketBytes, lowPacketBytes, richPacketBytes]).toEqual([120, 45, 200]);
    expect(new Set(packets.map((packet) => packet.length))).toEqual(new Set([120]));
    expect(new Set(lowPackets.map((packet) => packet.length))).toEqual(new Set([45]));
    const encoder = await createVoiceEncoder();
    let state = 1;
    const noise = (): number => (state = (state * 16_807) % 2_147_483_647) / 1_073_741_824 - 1;
    for (const sample of [() => 0, noise, () => 0, () => 1]) {
      for (let count = 0; count < 10; count += 1) {
        const { opus, low } = encoder.encode(Float32Array.from({ length: samplesPerPacket }, sample));
        expect([opus.length, low.length]).toEqual([120, 45]);
      }
    }
    encoder.free();
  });

  it("puts 40 ms of speech into one frame of SILK, so that a copy covers all of a packet", () => {
    // TOC configurations 2, 6 and 10 (RFC 6716, table 2) are 40 ms of SILK.
    expect(packets.map((packet) => packet[0]! >> 3).filter((config) => ![2, 6, 10].includes(config))).toEqual([]);
    expect(packets.every((packet) => opusDurationMs(packet) === 40)).toBe(true);
  });

  it("is as strong as it is told from the next packet on, each strength of one size", async () => {
    const encoder = await createVoiceEncoder();
    const samples = (index: number): Float32Array => speech.subarray(index * 1920, (index + 1) * 1920);
    let at = 0;
    for (const [strength, bytes] of [
      ["rich", 200],
      ["plain", 120],
      ["copied", 120],
    ] as const) {
      encoder.setStrength(strength);
      const sizes = Array.from({ length: 25 }, () => encoder.encode(samples(at++)).opus.length);
      expect(new Set(sizes)).toEqual(new Set([bytes]));
    }
    encoder.free();
  });

  it("the low layer is speech too, in both of which a listener may change in mid-word", async () => {
    const decoder = await newDecoder();
    const heard = packets.map((opus, index) => decoder.decode(index % 20 < 10 ? opus : lowPackets[index]!)!);
    expect(compareSpeech(speech, joined(heard), 48_000).envelopeCorrelation).toBeGreaterThan(0.93);
  });

  it("keeps packets its own: a later one does not change an earlier one", () => {
    expect(packets[20]).not.toEqual(packets[21]);
  });

  it("pads packets of every code to the byte, and they decode to the same sound", async () => {
    // One frame of 40 ms, then two of 20 ms: of one length, of two lengths, and both again as code 3.
    const frame = anyFrame();
    const codes = [
      Uint8Array.of((10 << 3) | 0, ...frame),
      Uint8Array.of((9 << 3) | 1, ...frame, ...frame),
      Uint8Array.of((9 << 3) | 2, frame.length, ...frame, ...frame.slice(1)),
      Uint8Array.of((9 << 3) | 3, 2, ...frame, ...frame),
      Uint8Array.of((9 << 3) | 3, 0x82, frame.length, ...frame, ...frame.slice(1)),
    ];
    for (const opus of codes) {
      const [plain, again] = [await newDecoder(), await newDecoder()];
      const sound = plain.decode(opus);
      expect(sound).toHaveLength(samplesPerPacket);
      for (const length of [opus.length, opus.length + 1, opus.length + 2, opus.length + 3, 120]) {
        const padded = padPacket(opus, length);
        expect(padded).toHaveLength(length);
        expect(again.decode(padded)).toBeDefined();
      }
      const fresh = await newDecoder();
      expect(fresh.decode(padPacket(opus, 120))).toEqual(sound);
    }
    expect(() => padPacket(new Uint8Array(121), 120)).toThrow();
    expect(() => padPacket(padPacket(codes[0]!, 100), 120)).toThrow();
  });

  it("throws when it is handed anything but one packet's samples", async () => {
    const encoder = await createVoiceEncoder();
    expect(() => encoder.encode(new Float32Array(960))).toThrow();
    encoder.free();
  });
});

describe("voice decoder", () => {
  it("gives the speech back", () => {
    const result = compareSpeech(speech, joined(clean), 48_000);
    expect(result.envelopeCorrelation).toBeGreaterThan(0.98);
    expect(result.worstGapMs).toBe(0);
  });

  it("rebuilds a lost packet from its successor far better than it can guess it", async () => {
    const rebuilt = await errorOfLost((decoder, next) => decoder.decodeFec(next)!);
    const guessed = await errorOfLost((decoder) => decoder.conceal());
    expect(rebuilt).toBeLessThan(0.6);
    expect(guessed).toBeGreaterThan(0.9);
  });

  it("guesses something like speech for one packet, and fades out after several", async () => {
    const decoder = await newDecoder();
    const silence = new Float32Array(samplesPerPacket);
    const loudest = Math.max(...clean.map((pcm) => rmsError(pcm, silence)));
    // Up to the middle of a loud syllable.
    for (const packet of packets.slice(0, clean.findIndex((pcm) => rmsError(pcm, silence) === loudest) + 1))
      decoder.decode(packet);
    const loudness = Array.from({ length: 10 }, () => rmsError(decoder.conceal(), silence));
    expect(loudness[0]).toBeGreaterThan(loudest / 4);
    expect(loudness[9]).toBeLessThan(loudness[0]! / 10);
  });

  it("conceals before any packet with silence", async () => {
    const decoder = await newDecoder();
    expect(decoder.conceal()).toEqual(new Float32Array(samplesPerPacket));
  });

  it("gives undefined for packets of another duration or size, and goes on", async () => {
    const decoder = await newDecoder();
    const withToc = (...bytes: number[]): Uint8Array => Uint8Array.of(...bytes, ...new Array<number>(60).fill(7));
    const refused = [
      new Uint8Array(0),
      // SILK of 20 ms and of 60 ms, once; 40 ms twice; three frames of 20 ms; no frames at all.
      withToc(9 << 3),
      withToc(11 << 3),
      withToc((10 << 3) | 1),
      withToc((9 << 3) | 3, 3),
      withToc((10 << 3) | 3, 0),
      Uint8Array.of((10 << 3) | 3),
      new Uint8Array(321).fill(10 << 3),
    ];
    for (const bytes of refused) {
      expect(isVoicePacket(bytes)).toBe(false);
      expect(decoder.decode(bytes)).toBeUndefined();
      expect(decoder.decodeFec(bytes)).toBeUndefined();
    }
    expect(decoder.decode(packets[0]!)).toHaveLength(samplesPerPacket);
  });

  it("survives 3,000 hostile packets: undefined or 1,920 samples that can be played, and speech afterwards", async () => {
    const decoder = await newDecoder();
    let state = 42;
    const random = (below: number): number =>
      Math.floor(((state = (state * 16_807) % 2_147_483_647) / 2_147_483_647) * below);
    let refused = 0;
    for (let round = 0; round < 3000; round += 1) {
      const bytes = packets[round % packets.length]!.slice(0, 1 + random(120));
      // Half keep their first byte, and so get past the check of duration.
      for (let changes = random(40); changes > 0; changes -= 1)
        bytes[(round % 2) + random(bytes.length - 1)] = random(256);
      const pcm = round % 3 === 0 ? decoder.decodeFec(bytes) : decoder.decode(bytes);
      if (pcm === undefined) refused += 1;
      else {
        expect(pcm.length).toBe(samplesPerPacket);
        // The loudest is a million times what may be played before it is bounded.
        expect(pcm.every((sample) => Math.abs(sample) <= 1)).toBe(true);
      }
    }
    expect(refused).toBeGreaterThan(100);
    expect(refused).toBeLessThan(2900);
    const after = packets.map((packet) => decoder.decode(packet)!);
    expect(compareSpeech(speech, joined(after), 48_000).envelopeCorrelation).toBeGreaterThan(0.97);
  });
});
