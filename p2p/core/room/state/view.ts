import { type Millis, millis, type RoomTag } from "../../../api/ids.ts";
import { limits } from "../../../api/limits.ts";
import type { RelayAddress } from "../../../api/link.ts";
import { assert } from "../../assert.ts";
import { ByteReader, ByteWriter, compare, concat, copy, equal, toHex } from "../../bytes.ts";
import type { Crypto } from "../../crypto.ts";
import { failed, ok, type Result } from "../../result.ts";
import { encodeUtf8 } from "../../utf8.ts";
import { readRelayAddress, writeRelayAddress } from "../invite/card.ts";
import { banBytes, banOf } from "../rights/ban.ts";
import { type CarriageCertificate, verifyCarriage } from "../rights/carriage.ts";
import { doorBytes, type ViewDoors } from "../rights/doors.ts";
import { numberMax } from "../rights/numbers.ts";
import { serialBytes } from "../rights/pass.ts";
import { keepersMax, listsMax } from "./state.ts";

const viewVersion = 4;
const keyBytes = 32;
const signatureBytes = 64;
const viewLabel = encodeUtf8("teahouse view 1");

/** Sessions and heirs whose word counts no more, that a view may name. */
const revokedMax = 32;

/** Invites that are open at once: with more, relays let everybody in. */
export const doorsMax = 512;
/** Doors of people who are in: each who came by an invite for one. */
export const ownDoorsMax = listsMax.used;
/** Passes that open nothing any more: as many as there may be bans. */
export const shutMax = limits.bansMax;

/** Who may act in this room, as relays know them. */
export interface KeeperGrant {
  /** Signs its events, 32 bytes. */
  readonly key: Uint8Array;
  /** 0 host, 1 heir, 2 moderator. */
  readonly rank: number;
}

/** A voice that relays let through. */
export interface VoiceGrant {
  /** Ed25519 public key, 32 bytes. */
  readonly key: Uint8Array;
  /** In each layer; 1 to `limits.voicePacketsPerSecond`. */
  readonly packetsPerSecond: number;
}

/** All that a relay is told of a room. Layout: SPEC.md, "Relay view". */
export interface ViewContent {
  /** The room's carriage key, 32 bytes. */
  readonly tag: Uint8Array;
  /** By which session it is signed, and the carriage key's word for that session. */
  readonly session: CarriageCertificate;
  /** Counts up over all sessions of the room. */
  readonly sequence: number;
  /** By the signer's clock. */
  readonly issuedAt: Millis;
  /** Low 8 bits of the media epoch. */
  readonly epoch: number;
  /** Relays at the top of the tree; at least 1. */
  readonly coreSize: number;
  /** Relays that hang below one relay; at least 1. */
  readonly relayFanout: number;
  /** In rank order; at most `limits.relaysMax`. */
  readonly relays: readonly RelayAddress[];
  /** At most `limits.voicesMax`. */
  readonly voices: readonly VoiceGrant[];
  /** `banBytes` each; at most `limits.bansMax`. */
  readonly bans: readonly Uint8Array[];
  /** Whose events are passed on; at most `keepersMax`. */
  readonly keepers: readonly KeeperGrant[];
  /** `banOf` the keys that speak for the room no more; at most `revokedMax`, the newest. */
  readonly revoked: readonly Uint8Array[];
  /** Seconds between two typed texts that a member may send; 0: no rule. */
  readonly slowModeS: number;
  /** By what members come in; undefined: relays let everybody in. */
  readonly doors: ViewDoors | undefined;
  /** The room is locked: nobody comes in by an invite, and who stands outside is told so. */
  readonly locked: boolean;
}

/** A signed view: what it says, and the bytes that are signed, hashed and passed on. */
export interface RelayView extends ViewContent {
  /** `tag` in hex. */
  readonly tagHex: RoomTag;
  /** Signature included. */
  readonly encoded: Uint8Array;
}

/** `carriage`: the room does not vouch for the session. `expired`: the session is over. */
export type ViewReason = "signature" | "carriage" | "expired";

/** Encodes a view and signs it by the session that it names. A view that breaks a limit is our own bug: assert. */
export function signView(crypto: Crypto, sessionSeed: Uint8Array, content: ViewContent): RelayView {
  const body = encodeView(content);
  const encoded = concat(body, crypto.sign(sessionSeed, concat(viewLabel, body)));
  return { ...content, tagHex: tagHexOf(content.tag), encoded };
}

/** Everything before the signature. */
export function encodeView(view: ViewContent): Uint8Array {
  assert(view.relays.length <= limits.relaysMax, "relays of a view");
  assert(view.voices.length <= limits.voicesMax, "voices of a view");
  assert(view.bans.length <= limits.bansMax, "bans of a view");
  assert(view.keepers.length <= keepersMax, "keepers of a view");
  assert(view.coreSize >= 1 && view.relayFanout >= 1, "a tree that can grow");
  const { key, expires, rank, signature } = view.session;
  const writer = new ByteWriter();
  writer.u8(viewVersion).bytes(view.tag).bytes(key).u32(expires).u8(rank).bytes(signature);
  writer.u48(view.sequence).u48(view.issuedAt).u8(view.epoch).u8(view.coreSize).u8(view.relayFanout);
  writer.u8(view.relays.length);
  for (const relay of view.relays) writeRelayAddress(writer, relay);
  writer.u8(view.voices.length);
  for (const voice of view.voices) {
    assert(isRate(voice.packetsPerSecond), "a voice's rate");
    writer.bytes(voice.key).u8(voice.packetsPerSecond);
  }
  writer.u16(view.bans.length);
  for (const ban of view.bans) {
    assert(ban.length === banBytes, "a truncated hash");
    writer.bytes(ban);
  }
  writer.u8(view.keepers.length);
  for (const keeper of view.keepers) writer.bytes(keeper.key).u8(keeper.rank);
  const revoked = view.revoked.slice(-revokedMax);
  writer.u8(revoked.length);
  for (const name of revoked) writer.bytes(name);
  const unlisted = view.doors?.unlisted === true;
  writer.u16(view.slowModeS).u8((view.doors ? 1 : 0) | (view.locked ? 2 : 0) | (unlisted ? 4 : 0));
  if (view.doors) writeDoors(writer, view.doors);
  return writer.finish();
}

function writeDoors(writer: ByteWriter, { invites, own, shut }: ViewDoors): void {
  assert(invites.length <= doorsMax && own.length <= ownDoorsMax && shut.length <= shutMax, "doors of a view");
  for (const doors of [invites, own, shut]) {
    writer.u16(doors.length);
    for (const door of doors) writer.bytes(door);
  }
}

/** Takes a view apart by structure alone; `verifyView` says whether to believe it. */
export function parseView(bytes: Uint8Array): Result<RelayView, "malformed" | "version"> {
  const reader = new ByteReader(bytes);
  if (reader.u8() !== viewVersion) return failed(reader.failed ? "malformed" : "version");
  const head = {
    tag: reader.bytes(keyBytes),
    session: readCertificate(reader),
    sequence: reader.u48(),
    issuedAt: millis(reader.u48()),
    epoch: reader.u8(),
    coreSize: reader.u8(),
    relayFanout: reader.u8(),
  };
  const relays = readList(reader, reader.u8(), limits.relaysMax, readRelayAddress);
  const voices = readList(reader, reader.u8(), limits.voicesMax, readVoice);
  const bans = readList(reader, reader.u16(), limits.bansMax, (from) => from.bytes(banBytes));
  const keepers = readList(reader, reader.u8(), keepersMax, (from) => ({ key: from.bytes(keyBytes), rank: from.u8() }));
  const revoked = readList(reader, reader.u8(), revokedMax, (from) => from.bytes(banBytes));
  const slowModeS = reader.u16();
  const flags = reader.u8();
  const doors = (flags & 1) === 0 ? undefined : readDoors(reader, (flags & 4) !== 0);
  reader.bytes(signatureBytes);
  if (flags > 7 || (flags & 5) === 4 || ((flags & 1) !== 0 && !doors)) return failed("malformed");
  if (!relays || !voices || !bans || !keepers || !revoked || !reader.ended) return failed("malformed");
  if (head.coreSize === 0 || head.relayFanout === 0 || head.sequence > numberMax) return failed("malformed");
  const rest = { keepers, revoked, slowModeS, doors, locked: (flags & 2) !== 0 };
  return ok({ ...head, relays, voices, bans, ...rest, tagHex: tagHexOf(head.tag), encoded: copy(bytes) });
}

/**
 * Whether the room's carriage key stands behind a view. The caller has compared `view.tag` with the room it means.
 * Clocks lie, so a view is refused for its time only when its session is over by its own clock, or by ours and the
 * tolerance ([RM16]); one from the future is taken, for nothing here is ordered by time.
 */
export function verifyView(crypto: Crypto, view: RelayView, now: Millis): Result<RelayView, ViewReason> {
  const { encoded } = view;
  const end = encoded.length - signatureBytes;
  if (!verifyCarriage(crypto, view.tag, view.session)) return failed("carriage");
  const message = concat(viewLabel, encoded.subarray(0, end));
  if (!crypto.verify(view.session.key, message, encoded.subarray(end))) return failed("signature");
  const expiresAt = view.session.expires * 1000;
  if (view.issuedAt > expiresAt || now > expiresAt + limits.clockToleranceMs) return failed("expired");
  return ok(view);
}

/**
 * Whether `left` replaces `right`: by sequence number, then time of issue, then bytes, so that everybody who holds
 * the same two views keeps the same one ([RM17]). But whose word counts no more, says one who outranks them, is not
 * listened to, whatever number they choose.
 */
export function newer(crypto: Crypto, left: RelayView, right: RelayView): boolean {
  if (overrules(crypto, left, right)) return true;
  if (overrules(crypto, right, left)) return false;
  if (left.sequence !== right.sequence) return left.sequence > right.sequence;
  if (left.issuedAt !== right.issuedAt) return left.issuedAt > right.issuedAt;
  return compare(left.encoded, right.encoded) > 0;
}

/** Whether two views are proof that one session said two things under one number. */
export function isFork(left: RelayView, right: RelayView): boolean {
  const isSame = left.sequence === right.sequence && equal(left.session.key, right.session.key);
  return isSame && !equal(left.encoded, right.encoded);
}

function overrules(crypto: Crypto, left: RelayView, right: RelayView): boolean {
  if (left.session.rank >= right.session.rank) return false;
  const name = banOf(crypto, right.session.key);
  return left.revoked.some((revoked) => equal(revoked, name));
}

/** Names a view, signature included: 32 bytes. */
export function viewHash(crypto: Crypto, encoded: Uint8Array): Uint8Array {
  return crypto.sha256(encoded);
}

function tagHexOf(tag: Uint8Array): RoomTag {
  return toHex(tag) as RoomTag;
}

function readDoors(reader: ByteReader, unlisted: boolean): ViewDoors | undefined {
  const door = (from: ByteReader): Uint8Array => from.bytes(doorBytes);
  const invites = readList(reader, reader.u16(), doorsMax, door);
  const own = readList(reader, reader.u16(), ownDoorsMax, door);
  const shut = readList(reader, reader.u16(), shutMax, (from) => from.bytes(serialBytes));
  return invites && own && shut && { invites, unlisted, own, shut };
}

function readCertificate(reader: ByteReader): CarriageCertificate {
  const head = { key: reader.bytes(keyBytes), expires: reader.u32(), rank: reader.u8() };
  return { ...head, signature: reader.bytes(signatureBytes) };
}

function readVoice(reader: ByteReader): VoiceGrant | undefined {
  const voice = { key: reader.bytes(keyBytes), packetsPerSecond: reader.u8() };
  return isRate(voice.packetsPerSecond) ? voice : undefined;
}

function isRate(packetsPerSecond: number): boolean {
  return packetsPerSecond >= 1 && packetsPerSecond <= limits.voicePacketsPerSecond;
}

/** `count` items, or undefined when that is more than `most`, one is not valid, or the bytes end. */
function readList<Item>(
  reader: ByteReader,
  count: number,
  most: number,
  read: (reader: ByteReader) => Item | undefined,
): Item[] | undefined {
  if (count > most) return undefined;
  const items: Item[] = [];
  for (let index = 0; index < count; index++) {
    const item = read(reader);
    if (item === undefined || reader.failed) return undefined;
    items.push(item);
  }
  return items;
}
