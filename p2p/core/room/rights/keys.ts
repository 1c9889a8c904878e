import type { Millis } from "../../../api/ids.ts";
import { limits } from "../../../api/limits.ts";
import { ByteWriter, concat } from "../../bytes.ts";
import type { Crypto } from "../../crypto.ts";
import { encodeUtf8 } from "../../utf8.ts";
import { type Capability, issueCapability, rightsOfRole } from "./capability.ts";
import { type CarriageCertificate, signCarriage } from "./carriage.ts";

const epochLabel = encodeUtf8("teahouse epoch 1");
const eraLabel = encodeUtf8("teahouse era 1");
const seedBytes = 32;
const secretBytes = 32;
/** A host's session outranks whoever acts when it is silent. */
const hostRank = 0;

/** An Ed25519 key pair: 32 bytes each. The seed is the secret. */
export interface KeyPair {
  readonly seed: Uint8Array;
  readonly key: Uint8Array;
}

/** What a host signs with for at most `limits.hostSessionMsMax`. */
export interface HostSession extends KeyPair {
  /** The root's word for it, towards members. */
  readonly capability: Capability;
  /** The carriage key's word for it, towards relays. */
  readonly certificate: CarriageCertificate;
}

/** Everything that makes a room. */
export interface RoomKeys {
  /** The room's authority; its public half is the room key. With an heir, its seed and the carriage's are empty. */
  readonly root: KeyPair;
  /** The room's readability, 32 bytes. Every invite holds it. */
  readonly secret: Uint8Array;
  /** Its public half is the room tag. Drawn by itself, so that a relay cannot tell which room it carries. */
  readonly carriage: KeyPair;
  readonly session: HostSession;
}

/** A media epoch as members know it. */
export interface Epoch {
  /** Counts up from 0; packets and views show its low 8 bits. */
  readonly number: number;
  /** 32 bytes. */
  readonly secret: Uint8Array;
}

/** Draws a new room with its first session. */
export function createRoomKeys(crypto: Crypto, now: Millis): RoomKeys {
  const root = createKeyPair(crypto);
  const secret = crypto.randomBytes(secretBytes);
  const carriage = createKeyPair(crypto);
  return { root, secret, carriage, session: createHostSession(crypto, root, carriage, now) };
}

/** Draws a session that begins now. Its beginning is dated back, for members whose clocks are behind. */
export function createHostSession(crypto: Crypto, root: KeyPair, carriage: KeyPair, now: Millis): HostSession {
  const session = createKeyPair(crypto);
  const expires = Math.floor((now + limits.hostSessionMsMax) / 1000);
  const capability = issueCapability(crypto, root.key, root.seed, {
    grantee: session.key,
    role: "host",
    rights: rightsOfRole.host,
    notBefore: Math.max(0, Math.floor((now - limits.clockToleranceMs) / 1000)),
    expires,
    sequence: 0,
  });
  return { ...session, capability, certificate: signCarriage(crypto, carriage.seed, session.key, expires, hostRank) };
}

/** Uses a key that follows from a secret, of which nothing stays. */
export function withKey<Result>(
  crypto: Crypto,
  secret: Uint8Array,
  label: Uint8Array,
  use: (key: Uint8Array) => Result,
): Result {
  const key = crypto.hkdf(secret, label, 32);
  const result = use(key);
  key.fill(0);
  return result;
}

/** A fresh Ed25519 key pair. */
export function createKeyPair(crypto: Crypto): KeyPair {
  return createPair(crypto, crypto.randomBytes(seedBytes));
}

/** The pair of a seed that is known. */
export function createPair(crypto: Crypto, seed: Uint8Array): KeyPair {
  return { seed, key: crypto.publicKey(seed) };
}

/** The media secret of an epoch of an open room: 32 bytes, for whoever holds an invite ([RM5]). */
export function epochSecret(crypto: Crypto, secret: Uint8Array, tag: Uint8Array, epoch: number): Uint8Array {
  return crypto.hkdf(secret, concat(epochLabel, tag, new ByteWriter().u48(epoch).finish()), 32);
}

/**
 * The secret of the era that begins with an epoch, by that epoch's secret: 32 bytes. State and events are sealed by it, so that who
 * comes later in the era can read them, and reads nothing else of the epochs before ([RM48]).
 */
export function eraSecret(crypto: Crypto, secret: Uint8Array): Uint8Array {
  return crypto.hkdf(secret, eraLabel, 32);
}

/** What an open room begins with, for whoever holds an invite: its first epoch, and the era of the same number. */
export function firstEpoch(crypto: Crypto, secret: Uint8Array, tag: Uint8Array): { epoch: Epoch; era: Epoch } {
  const first = epochSecret(crypto, secret, tag, 0);
  return { epoch: { number: 0, secret: first }, era: { number: 0, secret: eraSecret(crypto, first) } };
}
