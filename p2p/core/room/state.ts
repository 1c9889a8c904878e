import type { Role } from "../../api/engine.ts";
import { type Millis, millis } from "../../api/ids.ts";
import { ByteReader, ByteWriter, concat, equal } from "../bytes.ts";
import type { Crypto } from "../crypto.ts";
import { decodeUtf8, encodeUtf8 } from "../utf8.ts";
import { limits } from "../../api/limits.ts";
import { type Capability, readCapability, verifyChain, writeCapability } from "./capability.ts";
import type { RelayView } from "./view.ts";

const stateVersion = 1;
const headBytes = 1 + 32 + 4;
const nonceBytes = 12;
const signatureBytes = 64;
const stateLabel = encodeUtf8("teahouse state 1");
const keyLabel = encodeUtf8("teahouse state key 1");
const roles: readonly Role[] = ["listener", "speaker", "moderator", "heir", "host"];
/** Names and titles, in bytes of UTF-8; longer ones are cut by whoever writes them. */
export const nameBytesMax = 96;
/** Likewise. */
export const titleBytesMax = 240;
/** Hands that wait at most: what fits into one message with a full stage. */
export const handsMax = 64;
/** A petition's id. */
export const handBytes = 8;

/** Somebody on stage. */
export interface StagePerson {
  readonly voiceKey: Uint8Array;
  readonly identityKey: Uint8Array;
  readonly role: Role;
  readonly name: string;
}

/** A petition for the stage that waits for an answer. */
export interface RaisedHand {
  /** The petition's, 8 bytes. */
  readonly id: Uint8Array;
  readonly name: string;
}

/** What members know of a room and relays do not. */
export interface RoomState {
  /** Counts up over all sessions of the room. */
  readonly sequence: number;
  /** Root's word for the session that signs. */
  readonly chain: readonly Capability[];
  readonly title: string;
  readonly stage: readonly StagePerson[];
  /** Petitions that arrived and wait. */
  readonly hands: readonly RaisedHand[];
}

/** Seals and signs a state: `version | session key | sequence | nonce | ciphertext | signature`. */
export function sealState(
  crypto: Crypto,
  epochSecret: Uint8Array,
  sessionSeed: Uint8Array,
  tag: Uint8Array,
  state: RoomState,
): Uint8Array {
  const head = new ByteWriter().u8(stateVersion).bytes(crypto.publicKey(sessionSeed)).u32(state.sequence).finish();
  const nonce = crypto.randomBytes(nonceBytes);
  const sealed = crypto.seal(stateKey(crypto, epochSecret), nonce, concat(tag, head), encodeState(state), 16);
  const body = concat(head, nonce, sealed);
  return concat(body, crypto.sign(sessionSeed, concat(stateLabel, tag, body)));
}

/** What a relay can check without reading: that the view's session signed it, and that it is newer than what it has. */
export function checkState(
  crypto: Crypto,
  view: RelayView,
  bytes: Uint8Array,
  known: Uint8Array | undefined,
): "newer" | "older" | "bad" {
  if (bytes.length < headBytes + nonceBytes + 16 + signatureBytes || bytes[0] !== stateVersion) return "bad";
  if (!equal(bytes.subarray(1, 33), view.session.key)) return "bad";
  if (known && sequenceOf(bytes) <= sequenceOf(known)) return "older";
  const end = bytes.length - signatureBytes;
  const message = concat(stateLabel, view.tag, bytes.subarray(0, end));
  return crypto.verify(view.session.key, message, bytes.subarray(end)) ? "newer" : "bad";
}

/** Opens a state that `checkState` passed; undefined when it does not open or parse. */
export function openState(
  crypto: Crypto,
  epochSecret: Uint8Array,
  tag: Uint8Array,
  bytes: Uint8Array,
): RoomState | undefined {
  const head = bytes.subarray(0, headBytes);
  const nonce = bytes.subarray(headBytes, headBytes + nonceBytes);
  const sealed = bytes.subarray(headBytes + nonceBytes, bytes.length - signatureBytes);
  const plain = crypto.open(stateKey(crypto, epochSecret), nonce, concat(tag, head), sealed, 16);
  return plain && parseState(plain, sequenceOf(bytes));
}

/**
 * Whether the room's root stands behind the session that signed a state ([RM21]). A session a little past its day still
 * speaks for a room whose host is gone.
 */
export function isVouchedFor(
  crypto: Crypto,
  roomKey: Uint8Array,
  state: RoomState,
  sessionKey: Uint8Array,
  now: Millis,
): boolean {
  const last = state.chain.at(-1);
  if (!last) return false;
  const endsAt = last.expires * 1000;
  const time = now <= endsAt + limits.clockToleranceMs ? millis(Math.min(now, endsAt)) : now;
  const authority = verifyChain(crypto, roomKey, state.chain, time);
  return authority.ok && authority.value.role === "host" && equal(authority.value.grantee, sessionKey);
}

function stateKey(crypto: Crypto, epochSecret: Uint8Array): Uint8Array {
  return crypto.hkdf(epochSecret, keyLabel, 32);
}

function sequenceOf(bytes: Uint8Array): number {
  return new ByteReader(bytes.subarray(33, headBytes)).u32();
}

function encodeState(state: RoomState): Uint8Array {
  const writer = new ByteWriter().u8(state.chain.length);
  for (const capability of state.chain) writeCapability(writer, capability);
  writer.sized8(encodeUtf8(state.title)).u8(state.stage.length);
  for (const person of state.stage) writePerson(writer, person);
  const hands = state.hands.slice(-handsMax);
  writer.u8(hands.length);
  for (const hand of hands) writer.bytes(hand.id).sized8(encodeUtf8(hand.name));
  return writer.finish();
}

function parseState(plain: Uint8Array, sequence: number): RoomState | undefined {
  const reader = new ByteReader(plain);
  const chain = readMany(reader, limits.capabilityDepthMax, readCapability);
  const title = readText(reader, titleBytesMax);
  const stage = readMany(reader, limits.voicesMax, readPerson);
  const hands = readMany(reader, handsMax, readHand);
  if (!chain || title === undefined || !stage || !hands || !reader.ended) return undefined;
  return { sequence, chain, title, stage, hands };
}

function readHand(reader: ByteReader): RaisedHand | undefined {
  const id = reader.bytes(handBytes);
  const name = readText(reader, nameBytesMax);
  return name === undefined ? undefined : { id, name };
}

/** Writes somebody on stage; shared with the capsule. */
export function writePerson(writer: ByteWriter, person: StagePerson): void {
  writer.bytes(person.voiceKey).bytes(person.identityKey).u8(roles.indexOf(person.role));
  writer.sized8(encodeUtf8(person.name));
}

/** Reads what `writePerson` wrote; undefined for a role that does not exist or a name that is too long. */
export function readPerson(reader: ByteReader): StagePerson | undefined {
  const voiceKey = reader.bytes(32);
  const identityKey = reader.bytes(32);
  const role = roles[reader.u8()];
  const name = readText(reader, nameBytesMax);
  return role === undefined || name === undefined ? undefined : { voiceKey, identityKey, role, name };
}

function readText(reader: ByteReader, bytesMax: number): string | undefined {
  const bytes = reader.sized8();
  return bytes.length > bytesMax ? undefined : decodeUtf8(bytes);
}

function readMany<Item>(
  reader: ByteReader,
  most: number,
  read: (reader: ByteReader) => Item | undefined,
): Item[] | undefined {
  const count = reader.u8();
  if (count > most) return undefined;
  const items: Item[] = [];
  for (let index = 0; index < count; index++) {
    const item = read(reader);
    if (item === undefined || reader.failed) return undefined;
    items.push(item);
  }
  return items;
}
