import { limits } from "../../api/limits.ts";
import { ByteReader, ByteWriter } from "../bytes.ts";
import type { Crypto } from "../crypto.ts";
import type { HostRelay } from "../peer-io.ts";
import { decodeUtf8, encodeUtf8 } from "../utf8.ts";
import { readCapability, writeCapability } from "./capability.ts";
import { readRelayAddress, writeRelayAddress } from "./card.ts";
import { encodeInvite, type Invite, parseInvite } from "./invite.ts";
import type { KeyPair, RoomKeys } from "./keys.ts";
import { nameBytesMax, readPerson, type StagePerson, titleBytesMax, writePerson } from "./state.ts";

const capsuleVersion = 1;
/** A session that was issued just before a crash may not be in the capsule: numbers go on beyond it. */
const sequenceLeap = 16;

/** What a guest needs to come back as the same person. */
export interface GuestCapsule {
  readonly kind: "guest";
  /** With the relays known last as hints. */
  readonly invite: Invite;
  readonly identitySeed: Uint8Array;
  readonly name: string;
  /** Whether it was on stage, and asks for it again. */
  readonly onStage: boolean;
}

/** What a host needs to go on with its room. */
export interface HostCapsule {
  readonly kind: "host";
  readonly keys: RoomKeys;
  readonly identitySeed: Uint8Array;
  readonly title: string;
  readonly letEverybodySpeak: boolean;
  readonly coreSize: number;
  readonly relayFanout: number;
  /** Empty: the host is its own relay. */
  readonly relays: readonly HostRelay[];
  /** Everybody on stage, the host first. */
  readonly stage: readonly StagePerson[];
  readonly viewSequence: number;
  readonly stateSequence: number;
}

/** What it takes to come back after a crash ([RM29]). For memory only: it is all the secrets of a seat. */
export type Capsule = GuestCapsule | HostCapsule;

/** Encodes a capsule; only this code reads it, so the layout is nobody else's business. */
export function encodeCapsule(crypto: Crypto, capsule: Capsule): Uint8Array {
  const writer = new ByteWriter()
    .u8(capsuleVersion)
    .u8(capsule.kind === "guest" ? 0 : 1)
    .bytes(capsule.identitySeed);
  if (capsule.kind === "guest") {
    writer.sized16(encodeUtf8(encodeInvite(crypto, capsule.invite)));
    return writer
      .sized8(encodeUtf8(capsule.name))
      .u8(capsule.onStage ? 1 : 0)
      .finish();
  }
  const { root, secret, carriage, session } = capsule.keys;
  writer.bytes(root.seed).bytes(secret).bytes(carriage.seed).bytes(session.seed);
  writeCapability(writer, session.capability);
  writer.u32(session.certificate.expires).bytes(session.certificate.signature);
  writer.sized8(encodeUtf8(capsule.title)).u8(capsule.letEverybodySpeak ? 1 : 0);
  writer.u8(capsule.coreSize).u8(capsule.relayFanout).u8(capsule.relays.length);
  for (const relay of capsule.relays) {
    writeRelayAddress(writer, relay.address);
    writer.bytes(relay.secret);
  }
  writer.u8(capsule.stage.length);
  for (const person of capsule.stage) writePerson(writer, person);
  return writer.u32(capsule.viewSequence).u32(capsule.stateSequence).finish();
}

/** Reads what `encodeCapsule` wrote; undefined for anything else. */
export function parseCapsule(crypto: Crypto, bytes: Uint8Array): Capsule | undefined {
  const reader = new ByteReader(bytes);
  const version = reader.u8();
  const kind = reader.u8();
  const identitySeed = reader.bytes(32);
  if (version !== capsuleVersion || kind > 1) return undefined;
  const capsule = kind === 0 ? readGuest(crypto, reader, identitySeed) : readHost(crypto, reader, identitySeed);
  return reader.ended ? capsule : undefined;
}

function readGuest(crypto: Crypto, reader: ByteReader, identitySeed: Uint8Array): GuestCapsule | undefined {
  const text = decodeUtf8(reader.sized16());
  const name = decodeUtf8(reader.sized8());
  const onStage = reader.u8() === 1;
  const invite = text === undefined ? undefined : parseInvite(crypto, text);
  if (!invite?.ok || name === undefined || encodeUtf8(name).length > nameBytesMax) return undefined;
  return { kind: "guest", invite: invite.value, identitySeed, name, onStage };
}

function readHost(crypto: Crypto, reader: ByteReader, identitySeed: Uint8Array): HostCapsule | undefined {
  const pair = (seed: Uint8Array): KeyPair => ({ seed, key: crypto.publicKey(seed) });
  const seeds = [reader.bytes(32), reader.bytes(32), reader.bytes(32), reader.bytes(32)];
  if (reader.failed) return undefined;
  const [root, secret, carriage, session] = seeds as [Uint8Array, Uint8Array, Uint8Array, Uint8Array];
  const capability = readCapability(reader);
  const expires = reader.u32();
  const signature = reader.bytes(64);
  const title = decodeUtf8(reader.sized8());
  const letEverybodySpeak = reader.u8() === 1;
  const shape = { coreSize: reader.u8(), relayFanout: reader.u8() };
  const relays = readList(reader, limits.relaysMax, readHostRelay);
  const stage = readList(reader, limits.voicesMax, readPerson);
  const viewSequence = reader.u32() + sequenceLeap;
  const stateSequence = reader.u32() + sequenceLeap;
  if (!capability || title === undefined || encodeUtf8(title).length > titleBytesMax || !relays || !stage)
    return undefined;
  const keyed = pair(session);
  const keys: RoomKeys = {
    root: pair(root),
    secret,
    carriage: pair(carriage),
    session: { ...keyed, capability, certificate: { key: keyed.key, expires, signature } },
  };
  const counted = { viewSequence, stateSequence };
  return { kind: "host", keys, identitySeed, title, letEverybodySpeak, ...shape, relays, stage, ...counted };
}

function readHostRelay(reader: ByteReader): HostRelay | undefined {
  const address = readRelayAddress(reader);
  const secret = reader.bytes(16);
  return address && { address, secret };
}

function readList<Item>(reader: ByteReader, most: number, read: (reader: ByteReader) => Item | undefined) {
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
