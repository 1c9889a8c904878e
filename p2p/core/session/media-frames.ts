import { limits } from "../../api/limits.ts";
import { packetBytesMax } from "../packet/format.ts";

/** Type of a frame with one packet; other types stand in frames.ts. */
export const mediaType = 6;
/** Type of a frame with several. */
export const bundleType = 11;
/** Type and links crossed. */
const headBytes = 2;
const lengthBytes = 2;
/** Packets in one bundle: six microphones, two layers, or two ticks. */
const bundlePacketsMax = 12;

/**
 * The messages that carry these packets, each after so many links: one packet alone, several as bundles of what fits into
 * one link message (SPEC.md, "Frames").
 */
export function encodeMedia(hops: number, packets: readonly Uint8Array[]): readonly Uint8Array[] {
  const frames: Uint8Array[] = [];
  for (let from = 0; from < packets.length;) {
    let to = from;
    let bytes = headBytes;
    for (; to < packets.length && to - from < bundlePacketsMax; to++) {
      const more = lengthBytes + (packets[to]?.length ?? 0);
      if (to > from && bytes + more > limits.linkMessageBytesMax) break;
      bytes += more;
    }
    frames.push(to - from === 1 ? single(hops, packets[from]!) : bundle(hops, packets, from, to, bytes));
    from = to;
  }
  return frames;
}

/** The packets of a bundle's body; undefined for anything that is none to the last byte. They share its memory. */
export function readBundle(body: Uint8Array): readonly Uint8Array[] | undefined {
  const packets: Uint8Array[] = [];
  for (let at = 0; at < body.length;) {
    const length = ((body[at] ?? 0) << 8) | (body[at + 1] ?? 0);
    const end = at + lengthBytes + length;
    if (length === 0 || length > packetBytesMax || end > body.length || packets.length === bundlePacketsMax)
      return undefined;
    packets.push(body.subarray(at + lengthBytes, end));
    at = end;
  }
  return packets.length < 2 ? undefined : packets;
}

function single(hops: number, packet: Uint8Array): Uint8Array {
  const frame = new Uint8Array(headBytes + packet.length);
  frame[0] = mediaType;
  frame[1] = hops;
  frame.set(packet, headBytes);
  return frame;
}

function bundle(hops: number, packets: readonly Uint8Array[], from: number, to: number, bytes: number): Uint8Array {
  const frame = new Uint8Array(bytes);
  frame[0] = bundleType;
  frame[1] = hops;
  let at = headBytes;
  for (let index = from; index < to; index++) {
    const packet = packets[index]!;
    frame[at] = packet.length >> 8;
    frame[at + 1] = packet.length & 0xff;
    frame.set(packet, at + lengthBytes);
    at += lengthBytes + packet.length;
  }
  return frame;
}
