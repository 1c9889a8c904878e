import type { Role } from "../../../api/engine.ts";
import { limits } from "../../../api/limits.ts";
import { millis } from "../../../api/ids.ts";
import type { Access } from "../../../api/room.ts";
import { ByteReader, ByteWriter } from "../../bytes.ts";
import { decodeUtf8, encodeUtf8 } from "../../utf8.ts";
import { readCapability, writeCapability } from "../rights/capability.ts";
import { doorBytes } from "../rights/doors.ts";
import {
  type Ban,
  branchBytes,
  type ChainHead,
  eventHashBytes,
  handBytes,
  handsMax,
  type Keeper,
  type KeptBan,
  keepersMax,
  linkBytesMax,
  linksMax,
  listsMax,
  markBytes,
  type Mute,
  nameBytesMax,
  type Named,
  type Office,
  type RaisedHand,
  type RoomState,
  rulesBytesMax,
  type Rules,
  type Silence,
  type StagePerson,
  titleBytesMax,
  type Use,
} from "./state.ts";

const roles: readonly Role[] = ["listener", "speaker", "moderator", "heir", "host"];
const keeperRoles: readonly Keeper["role"][] = ["host", "heir", "moderator"];
const accesses: readonly Access[] = ["open", "link-only", "locked"];
const keyBytes = 32;

/** All of a state but its sequence number, which stands where relays can read it. */
export function encodeState(state: RoomState): Uint8Array {
  const writer = new ByteWriter();
  writeMany(writer, state.chain, writeCapability);
  writeRules(writer, state);
  writeMany(writer, state.stage, writePerson);
  writeMany(writer, state.hands, writeHand);
  writeMany(writer, state.keepers, writeKeeper);
  writeMany(writer, state.muted, (to, mute) => to.bytes(mute.identityKey).u8(mute.by === "self" ? 0 : 1));
  writeMany(writer, state.away, writeBytes);
  writeMany(writer, state.invited, writeBytes);
  writeMany(writer, state.recorders, writeNamed);
  writeMany(writer, state.silenced, (to, { identityKey, rank }) => to.bytes(identityKey).u8(rank));
  writeMany(writer, state.bans, (to, ban) => writeNamed(to.u8(ban.rank), ban));
  writeMany16(writer, state.keptBans, (to, { mark, rank }) => to.bytes(mark).u8(rank));
  writeMany(writer, state.kicked, writeBytes);
  writeMany16(writer, state.revoked, writeBytes);
  writeMany(writer, state.used, (to, { branch, user, door, expires }) =>
    to.bytes(branch).bytes(user).bytes(door).u32(expires),
  );
  writeMany(writer, state.done, writeBytes);
  writer.u32(state.generation).u8((state.ended ? 1 : 0) | (state.openStage ? 2 : 0));
  writeMany(writer, state.frontier, writeHead);
  return writer.finish();
}

/** Reads what `encodeState` wrote; undefined for anything that breaks a limit or does not end where it should. */
export function parseState(plain: Uint8Array, sequence: number): RoomState | undefined {
  const reader = new ByteReader(plain);
  const chain = readMany(reader, limits.capabilityDepthMax, readCapability);
  const rules = readRules(reader);
  const stage = readMany(reader, limits.voicesMax, readPerson);
  const hands = readMany(reader, handsMax, readHand);
  const keepers = readMany(reader, keepersMax, readKeeper);
  const muted = readMany(reader, limits.voicesMax, readMute);
  const key = (from: ByteReader): Uint8Array => from.bytes(keyBytes);
  const branch = (from: ByteReader): Uint8Array => from.bytes(branchBytes);
  const away = readMany(reader, limits.voicesMax, key);
  const invited = readMany(reader, listsMax.invited, key);
  const recorders = readMany(reader, listsMax.recorders, readNamed);
  const silenced = readMany(reader, listsMax.silenced, (from): Silence => ({
    identityKey: key(from),
    rank: from.u8(),
  }));
  const bans = readMany(reader, listsMax.bans, readBan);
  const mark = (from: ByteReader): Uint8Array => from.bytes(markBytes);
  const keptBans = readMany16(reader, listsMax.keptBans, (from): KeptBan => ({ mark: mark(from), rank: from.u8() }));
  const kicked = readMany(reader, listsMax.kicked, mark);
  const revoked = readMany16(reader, listsMax.revoked, branch);
  const used = readMany(reader, listsMax.used, readUse);
  const done = readMany(reader, listsMax.done, (from) => from.bytes(handBytes));
  const generation = reader.u32();
  const flags = reader.u8();
  const frontier = readMany(reader, keepersMax * 2, readHead);
  if (!chain || !rules || !stage || !hands || !keepers || !muted || !away || !invited || !recorders) return undefined;
  if (!silenced || !bans || !keptBans || !kicked || !revoked || !used || !done || !frontier || !reader.ended)
    return undefined;
  const people = { stage, hands, keepers, muted, away, invited, recorders, silenced, bans, keptBans, kicked };
  const marks = { generation, ended: (flags & 1) !== 0, openStage: (flags & 2) !== 0 };
  return { sequence, chain, ...rules, ...people, revoked, used, done, ...marks, frontier };
}

/** Writes somebody on stage; shared with events and the capsule. */
export function writePerson(writer: ByteWriter, person: StagePerson): void {
  writer.bytes(person.voiceKey).bytes(person.identityKey).u8(roles.indexOf(person.role));
  writer.sized8(encodeUtf8(person.name)).bytes(person.branch);
}

/** Reads what `writePerson` wrote; undefined for a role that does not exist or a name that is too long. */
export function readPerson(reader: ByteReader): StagePerson | undefined {
  const voiceKey = reader.bytes(keyBytes);
  const identityKey = reader.bytes(keyBytes);
  const role = roles[reader.u8()];
  const name = readText8(reader, nameBytesMax);
  const branch = reader.bytes(branchBytes);
  return role === undefined || name === undefined ? undefined : { voiceKey, identityKey, role, name, branch };
}

/** Writes a raised hand; shared with events. */
export function writeHand(writer: ByteWriter, hand: RaisedHand): void {
  writePerson(writer.bytes(hand.id).u48(hand.raisedAt), hand.person);
}

/** Reads what `writeHand` wrote; undefined when its person does not parse. */
export function readHand(reader: ByteReader): RaisedHand | undefined {
  const id = reader.bytes(handBytes);
  const raisedAt = millis(reader.u48());
  const person = readPerson(reader);
  return person && { id, person, raisedAt };
}

/** Writes somebody in charge; shared with events. */
export function writeKeeper(writer: ByteWriter, keeper: Keeper): void {
  writer.bytes(keeper.key).bytes(keeper.identityKey).u8(keeperRoles.indexOf(keeper.role));
  writer.sized8(encodeUtf8(keeper.name)).u8(keeper.office ? 1 : 0);
  if (!keeper.office) return;
  const { capability, certificate } = keeper.office;
  writeCapability(writer, capability);
  writer.u32(certificate.expires).u8(certificate.rank).bytes(certificate.signature);
}

/** Reads what `writeKeeper` wrote; undefined for a role that keeps nothing or a name that is too long. */
export function readKeeper(reader: ByteReader): Keeper | undefined {
  const key = reader.bytes(keyBytes);
  const identityKey = reader.bytes(keyBytes);
  const role = keeperRoles[reader.u8()];
  const name = readText8(reader, nameBytesMax);
  const office = reader.u8() === 1 ? readOffice(reader, key) : undefined;
  if (role === undefined || name === undefined) return undefined;
  return { key, identityKey, role, name, office };
}

function readOffice(reader: ByteReader, key: Uint8Array): Office | undefined {
  const capability = readCapability(reader);
  const certificate = { key, expires: reader.u32(), rank: reader.u8(), signature: reader.bytes(64) };
  return capability && { capability, certificate };
}

/** Writes what holds for everybody. */
export function writeRules(writer: ByteWriter, rules: Rules): void {
  writer.sized8(encodeUtf8(rules.title)).sized16(encodeUtf8(rules.rules));
  writeMany(writer, rules.links, (to, link) => to.sized8(encodeUtf8(link)));
  writer
    .u8(accesses.indexOf(rules.access))
    .u16(rules.slowModeS)
    .u8(rules.pushToTalkOnly ? 1 : 0);
}

/** Reads what `writeRules` wrote; undefined when it breaks a limit. */
export function readRules(reader: ByteReader): Rules | undefined {
  const title = readText8(reader, titleBytesMax);
  const rules = textOf(reader.sized16(), rulesBytesMax);
  const links = readMany(reader, linksMax, (from) => readText8(from, linkBytesMax));
  const access = accesses[reader.u8()];
  const slowModeS = reader.u16();
  const pushToTalkOnly = reader.u8() === 1;
  if (title === undefined || rules === undefined || !links || access === undefined) return undefined;
  return { title, rules, links, access, slowModeS, pushToTalkOnly };
}

/** Writes somebody with their name; shared with events. */
export function writeNamed(writer: ByteWriter, named: Named): void {
  writer.bytes(named.identityKey).sized8(encodeUtf8(named.name));
}

/** Reads what `writeNamed` wrote; undefined for a name that is too long. */
export function readNamed(reader: ByteReader): Named | undefined {
  const identityKey = reader.bytes(keyBytes);
  const name = readText8(reader, nameBytesMax);
  return name === undefined ? undefined : { identityKey, name };
}

/** Writes how far a chain is settled. */
function writeHead(writer: ByteWriter, head: ChainHead): void {
  writer.bytes(head.key).u48(head.number).bytes(head.hash);
}

function readHead(reader: ByteReader): ChainHead {
  return { key: reader.bytes(keyBytes), number: reader.u48(), hash: reader.bytes(eventHashBytes) };
}

function readBan(reader: ByteReader): Ban | undefined {
  const rank = reader.u8();
  const named = readNamed(reader);
  return named && { ...named, rank };
}

function readUse(reader: ByteReader): Use {
  const branch = reader.bytes(branchBytes);
  return { branch, user: reader.bytes(markBytes), door: reader.bytes(doorBytes), expires: reader.u32() };
}

function readMute(reader: ByteReader): Mute {
  return { identityKey: reader.bytes(keyBytes), by: reader.u8() === 0 ? "self" : "keeper" };
}

function writeBytes(writer: ByteWriter, bytes: Uint8Array): void {
  writer.bytes(bytes);
}

function readText8(reader: ByteReader, bytesMax: number): string | undefined {
  return textOf(reader.sized8(), bytesMax);
}

function textOf(bytes: Uint8Array, bytesMax: number): string | undefined {
  return bytes.length > bytesMax ? undefined : decodeUtf8(bytes);
}

function writeMany<Item>(
  writer: ByteWriter,
  items: readonly Item[],
  write: (writer: ByteWriter, item: Item) => unknown,
): void {
  writer.u8(items.length);
  for (const item of items) write(writer, item);
}

/** For lists of more than 255. */
function writeMany16<Item>(
  writer: ByteWriter,
  items: readonly Item[],
  write: (writer: ByteWriter, item: Item) => unknown,
): void {
  writer.u16(items.length);
  for (const item of items) write(writer, item);
}

function readMany<Item>(
  reader: ByteReader,
  most: number,
  read: (reader: ByteReader) => Item | undefined,
): Item[] | undefined {
  return readItems(reader, reader.u8(), most, read);
}

function readMany16<Item>(
  reader: ByteReader,
  most: number,
  read: (reader: ByteReader) => Item | undefined,
): Item[] | undefined {
  return readItems(reader, reader.u16(), most, read);
}

function readItems<Item>(
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
