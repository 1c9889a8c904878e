import type { VolunteerOptions } from "../../../api/engine.ts";
import type { PeerId } from "../../../api/ids.ts";
import { limits } from "../../../api/limits.ts";
import { ByteReader, ByteWriter, fromHex, toHex } from "../../bytes.ts";
import type { Crypto } from "../../crypto.ts";
import type { HostRelay } from "../../peer-io.ts";
import { peerOf } from "../../session/frames.ts";
import { decodeUtf8, encodeUtf8 } from "../../utf8.ts";
import { readCapability, writeCapability } from "../rights/capability.ts";
import { readRelayAddress, writeRelayAddress } from "../invite/card.ts";
import { encodeInvite, type Invite, parseInvite } from "../invite/invite.ts";
import type { KeyHistory } from "../epoch/keeper.ts";
import type { KeyPair, RoomKeys } from "../rights/keys.ts";
import { doorBytes } from "../rights/doors.ts";
import { type Pass, readPass, writePass } from "../rights/pass.ts";
import type { InviteDoor, KeptDoors } from "./room-doors.ts";
import { doorsMax } from "../state/view.ts";
import { banBytes } from "../rights/ban.ts";
import { numberMax } from "../rights/numbers.ts";
import { handBytes, nameBytesMax, type RoomState } from "../state/state.ts";
import { encodeState, parseState } from "../state/state-codec.ts";

const capsuleVersion = 4;
/**
 * What was issued just before a crash may not be in the capsule: numbers go on beyond it. Every relay of a full view
 * passes ten petitions a second on, and a capsule is some seconds old.
 */
export const sequenceLeap = 4096;
const countMax = 2 ** 32 - 1;
/** Petitions remembered as done: a stage that changes every second for half an hour. */
export const doneMax = 2048;

/** What a guest needs to come back as the same person. */
export interface GuestCapsule {
  readonly kind: "guest";
  /** With the relays known last as hints. */
  readonly invite: Invite;
  readonly identitySeed: Uint8Array;
  readonly name: string;
  /** Whether it was on stage, and asks for it again. */
  readonly onStage: boolean;
  /** Where keys are given: those that it had. */
  readonly history: KeyHistory | undefined;
  /** The word that it was inside. */
  readonly pass: Pass | undefined;
  /** With an heir: what serials are made of. */
  readonly serials: Uint8Array | undefined;
}

/** What a host needs to go on with its room. */
export interface HostCapsule {
  readonly kind: "host";
  readonly keys: RoomKeys;
  readonly identitySeed: Uint8Array;
  readonly coreSize: number;
  readonly relayFanout: number;
  /** What the host lends when it is its own relay. */
  readonly volunteer: VolunteerOptions;
  /** Empty: the host is its own relay. */
  readonly relays: readonly HostRelay[];
  /** Those that carried. */
  readonly carrying: readonly PeerId[];
  /** All that came of what happened so far. */
  readonly state: RoomState;
  /** Petitions that were answered, in hex, the newest last. */
  readonly done: readonly string[];
  /** Hashes of the keys that speak for the room no more. */
  readonly revoked: readonly Uint8Array[];
  readonly viewSequence: number;
  readonly stateSequence: number;
  /** Invites that were given out. */
  readonly doors: KeptDoors;
  /** Where keys are given: those of the epoch in force. */
  readonly history: KeyHistory | undefined;
}

/** What it takes to come back after a crash ([RM29]). For memory only: it is all the secrets of a seat. */
export type Capsule = GuestCapsule | HostCapsule;

/** Encodes a capsule; only this code reads it, so the layout is nobody else's business. */
export function encodeCapsule(crypto: Crypto, capsule: Capsule): Uint8Array {
  const writer = new ByteWriter().u8(capsuleVersion).u8(capsule.kind === "guest" ? 0 : 1);
  writer.bytes(capsule.identitySeed);
  writeHistory(writer, capsule.history);
  if (capsule.kind === "guest") writeGuest(crypto, writer, capsule);
  else writeHost(writer, capsule);
  return writer.finish();
}

/** Reads what `encodeCapsule` wrote; undefined for anything else. */
export function parseCapsule(crypto: Crypto, bytes: Uint8Array): Capsule | undefined {
  const reader = new ByteReader(bytes);
  const version = reader.u8();
  const kind = reader.u8();
  const identitySeed = reader.bytes(32);
  const history = readHistory(reader);
  if (version !== capsuleVersion || kind > 1 || reader.failed) return undefined;
  const capsule = kind === 0 ? readGuest(crypto, reader, identitySeed) : readHost(crypto, reader, identitySeed);
  return capsule && reader.ended ? { ...capsule, history } : undefined;
}

function writeHistory(writer: ByteWriter, history: KeyHistory | undefined): void {
  writer.u8(history ? 1 : 0);
  if (history) writer.u48(history.number).bytes(history.secret).u48(history.era.number).bytes(history.era.secret);
}

function readHistory(reader: ByteReader): KeyHistory | undefined {
  if (reader.u8() !== 1) return undefined;
  const epoch = { number: reader.u48(), secret: reader.bytes(32) };
  return { ...epoch, era: { number: reader.u48(), secret: reader.bytes(32) } };
}

function writeGuest(crypto: Crypto, writer: ByteWriter, capsule: GuestCapsule): void {
  const { invite, name, onStage } = capsule;
  writer.sized16(encodeUtf8(encodeInvite(crypto, invite))).sized8(encodeUtf8(name));
  writer.u8((onStage ? 1 : 0) | (capsule.pass ? 2 : 0) | (capsule.serials ? 4 : 0));
  if (capsule.pass) writePass(writer, capsule.pass);
  if (capsule.serials) writer.bytes(capsule.serials);
}

function readGuest(
  crypto: Crypto,
  reader: ByteReader,
  identitySeed: Uint8Array,
): Omit<GuestCapsule, "history"> | undefined {
  const text = decodeUtf8(reader.sized16());
  const name = decodeUtf8(reader.sized8());
  const flags = reader.u8();
  const onStage = (flags & 1) !== 0;
  const pass = (flags & 2) === 0 ? undefined : readPass(reader);
  const serials = (flags & 4) === 0 ? undefined : reader.bytes(32);
  const invite = text === undefined ? undefined : parseInvite(crypto, text);
  if (!invite?.ok || name === undefined || encodeUtf8(name).length > nameBytesMax) return undefined;
  return { kind: "guest", invite: invite.value, identitySeed, name, onStage, pass, serials };
}

function writeHost(writer: ByteWriter, capsule: HostCapsule): void {
  const { root, secret, carriage, session } = capsule.keys;
  writer.bytes(root.seed).bytes(secret).bytes(carriage.seed).bytes(session.seed);
  writeCapability(writer, session.capability);
  writer.u32(session.certificate.expires).u8(session.certificate.rank).bytes(session.certificate.signature);
  writer.u8(capsule.coreSize).u8(capsule.relayFanout);
  writeVolunteer(writer, capsule.volunteer);
  writer.u8(capsule.relays.length);
  for (const { address, secret: card } of capsule.relays) {
    writeRelayAddress(writer, address);
    writer.bytes(card).u8(capsule.carrying.includes(peerOf(address)) ? 1 : 0);
  }
  writer.sized16(encodeState(capsule.state));
  writer.u16(capsule.done.length);
  for (const id of capsule.done) writer.bytes(fromHex(id));
  writer.u8(capsule.revoked.length);
  for (const name of capsule.revoked) writer.bytes(name);
  const { invites, unlisted } = capsule.doors;
  writer.u16(invites.length);
  for (const { name, generation, expires } of invites) writer.bytes(name).u32(generation).u32(expires);
  writer.u8(unlisted === undefined ? 0 : 1).u32(unlisted ?? 0);
  writer.u48(capsule.viewSequence).u48(capsule.stateSequence);
}

function readHost(
  crypto: Crypto,
  reader: ByteReader,
  identitySeed: Uint8Array,
): Omit<HostCapsule, "history"> | undefined {
  const keys = readKeys(crypto, reader);
  const shape = { coreSize: reader.u8(), relayFanout: reader.u8() };
  const volunteer = readVolunteer(reader);
  const carried = readList(reader, reader.u8(), limits.relaysMax, readHostRelay);
  const plain = reader.sized16();
  const done = readList(reader, reader.u16(), doneMax, (from) => toHex(from.bytes(handBytes)));
  const revoked = readList(reader, reader.u8(), 255, (from) => from.bytes(banBytes));
  const doors = readDoors(reader);
  const viewSequence = reader.u48() + sequenceLeap;
  const stateSequence = reader.u48();
  const state = parseState(plain, stateSequence);
  if (!keys || !state || !carried || !done || !revoked || !doors || shape.coreSize === 0 || shape.relayFanout === 0)
    return undefined;
  if (Math.max(viewSequence, stateSequence + sequenceLeap) > numberMax) return undefined;
  const relays = carried.map((each) => each.relay);
  const carrying = carried.filter((each) => each.carries).map((each) => peerOf(each.relay.address));
  const room = { ...shape, volunteer, relays, carrying, state, done, revoked, doors };
  return { kind: "host", keys, identitySeed, ...room, viewSequence, stateSequence: stateSequence + sequenceLeap };
}

function readKeys(crypto: Crypto, reader: ByteReader): RoomKeys | undefined {
  const seeds = [reader.bytes(32), reader.bytes(32), reader.bytes(32), reader.bytes(32)];
  if (reader.failed) return undefined;
  const [root, secret, carriage, session] = seeds as [Uint8Array, Uint8Array, Uint8Array, Uint8Array];
  const capability = readCapability(reader);
  const expires = reader.u32();
  const rank = reader.u8();
  const signature = reader.bytes(64);
  if (!capability || reader.failed) return undefined;
  const pair = (seed: Uint8Array): KeyPair => ({ seed, key: crypto.publicKey(seed) });
  const keyed = pair(session);
  const certificate = { key: keyed.key, expires, rank, signature };
  return { root: pair(root), secret, carriage: pair(carriage), session: { ...keyed, capability, certificate } };
}

function writeVolunteer(writer: ByteWriter, options: VolunteerOptions): void {
  const { maxChildren, maxKbps, only } = options;
  const counts = [maxChildren, maxKbps];
  writer.u8(counts.reduce<number>((flags, count, bit) => flags | (count === undefined ? 0 : 1 << bit), only ? 4 : 0));
  for (const count of counts) writer.u32(Math.min(countMax, Math.max(0, Math.floor(count ?? 0))));
}

function readVolunteer(reader: ByteReader): VolunteerOptions {
  const flags = reader.u8();
  const counts = { maxChildren: reader.u32(), maxKbps: reader.u32() };
  return {
    ...((flags & 1) === 0 ? {} : { maxChildren: counts.maxChildren }),
    ...((flags & 2) === 0 ? {} : { maxKbps: counts.maxKbps }),
    ...((flags & 4) === 0 ? {} : { only: true }),
  };
}

function readHostRelay(reader: ByteReader): { readonly relay: HostRelay; readonly carries: boolean } | undefined {
  const address = readRelayAddress(reader);
  const secret = reader.bytes(16);
  const carries = reader.u8() === 1;
  return address && { relay: { address, secret }, carries };
}

function readDoors(reader: ByteReader): KeptDoors | undefined {
  const invites = readList(reader, reader.u16(), doorsMax, readDoor);
  const isUnlisted = reader.u8() === 1;
  const generation = reader.u32();
  return invites && { invites, unlisted: isUnlisted ? generation : undefined };
}

function readDoor(reader: ByteReader): InviteDoor {
  return { name: reader.bytes(doorBytes), generation: reader.u32(), expires: reader.u32() };
}

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
