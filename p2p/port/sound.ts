import type { HeardPacket, SpokenPacket } from "../api/engine.ts";
import { millis, type VoiceKey } from "../api/ids.ts";
import { limits } from "../api/limits.ts";
import { fromHex, toHex } from "./hex.ts";

/**
 * Sound on the port, big-endian. Spoken, to the engine: kind 1 · capturedAt f64 · Opus. Heard, to the window:
 * kind 2 · voice key 32 · sequence u32 · capturedAt f64 · receivedAt f64 · Opus.
 */
const spokenKind = 1;
const heardKind = 2;
const spokenHeader = 1 + 8;
const voiceBytes = 32;
const heardHeader = 1 + voiceBytes + 4 + 8 + 8;
const sequenceMax = 0xffff_ffff;

/** The bytes of a packet of our own; undefined when it breaks the limits of one. */
export function writeSpoken(packet: SpokenPacket): Uint8Array | undefined {
  if (!isOpus(packet.opus) || !Number.isFinite(packet.capturedAt)) return undefined;
  const bytes = new Uint8Array(spokenHeader + packet.opus.length);
  const view = new DataView(bytes.buffer);
  view.setUint8(0, spokenKind);
  view.setFloat64(1, packet.capturedAt);
  bytes.set(packet.opus, spokenHeader);
  return bytes;
}

/** What a window's bytes say; undefined when they are no spoken packet. */
export function readSpoken(bytes: Uint8Array): SpokenPacket | undefined {
  if (bytes[0] !== spokenKind || !hasOpus(bytes, spokenHeader)) return undefined;
  const capturedAt = viewOf(bytes).getFloat64(1);
  if (!Number.isFinite(capturedAt)) return undefined;
  return { opus: bytes.slice(spokenHeader), capturedAt: millis(capturedAt) };
}

/** The bytes of an opened packet; undefined when it breaks the limits of one. */
export function writeHeard(packet: HeardPacket): Uint8Array | undefined {
  const { speaker, sequence, opus, capturedAt, receivedAt } = packet;
  const key = fromHex(speaker);
  if (key?.length !== voiceBytes || !isOpus(opus)) return undefined;
  if (!Number.isInteger(sequence) || sequence < 0 || sequence > sequenceMax) return undefined;
  const bytes = new Uint8Array(heardHeader + opus.length);
  const view = new DataView(bytes.buffer);
  view.setUint8(0, heardKind);
  bytes.set(key, 1);
  view.setUint32(33, sequence);
  view.setFloat64(37, capturedAt);
  view.setFloat64(45, receivedAt);
  bytes.set(opus, heardHeader);
  return bytes;
}

/** What an engine's bytes say; undefined when they are no heard packet. */
export function readHeard(bytes: Uint8Array): HeardPacket | undefined {
  if (bytes[0] !== heardKind || !hasOpus(bytes, heardHeader)) return undefined;
  const view = viewOf(bytes);
  const [capturedAt, receivedAt] = [view.getFloat64(37), view.getFloat64(45)];
  if (!Number.isFinite(capturedAt) || !Number.isFinite(receivedAt)) return undefined;
  return {
    speaker: toHex(bytes.subarray(1, 1 + voiceBytes)) as VoiceKey,
    sequence: view.getUint32(33),
    opus: bytes.slice(heardHeader),
    capturedAt: millis(capturedAt),
    receivedAt: millis(receivedAt),
  };
}

function isOpus(opus: Uint8Array): boolean {
  return opus.length > 0 && opus.length <= limits.opusBytesMax;
}

function hasOpus(bytes: Uint8Array, header: number): boolean {
  return bytes.length > header && bytes.length <= header + limits.opusBytesMax;
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
