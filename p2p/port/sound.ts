import type { HeardPacket, SpokenPacket } from "../api/engine.ts";
import { millis, type VoiceKey } from "../api/ids.ts";
import { limits } from "../api/limits.ts";
import { fromHex, toHex } from "./hex.ts";

/**
 * Sound on the port, big-endian. Spoken, to the engine: kind 1 · capturedAt f64 · length of the normal layer u16 · its
 * Opus · Opus of the low layer, if any. Heard, to the window: kind 2 · voice key 32 · sequence u32 · capturedAt f64 ·
 * receivedAt f64 · layer u8 (0 normal, 1 low) · Opus.
 */
const spokenKind = 1;
const heardKind = 2;
const spokenHeader = 1 + 8 + 2;
const voiceBytes = 32;
const heardHeader = 1 + voiceBytes + 4 + 8 + 8 + 1;
const layers = ["normal", "low"] as const;
const sequenceMax = 0xffff_ffff;

/** The bytes of a packet of our own; undefined when it breaks the limits of one. */
export function writeSpoken({ opus, low, capturedAt }: SpokenPacket): Uint8Array | undefined {
  if (!isOpus(opus) || (low && !isOpus(low)) || !Number.isFinite(capturedAt)) return undefined;
  const bytes = new Uint8Array(spokenHeader + opus.length + (low?.length ?? 0));
  const view = new DataView(bytes.buffer);
  view.setUint8(0, spokenKind);
  view.setFloat64(1, capturedAt);
  view.setUint16(9, opus.length);
  bytes.set(opus, spokenHeader);
  if (low) bytes.set(low, spokenHeader + opus.length);
  return bytes;
}

/** What a window's bytes say; undefined when they are no spoken packet. */
export function readSpoken(bytes: Uint8Array): SpokenPacket | undefined {
  if (bytes[0] !== spokenKind || bytes.length <= spokenHeader) return undefined;
  const view = viewOf(bytes);
  const capturedAt = view.getFloat64(1);
  const end = spokenHeader + view.getUint16(9);
  const [opus, low] = [bytes.slice(spokenHeader, end), bytes.slice(end)];
  if (!Number.isFinite(capturedAt) || end > bytes.length || !isOpus(opus)) return undefined;
  if (low.length === 0) return { opus, capturedAt: millis(capturedAt) };
  return isOpus(low) ? { opus, low, capturedAt: millis(capturedAt) } : undefined;
}

/** The bytes of an opened packet; undefined when it breaks the limits of one. */
export function writeHeard(packet: HeardPacket): Uint8Array | undefined {
  const { speaker, sequence, layer, opus, capturedAt, receivedAt } = packet;
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
  view.setUint8(53, layers.indexOf(layer));
  bytes.set(opus, heardHeader);
  return bytes;
}

/** What an engine's bytes say; undefined when they are no heard packet. */
export function readHeard(bytes: Uint8Array): HeardPacket | undefined {
  if (bytes[0] !== heardKind || !hasOpus(bytes, heardHeader)) return undefined;
  const view = viewOf(bytes);
  const layer = layers[view.getUint8(53)];
  const [capturedAt, receivedAt] = [view.getFloat64(37), view.getFloat64(45)];
  if (!layer || !Number.isFinite(capturedAt) || !Number.isFinite(receivedAt)) return undefined;
  return {
    speaker: toHex(bytes.subarray(1, 1 + voiceBytes)) as VoiceKey,
    sequence: view.getUint32(33),
    layer,
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
