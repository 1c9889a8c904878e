import { ByteReader, ByteWriter } from "../../p2p/core/bytes.ts";
import { PacketGate } from "../../p2p/core/packet/gate.ts";
import { parsePacket } from "../../p2p/core/packet/format.ts";
import { PacketOpener } from "../../p2p/core/packet/seal.ts";
import { Rng } from "../../p2p/core/rng.ts";
import { readCapability, verifyChain, writeCapability } from "../../p2p/core/room/capability.ts";
import { encodeCard, parseCard, readRelayAddress, writeRelayAddress } from "../../p2p/core/room/card.ts";
import { encodeInvite, parseInvite } from "../../p2p/core/room/invite.ts";
import { parseView, verifyView } from "../../p2p/core/room/view.ts";
import { decodeBase64url, encodeBase64url } from "../../p2p/core/base64url.ts";
import { decodeUtf8, encodeUtf8 } from "../../p2p/core/utf8.ts";
import { sampleAddress, sampleCard, sampleChain, sampleInvite, samplePacket, sampleRoom, testNow } from "./fixtures.ts";

/** A parser or check as fuzzers drive it. */
export interface Parser {
  /** A valid input, to be mutated. */
  readonly sample: Uint8Array;
  /** Whether the bytes are taken for good. Must never throw. */
  readonly accepts: (bytes: Uint8Array) => boolean;
  /** Nothing but the sample itself may be accepted: it is signed or has a checksum. */
  readonly sealed: boolean;
}

const room = sampleRoom("parsers");
const { crypto, keys } = room;
const rng = new Rng("parsers");
const packet = samplePacket(room, 1000);
const invite = encodeInvite(crypto, sampleInvite(crypto, keys, [sampleAddress(rng), sampleAddress(rng)]));
const card = encodeCard(crypto, sampleCard(rng));

/** Every entry point of network bytes and pasted text in core/packet and core/room, by name. */
export const parsers: Readonly<Record<string, Parser>> = {
  packet: { sample: packet, accepts: (bytes) => parsePacket(bytes).ok, sealed: false },
  "packet gate": {
    sample: packet,
    accepts: (bytes) => new PacketGate(crypto, room.view, testNow).admit(bytes, testNow).ok,
    sealed: true,
  },
  "packet seal": {
    // Without the signature: what the tag alone keeps out.
    sample: packet.subarray(0, packet.length - 64),
    accepts: (bytes) => {
      const parsed = parsePacket(withSignature(bytes));
      const opener = new PacketOpener(crypto, { number: 1, secret: room.secret });
      return parsed.ok && opener.open(parsed.value, room.voiceKey, testNow).ok;
    },
    sealed: true,
  },
  view: { sample: room.view.encoded, accepts: (bytes) => parseView(bytes).ok, sealed: false },
  "signed view": {
    sample: room.view.encoded,
    accepts: (bytes) => {
      const parsed = parseView(bytes);
      return parsed.ok && verifyView(crypto, parsed.value, testNow).ok;
    },
    sealed: true,
  },
  "capability chain": { sample: encodeChain(), accepts: acceptsChain, sealed: true },
  "relay address": {
    sample: encodeAddress(),
    accepts: (bytes) => {
      const reader = new ByteReader(bytes);
      return readRelayAddress(reader) !== undefined && reader.ended;
    },
    sealed: false,
  },
  "invite bytes": {
    sample: decodeBase64url(invite.slice(5)) ?? new Uint8Array(0),
    accepts: (bytes) => parseInvite(crypto, `thi1-${encodeBase64url(bytes)}`).ok,
    sealed: false,
  },
  "invite text": {
    sample: encodeUtf8(invite),
    accepts: (bytes) => parseInvite(crypto, textOf(bytes)).ok,
    sealed: false,
  },
  "card bytes": {
    sample: decodeBase64url(card.slice(5)) ?? new Uint8Array(0),
    accepts: (bytes) => parseCard(crypto, `thc1-${encodeBase64url(bytes)}`, testNow).ok,
    sealed: false,
  },
  "card text": {
    sample: encodeUtf8(card),
    accepts: (bytes) => parseCard(crypto, textOf(bytes), testNow).ok,
    sealed: false,
  },
  utf8: { sample: encodeUtf8("茶館 чай\u{1f375}"), accepts: (bytes) => decodeUtf8(bytes) !== undefined, sealed: false },
};

/** Bytes as text, one character each, so that no input is lost to decoding. */
function textOf(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => String.fromCharCode(byte)).join("");
}

function withSignature(bytes: Uint8Array): Uint8Array {
  return new ByteWriter().bytes(bytes).bytes(new Uint8Array(64)).finish();
}

function encodeAddress(): Uint8Array {
  const writer = new ByteWriter();
  writeRelayAddress(writer, sampleAddress(rng));
  return writer.finish();
}

function encodeChain(): Uint8Array {
  const writer = new ByteWriter();
  for (const capability of sampleChain(crypto, keys).chain) writeCapability(writer, capability);
  return writer.finish();
}

function acceptsChain(bytes: Uint8Array): boolean {
  const reader = new ByteReader(bytes);
  const chain = [];
  for (let index = 0; index < 3; index++) {
    const capability = readCapability(reader);
    if (capability === undefined) return false;
    chain.push(capability);
  }
  return reader.ended && verifyChain(crypto, keys.root.key, chain, testNow).ok;
}
