import type { Layer } from "../../api/engine.ts";
import { limits } from "../../api/limits.ts";
import type { Millis } from "../../api/ids.ts";
import { assert } from "../assert.ts";
import { ByteReader, ByteWriter, concat } from "../bytes.ts";
import type { Crypto } from "../crypto.ts";
import { failed, ok, type Result } from "../result.ts";
import { encodeUtf8 } from "../utf8.ts";

/** Version of the media packet of SPEC.md, "Packets". */
export const packetVersion = 1;
/** Bytes before the ciphertext; also what the seal authenticates beside it. */
export const headerBytes = 12;
/** AES-256-GCM's tag in a packet. Short because the signature authenticates: see [PK4]. */
export const sealTagBytes = 8;
const signatureBytes = 64;
const captureBytes = 4;
const packetBytesMin = headerBytes + captureBytes + 1 + sealTagBytes + signatureBytes;
/** The longest packet: the largest Opus packet, sealed and signed. */
export const packetBytesMax = packetBytesMin - 1 + limits.opusBytesMax;
const signatureLabel = encodeUtf8("teahouse packet 1");

/** What anybody can read of a packet. */
export interface PacketHeader {
  readonly layer: Layer;
  /** `voiceIdOf` the speaker's voice key. */
  readonly voiceId: number;
  /** Low 8 bits of the media epoch. */
  readonly epoch: number;
  /** Ticks of 40 ms of this voice in this layer, 0 to 2^32 - 1. */
  readonly sequence: number;
  /** `viewMarkOf` the relay view that the speaker had: shows who lags behind. */
  readonly viewMark: number;
}

/** A packet taken apart; every array shares the memory of what was parsed. */
export interface Packet extends PacketHeader {
  /** The header's bytes. */
  readonly header: Uint8Array;
  /** Ciphertext and tag. */
  readonly sealed: Uint8Array;
  /** Everything before the signature. */
  readonly body: Uint8Array;
  /** Ed25519 by the voice key, over `signedPart`. */
  readonly signature: Uint8Array;
}

/** What a packet held. */
export interface OpenedPacket {
  readonly opus: Uint8Array;
  /** Capture time by the speaker's clock. */
  readonly capturedAt: Millis;
}

/**
 * Opens packets that passed the gate. A port: members are given one, relays are built without.
 * `seal`: it does not open with any epoch known here.
 */
export interface PacketOpening {
  open(packet: Packet, voiceKey: Uint8Array, now: Millis): Result<OpenedPacket, "no-key" | "seal">;
}

/** Takes a packet apart by structure alone ([PK1], [PK2]); nothing in it is believed yet. */
export function parsePacket(bytes: Uint8Array): Result<Packet, "malformed"> {
  if (bytes.length < packetBytesMin || bytes.length > packetBytesMax) return failed("malformed");
  const reader = new ByteReader(bytes);
  const first = reader.u8();
  if (first >> 4 !== packetVersion || (first & 0x0e) !== 0) return failed("malformed");
  const body = bytes.subarray(0, bytes.length - signatureBytes);
  return ok({
    layer: (first & 1) === 1 ? "low" : "normal",
    voiceId: reader.u32(),
    epoch: reader.u8(),
    sequence: reader.u32(),
    viewMark: reader.u16(),
    header: body.subarray(0, headerBytes),
    sealed: body.subarray(headerBytes),
    body,
    signature: bytes.subarray(body.length),
  });
}

/** The header's 12 bytes. */
export function encodeHeader(header: PacketHeader): Uint8Array {
  const writer = new ByteWriter();
  writer
    .u8((packetVersion << 4) | layerBit(header.layer))
    .u32(header.voiceId)
    .u8(header.epoch);
  return writer.u32(header.sequence).u16(header.viewMark).finish();
}

/** A whole packet of its three parts. Our own parts always fit: assert. */
export function buildPacket(header: Uint8Array, sealed: Uint8Array, signature: Uint8Array): Uint8Array {
  const packet = concat(header, sealed, signature);
  assert(packet.length >= packetBytesMin && packet.length <= packetBytesMax, "a packet of our own fits");
  return packet;
}

/** What a voice key signs: `body` is every byte before the signature, `tag` the room's (32 bytes). */
export function signedPart(tag: Uint8Array, body: Uint8Array): Uint8Array {
  return concat(signatureLabel, tag, body);
}

/** The same for many packets of one room, each in the same memory: read it before the next is made. */
export class SignedPart {
  readonly #bytes: Uint8Array;
  readonly #headBytes: number;

  constructor(tag: Uint8Array) {
    const head = concat(signatureLabel, tag);
    this.#headBytes = head.length;
    this.#bytes = new Uint8Array(head.length + packetBytesMax);
    this.#bytes.set(head);
  }

  of(body: Uint8Array): Uint8Array {
    this.#bytes.set(body, this.#headBytes);
    return this.#bytes.subarray(0, this.#headBytes + body.length);
  }
}

/** Whether these bytes may be the speech of one packet. */
export function isOpus(opus: Uint8Array): boolean {
  return opus.length > 0 && opus.length <= limits.opusBytesMax;
}

/** The layer as it stands in headers, nonces and key labels. */
export function layerBit(layer: Layer): 0 | 1 {
  return layer === "low" ? 1 : 0;
}

/** First 4 bytes of the voice key's SHA-256, as a number. */
export function voiceIdOf(crypto: Crypto, voiceKey: Uint8Array): number {
  return new ByteReader(crypto.sha256(voiceKey)).u32();
}

/** First 2 bytes of a relay view's hash, as a number. */
export function viewMarkOf(viewHash: Uint8Array): number {
  return new ByteReader(viewHash).u16();
}
