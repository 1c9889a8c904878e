import { limits } from "../../api/limits.ts";

/** What 40 ms take at so many bits a second. Constant: what is said must not show in sizes. */
const packetBytes = (bitsPerSecond: number): number => (bitsPerSecond * limits.packetMs) / 8000;
/** Bytes of every packet of the normal layer: 24 kbit/s. */
export const voicePacketBytes = packetBytes(24_000);
/** The same where the network spares more: 40 kbit/s. */
export const richPacketBytes = packetBytes(40_000);
/**
 * Bytes of every packet of the low layer: 9 kbit/s. Of 12, two packets with headers, seals, signatures and what carries
 * them would take more than the 40 kbit/s that a low-data mode may.
 */
export const lowPacketBytes = packetBytes(9_000);

/**
 * The same packet in exactly `length` bytes, by Opus's own padding (RFC 6716, 3.2.5), which every decoder skips. A packet
 * that is longer, that has padding, or that would need more than 254 bytes of it is our bug and throws.
 */
export function padPacket(opus: Uint8Array, length: number): Uint8Array {
  if (opus.length === length) return opus;
  const toc = opus[0]!;
  const code = toc & 3;
  // The frames as code 3 has them: one, two of one length, two of their own length; these follow unchanged.
  const frameCount = code === 3 ? opus[1]! : [1, 2, 0x80 | 2][code]!;
  const frames = opus.subarray(code === 3 ? 2 : 1);
  const paddingBytes = length - 3 - frames.length;
  if (paddingBytes < -1 || paddingBytes > 254 || (frameCount & 0x40) !== 0)
    throw new Error("opus packet cannot be padded");
  const padded = new Uint8Array(length);
  if (paddingBytes === -1) padded.set([toc | 3, frameCount]);
  else padded.set([toc | 3, frameCount | 0x40, paddingBytes]);
  padded.set(frames, paddingBytes === -1 ? 2 : 3);
  return padded;
}

/** Whether these bytes claim to be one packet of 40 ms, by their first two bytes, and are within our limit. */
export function isVoicePacket(opus: Uint8Array): boolean {
  return opus.length <= limits.opusBytesMax && opusDurationMs(opus) === limits.packetMs;
}

/** What an Opus packet says of its own duration (RFC 6716, 3.1 and 3.2), in ms; 0 when it says nothing sensible. */
export function opusDurationMs(opus: Uint8Array): number {
  const [toc, second] = opus;
  if (toc === undefined) return 0;
  const config = toc >> 3;
  const code = toc & 3;
  const frames = code === 0 ? 1 : code === 3 ? (second ?? 0) & 63 : 2;
  return frames * frameMs(config);
}

function frameMs(config: number): number {
  // SILK, then hybrid, then CELT configurations.
  if (config < 12) return [10, 20, 40, 60][config & 3]!;
  if (config < 16) return [10, 20][config & 1]!;
  return [2.5, 5, 10, 20][config & 3]!;
}
