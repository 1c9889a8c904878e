import type { Role } from "../../../api/engine.ts";
import { type Millis, millis } from "../../../api/ids.ts";
import { limits } from "../../../api/limits.ts";
import { ByteReader, ByteWriter, concat } from "../../bytes.ts";
import type { Crypto } from "../../crypto.ts";
import type { KnownSecrets } from "../epoch/secrets.ts";
import { doorBytes } from "../rights/doors.ts";
import { type Epoch, withKey } from "../rights/keys.ts";
import { decodeUtf8, encodeUtf8 } from "../../utf8.ts";
import { type Capability, readCapability, verifyChain, writeCapability } from "../rights/capability.ts";
import { branchBytes, hasKey, nameBytesMax, type RoomState } from "../state/state.ts";

const petitionVersion = 3;
/** How far two people's best times may be apart: each goes by the relays that it met, whose clocks may be so wrong ([RM23]). */
export const petitionAgeMsMax = limits.clockToleranceMs;
const nonceBytes = 12;
const signatureBytes = 64;
const petitionLabel = encodeUtf8("teahouse petition 1");
const keyLabel = encodeUtf8("teahouse petition key 1");

/**
 * What a member asks of the authorities. `present`: here is somebody whose invite gives an office, or is good for one
 * only. `beat`: whoever acts for the room is there; `here`: somebody on stage is.
 */
export const wishes = [
  "speak",
  "leave-stage",
  "accept-stage",
  "decline-stage",
  "record",
  "stop-recording",
  "mute-self",
  "unmute-self",
  "present",
  "beat",
  "here",
] as const;
/** One of them; the number on the wire is its place in the list. */
export type Wish = (typeof wishes)[number];

/** A petition with what its chain proves. */
export interface Petitioner extends Petition {
  readonly identityKey: Uint8Array;
  readonly role: Role;
  readonly rights: number;
  /** Their invite's time is over: they keep what the room gave them, and are given nothing more. */
  readonly isOver: boolean;
  /** Of the invite they came by. */
  readonly branch: Uint8Array;
  /** Which link of the room that invite belongs to. */
  readonly generation: number;
}

/** A member's request, signed by its identity and carried sealed, so that relays see neither who nor what. */
export interface Petition {
  /** 8 random bytes: repeated petitions keep theirs, and the state acknowledges by it. */
  readonly id: Uint8Array;
  readonly wish: Wish;
  /** When, by the best time known to whoever asks; grows with each. */
  readonly at: Millis;
  readonly voiceKey: Uint8Array;
  /** Names their own door: who uses an invite for one comes in by it from then on. */
  readonly door: Uint8Array;
  readonly name: string;
  /** Root first; the last grantee is the identity that signs. */
  readonly chain: readonly Capability[];
}

/** Seals a petition: `epoch, low 8 bits | nonce | AES-256-GCM of (version | fields | signature)`, under a key of the epoch. */
export function sealPetition(
  crypto: Crypto,
  epoch: Epoch,
  roomKey: Uint8Array,
  identitySeed: Uint8Array,
  petition: Petition,
): Uint8Array {
  const writer = new ByteWriter().u8(petitionVersion).bytes(petition.id).u8(wishes.indexOf(petition.wish));
  writer.u48(Math.floor(petition.at)).bytes(petition.voiceKey).bytes(petition.door);
  writer.sized8(encodeUtf8(petition.name)).u8(petition.chain.length);
  for (const capability of petition.chain) writeCapability(writer, capability);
  const body = writer.finish();
  const signature = crypto.sign(identitySeed, concat(petitionLabel, roomKey, body));
  const nonce = crypto.randomBytes(nonceBytes);
  const mark = Uint8Array.of(epoch.number % 256);
  const plain = concat(body, signature);
  const seal = (key: Uint8Array): Uint8Array => crypto.seal(key, nonce, concat(roomKey, mark), plain, 16);
  return concat(mark, nonce, withKey(crypto, epoch.secret, keyLabel, seal));
}

/** A petition with who signed it, when it opens, parses, is of now, and its chain holds ([RM22]); undefined otherwise. */
export function openPetition(
  crypto: Crypto,
  epochs: KnownSecrets,
  roomKey: Uint8Array,
  bytes: Uint8Array,
  now: Millis,
): Petitioner | undefined {
  const start = 1 + nonceBytes;
  const aad = concat(roomKey, bytes.subarray(0, 1));
  const plain = epochs.find(bytes[0] ?? 0).reduce<Uint8Array | undefined>((found, secret) => {
    const open = (key: Uint8Array): Uint8Array | undefined =>
      crypto.open(key, bytes.subarray(1, start), aad, bytes.subarray(start), 16);
    return found ?? withKey(crypto, secret, keyLabel, open);
  }, undefined);
  if (!plain || plain.length < signatureBytes) return undefined;
  const body = plain.subarray(0, plain.length - signatureBytes);
  const petition = parsePetition(body);
  if (!petition || Math.abs(now - petition.at) > petitionAgeMsMax) return undefined;
  const asOfNow = verifyChain(crypto, roomKey, petition.chain, now);
  const isOver = !asOfNow.ok && asOfNow.reason === "expired";
  const endedAt = millis((petition.chain.at(-1)?.expires ?? 0) * 1000);
  const authority = isOver ? verifyChain(crypto, roomKey, petition.chain, endedAt) : asOfNow;
  if (!authority.ok) return undefined;
  const identityKey = authority.value.grantee;
  const signed = concat(petitionLabel, roomKey, body);
  if (!crypto.verify(identityKey, signed, plain.subarray(body.length))) return undefined;
  const { role, rights } = authority.value;
  const { branch, generation } = inviteOf(crypto, petition.chain);
  return { ...petition, identityKey, role, rights, isOver, branch, generation };
}

/** The invite at the end of which somebody stands: the link above their own. It is of no later link of the room than those above it. */
export function inviteOf(
  crypto: Crypto,
  chain: readonly Capability[],
): { readonly branch: Uint8Array; readonly generation: number } {
  const bearer = chain.at(-2);
  if (!bearer) return { branch: new Uint8Array(branchBytes), generation: 0 };
  const generation = Math.min(...chain.slice(0, -1).map(({ sequence }) => sequence));
  return { branch: branchOf(crypto, bearer.grantee), generation };
}

/** Whether an invite by which somebody came, or one above it, was taken back. */
export function isTakenBack(
  crypto: Crypto,
  { revoked }: Pick<RoomState, "revoked">,
  chain: readonly Capability[],
): boolean {
  return revoked.length > 0 && chain.slice(0, -1).some(({ grantee }) => hasKey(revoked, branchOf(crypto, grantee)));
}

/** Names an invite by its bearer's key. */
export function branchOf(crypto: Crypto, bearerKey: Uint8Array): Uint8Array {
  return crypto.sha256(bearerKey).subarray(0, branchBytes);
}

function parsePetition(body: Uint8Array): Petition | undefined {
  const reader = new ByteReader(body);
  if (reader.u8() !== petitionVersion) return undefined;
  const id = reader.bytes(8);
  const wish = wishes[reader.u8()];
  const at = millis(reader.u48());
  const voiceKey = reader.bytes(32);
  const door = reader.bytes(doorBytes);
  const nameBytes = reader.sized8();
  const name = nameBytes.length > nameBytesMax ? undefined : decodeUtf8(nameBytes);
  const count = reader.u8();
  if (wish === undefined || name === undefined || count > limits.capabilityDepthMax) return undefined;
  const chain: Capability[] = [];
  for (let index = 0; index < count; index++) {
    const capability = readCapability(reader);
    if (!capability) return undefined;
    chain.push(capability);
  }
  return reader.ended ? { id, wish, at, voiceKey, door, name, chain } : undefined;
}
