import type { PeerId, RoomTag } from "../../p2p/api/ids.ts";
import { ByteReader, ByteWriter, concat, toHex } from "../../p2p/core/bytes.ts";
import { encodePaper, parsePaper } from "../../p2p/core/overlay/papers.ts";
import { PacketGate } from "../../p2p/core/packet/gate.ts";
import { parsePacket } from "../../p2p/core/packet/format.ts";
import { PacketOpener } from "../../p2p/core/packet/seal.ts";
import { Rng } from "../../p2p/core/rng.ts";
import { readCapability, verifyChain, writeCapability } from "../../p2p/core/room/capability.ts";
import { encodeCapsule, parseCapsule } from "../../p2p/core/room/capsule.ts";
import { encodeCard, parseCard, readRelayAddress, writeRelayAddress } from "../../p2p/core/room/card.ts";
import { encodeInvite, parseInvite } from "../../p2p/core/room/invite.ts";
import { encodeHints, openHints } from "../../p2p/core/room/hints.ts";
import { openNote, sealNote } from "../../p2p/core/room/note.ts";
import { openPetition, sealPetition } from "../../p2p/core/room/petition.ts";
import { proveHost } from "../../p2p/core/room/proof.ts";
import { checkState, openState, sealState } from "../../p2p/core/room/state.ts";
import { parseView, verifyView } from "../../p2p/core/room/view.ts";
import { encodeFrame, parseFrame } from "../../p2p/core/session/frames.ts";
import { decodeBase64url, encodeBase64url } from "../../p2p/core/base64url.ts";
import { decodeUtf8, encodeUtf8 } from "../../p2p/core/utf8.ts";
import {
  sampleAddress,
  sampleCard,
  sampleChain,
  sampleGuestCapsule,
  sampleHostCapsule,
  sampleInvite,
  sampleNote,
  samplePacket,
  samplePetition,
  sampleRoom,
  sampleState,
  testNow,
} from "./fixtures.ts";

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
const session = rng.bytes(16);
const tag = toHex(keys.carriage.key) as RoomTag;
const have = [{ voice: 1, sequence: 2 }];
const parties = { tag, relay: toHex(rng.bytes(32)) as PeerId, host: toHex(rng.bytes(32)) as PeerId, session };
const proof = proveHost(crypto, keys.session.seed, keys.session.certificate, rng.bytes(16), parties);
const state = sealState(crypto, room.secret, keys.session.seed, keys.carriage.key, sampleState(room));
/** Where a state's ciphertext begins: after version, session key, sequence and nonce. */
const stateHeadBytes = 37;
const stateSealedAt = stateHeadBytes + 12;
const stateKey = crypto.hkdf(room.secret, encodeUtf8("teahouse state key 1"), 32);
const guest = sampleChain(crypto, keys);
const petition = sealPetition(crypto, room.secret, keys.root.key, guest.seed, samplePetition(guest.chain));

const note = sealNote(crypto, room.secret, keys.root.key, guest.seed, sampleNote());
const noteKey = crypto.hkdf(room.secret, encodeUtf8("teahouse note key 1"), 32);

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
  frame: {
    sample: encodeFrame({
      kind: "hello",
      version: 1,
      session,
      tag,
      role: "member",
      feed: true,
      wish: { layers: "both", prompt: true },
      have,
      proof,
    }),
    accepts: (bytes) => parseFrame(bytes) !== undefined,
    sealed: false,
  },
  refusal: {
    sample: encodeFrame({ kind: "refuse", session, time: testNow, reason: "full", alternatives: [sampleAddress(rng)] }),
    accepts: (bytes) => parseFrame(bytes) !== undefined,
    sealed: false,
  },
  census: {
    sample: encodePaper({
      kind: "census",
      census: { listeners: 9, relays: 2, room: [{ rank: 1, slots: 3, version: 4 }] },
    }),
    accepts: (bytes) => parsePaper(bytes) !== undefined,
    sealed: false,
  },
  "no feed": {
    sample: encodePaper({ kind: "no-feed", alternatives: [sampleAddress(rng)] }),
    accepts: (bytes) => parsePaper(bytes) !== undefined,
    sealed: false,
  },
  "sealed state": {
    sample: state,
    accepts: (bytes) => checkState(crypto, room.view, bytes, undefined) === "newer" && opensState(bytes),
    sealed: true,
  },
  "state inside its seal": {
    sample: statePlain(),
    accepts: (bytes) => opensState(resealed(bytes)),
    sealed: false,
  },
  petition: {
    sample: petition,
    accepts: (bytes) => openPetition(crypto, room.secret, keys.root.key, bytes, testNow) !== undefined,
    sealed: true,
  },
  note: {
    sample: note,
    accepts: (bytes) => openNote(crypto, room.secret, keys.root.key, bytes) !== undefined,
    sealed: true,
  },
  "note inside its seal": {
    // What any member can seal: the signature inside keeps the rest out.
    sample: crypto.open(noteKey, note.subarray(0, 12), keys.root.key, note.subarray(12), 16) ?? new Uint8Array(0),
    accepts: (bytes) => {
      const resealed = concat(
        note.subarray(0, 12),
        crypto.seal(noteKey, note.subarray(0, 12), keys.root.key, bytes, 16),
      );
      return openNote(crypto, room.secret, keys.root.key, resealed) !== undefined;
    },
    sealed: true,
  },
  "note paper": {
    sample: encodePaper({ kind: "note", bytes: note }),
    accepts: (bytes) => parsePaper(bytes) !== undefined,
    sealed: false,
  },
  "guest capsule": {
    sample: encodeCapsule(crypto, sampleGuestCapsule(crypto, keys)),
    accepts: (bytes) => parseCapsule(crypto, bytes) !== undefined,
    sealed: false,
  },
  "host capsule": {
    sample: encodeCapsule(crypto, sampleHostCapsule(room)),
    accepts: (bytes) => parseCapsule(crypto, bytes) !== undefined,
    sealed: false,
  },
  "record hints": {
    sample: encodeHints(crypto, keys.carriage.key, keys.session, [sampleAddress(rng)], testNow),
    accepts: (bytes) => openHints(crypto, keys.root.key, keys.carriage.key, bytes, testNow) !== undefined,
    sealed: true,
  },
  utf8: { sample: encodeUtf8("茶館 чай\u{1f375}"), accepts: (bytes) => decodeUtf8(bytes) !== undefined, sealed: false },
};

function opensState(bytes: Uint8Array): boolean {
  return openState(crypto, room.secret, keys.carriage.key, bytes) !== undefined;
}

function stateAad(): Uint8Array {
  return concat(keys.carriage.key, state.subarray(0, stateHeadBytes));
}

/** What a member parses once the seal is open. */
function statePlain(): Uint8Array {
  const nonce = state.subarray(stateHeadBytes, stateSealedAt);
  return crypto.open(stateKey, nonce, stateAad(), state.subarray(stateSealedAt, -64), 16) ?? new Uint8Array(0);
}

/** The same with other words in it, as a hostile host would seal it. */
function resealed(plain: Uint8Array): Uint8Array {
  const nonce = state.subarray(stateHeadBytes, stateSealedAt);
  const sealed = crypto.seal(stateKey, nonce, stateAad(), plain, 16);
  return concat(state.subarray(0, stateSealedAt), sealed, new Uint8Array(64));
}

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
