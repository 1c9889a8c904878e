import { type Millis, millis } from "../../../api/ids.ts";
import { limits } from "../../../api/limits.ts";
import { ByteReader, ByteWriter, concat } from "../../bytes.ts";
import type { Crypto } from "../../crypto.ts";
import { encodeUtf8 } from "../../utf8.ts";
import { type Capability, readCapability, verifyChain, writeCapability } from "../rights/capability.ts";
import type { Epoch } from "../rights/keys.ts";
import { numberMax } from "../rights/numbers.ts";
import { type Pass, readPass, writePass } from "../rights/pass.ts";
import type { Commit } from "./commit.ts";
import { heightMax } from "./tree.ts";

const version = 3;
const enrolLabel = encodeUtf8("teahouse enrolment 1");
const grantLabel = encodeUtf8("teahouse grant 1");
const signatureBytes = 64;
const keyBytes = 32;
const insideLabel = encodeUtf8("teahouse inside 1");
const insideBytes = 16;
const noSerials = new Uint8Array(keyBytes);
/** Names one enrolment on its way and its grant on the way back; drawn for each try. */
export const enrolmentIdBytes = 8;
/** Eras that one enrolment hands over: of ten minutes of kicks, the last few. */
export const erasMax = 8;
/** A chain of three, its signatures, all eras and a pass take 1,180. */
export const enrolmentBytesMax = 1280;
/** Keys of the longest path, with the pass, take 950. */
export const grantBytesMax = 1024;

/** What a member wants of whoever keeps the keys. */
export interface Enrolment {
  /** Whether it comes, or leaves for good and gives its place up. */
  readonly wish: "hold" | "leave";
  /** X25519: the grant is sealed to it. */
  readonly boxKey: Uint8Array;
  /** The key of its own door: 32 bytes. */
  readonly door: Uint8Array;
  /** `insideProof` of the era that it knows; zeros without one. */
  readonly inside: Uint8Array;
  /** The newest epoch that it knows; 0 without one. */
  readonly epoch: number;
  /** Eras that it knows, the newest first, `erasMax` at most: so a keeper hands over what was sealed on its side of a room that grew apart. */
  readonly eras: readonly Epoch[];
  /** Somebody's who was given keys before. */
  readonly pass: Pass | undefined;
  /** Root first; the last grantee is the identity that signs. */
  readonly chain: readonly Capability[];
}

/** Shows to who knows an era's secret that this member knows it too: it was inside before ([RM47]). */
export function insideProof(crypto: Crypto, secret: Uint8Array, tree: Uint8Array, boxKey: Uint8Array): Uint8Array {
  return crypto.hkdf(secret, concat(insideLabel, tree, boxKey), insideBytes);
}

/** For who knows none. */
export const notInside: Uint8Array = new Uint8Array(insideBytes);

/** Whose it is, once it is believed. */
export interface BelievedEnrolment extends Enrolment {
  readonly identityKey: Uint8Array;
  /** The time of their invite is over: only who was inside goes on. */
  readonly isOver: boolean;
}

/** Seals an enrolment to the authority that the commit names: relays and other members see neither who nor what. */
export function sealEnrolment(
  crypto: Crypto,
  roomKey: Uint8Array,
  id: Uint8Array,
  commit: Pick<Commit, "tree" | "boxKey">,
  identitySeed: Uint8Array,
  enrolment: Enrolment,
): Uint8Array | undefined {
  const writer = new ByteWriter().u8(version).u8(enrolment.wish === "hold" ? 0 : 1);
  writer
    .bytes(enrolment.boxKey)
    .bytes(enrolment.door)
    .bytes(enrolment.inside)
    .u48(enrolment.epoch)
    .u8(enrolment.eras.length);
  for (const { number, secret } of enrolment.eras) writer.u48(number).bytes(secret);
  writer.u8(enrolment.pass ? 1 : 0);
  if (enrolment.pass) writePass(writer, enrolment.pass);
  writer.u8(enrolment.chain.length);
  for (const capability of enrolment.chain) writeCapability(writer, capability);
  const body = writer.drain();
  // Bound to the tree, so that it cannot be given to another authority, or again after a restart.
  const signature = crypto.sign(identitySeed, concat(enrolLabel, roomKey, commit.tree, id, body));
  const info = concat(enrolLabel, roomKey, commit.tree);
  const sealed = sealOnce(crypto, commit.boxKey, info, id, concat(body, signature));
  body.fill(0);
  return sealed && concat(id, sealed);
}

/** An enrolment that opens, parses, and whose chain holds now; undefined otherwise. */
export function openEnrolment(
  crypto: Crypto,
  roomKey: Uint8Array,
  tree: Uint8Array,
  boxSeed: Uint8Array,
  bytes: Uint8Array,
  now: Millis,
): BelievedEnrolment | undefined {
  if (bytes.length < enrolmentIdBytes || bytes.length > enrolmentBytesMax) return undefined;
  const id = bytes.subarray(0, enrolmentIdBytes);
  const info = concat(enrolLabel, roomKey, tree);
  const plain = crypto.openSealed(boxSeed, info, id, bytes.subarray(enrolmentIdBytes));
  if (!plain) return undefined;
  const believed = believe(crypto, roomKey, concat(enrolLabel, roomKey, tree, id), plain, now);
  plain.fill(0);
  return believed;
}

function believe(
  crypto: Crypto,
  roomKey: Uint8Array,
  context: Uint8Array,
  plain: Uint8Array,
  now: Millis,
): BelievedEnrolment | undefined {
  if (plain.length < signatureBytes) return undefined;
  const body = plain.subarray(0, plain.length - signatureBytes);
  const enrolment = parseEnrolment(body);
  if (!enrolment) return undefined;
  const asOfNow = verifyChain(crypto, roomKey, enrolment.chain, now);
  const isOver = !asOfNow.ok && asOfNow.reason === "expired";
  const endedAt = millis((enrolment.chain.at(-1)?.expires ?? 0) * 1000);
  const authority = isOver ? verifyChain(crypto, roomKey, enrolment.chain, endedAt) : asOfNow;
  if (!authority.ok) return undefined;
  const identityKey = authority.value.grantee;
  const isSigned = crypto.verify(identityKey, concat(context, body), plain.subarray(body.length));
  return isSigned ? { ...enrolment, identityKey, isOver } : undefined;
}

function parseEnrolment(body: Uint8Array): Enrolment | undefined {
  const reader = new ByteReader(body);
  if (reader.u8() !== version) return undefined;
  const wish = (["hold", "leave"] as const)[reader.u8()];
  const boxKey = reader.bytes(keyBytes);
  const door = reader.bytes(keyBytes);
  const inside = reader.bytes(insideBytes);
  const epoch = reader.u48();
  const erasCount = reader.u8();
  if (erasCount > erasMax) return undefined;
  const eras = Array.from({ length: erasCount }, () => ({ number: reader.u48(), secret: reader.bytes(keyBytes) }));
  const passes = reader.u8();
  if (passes > 1) return undefined;
  const pass = passes === 1 ? readPass(reader) : undefined;
  const count = reader.u8();
  if (wish === undefined || count > limits.capabilityDepthMax) return undefined;
  const chain: Capability[] = [];
  for (let index = 0; index < count; index++) {
    const capability = readCapability(reader);
    if (!capability) return undefined;
    chain.push(capability);
  }
  return reader.ended ? { wish, boxKey, door, inside, epoch, eras, pass, chain } : undefined;
}

/** What a member gets: its place in the tree, and the epoch that is in force. */
export interface KeyGrant {
  /** The commit up to which the keys are right. */
  readonly number: number;
  readonly epoch: number;
  readonly secret: Uint8Array;
  readonly era: Epoch;
  readonly pass: Pass;
  /** What serials are made of: only for who may act for the room one day. */
  readonly serials: Uint8Array | undefined;
  readonly leaf: number;
  /** From the leaf to the root. */
  readonly keys: readonly Uint8Array[];
}

/** Seals a grant to the member whose enrolment it answers; signed, so that it is the authority's word. */
export function sealGrant(
  crypto: Crypto,
  tree: Uint8Array,
  id: Uint8Array,
  sessionSeed: Uint8Array,
  boxKey: Uint8Array,
  grant: KeyGrant,
): Uint8Array | undefined {
  const writer = new ByteWriter().u8(version).u32(grant.number).u48(grant.epoch).bytes(grant.secret);
  writer.u48(grant.era.number).bytes(grant.era.secret);
  writePass(writer, grant.pass);
  writer.u8(grant.serials ? 1 : 0).bytes(grant.serials ?? noSerials);
  writer.u16(grant.leaf).u8(grant.keys.length);
  for (const key of grant.keys) writer.bytes(key);
  const body = writer.drain();
  const signature = crypto.sign(sessionSeed, concat(grantLabel, tree, id, boxKey, body));
  const info = concat(grantLabel, tree);
  const sealed = sealOnce(crypto, boxKey, info, id, concat(body, signature));
  body.fill(0);
  return sealed && concat(id, sealed);
}

/** A grant that opens and that the commit's authority signed; undefined otherwise. */
export function openGrant(
  crypto: Crypto,
  commit: Pick<Commit, "tree" | "sessionKey">,
  box: { readonly seed: Uint8Array; readonly key: Uint8Array },
  bytes: Uint8Array,
): KeyGrant | undefined {
  if (bytes.length > grantBytesMax) return undefined;
  const { tree, sessionKey } = commit;
  const id = bytes.subarray(0, enrolmentIdBytes);
  const plain = crypto.openSealed(box.seed, concat(grantLabel, tree), id, bytes.subarray(enrolmentIdBytes));
  if (!plain) return undefined;
  const grant = readGrant(crypto, sessionKey, concat(grantLabel, tree, id, box.key), plain);
  plain.fill(0);
  return grant;
}

function readGrant(
  crypto: Crypto,
  sessionKey: Uint8Array,
  context: Uint8Array,
  plain: Uint8Array,
): KeyGrant | undefined {
  if (plain.length < signatureBytes) return undefined;
  const body = plain.subarray(0, plain.length - signatureBytes);
  if (!crypto.verify(sessionKey, concat(context, body), plain.subarray(body.length))) return undefined;
  const reader = new ByteReader(body);
  if (reader.u8() !== version) return undefined;
  const head = {
    number: reader.u32(),
    epoch: reader.u48(),
    secret: reader.bytes(keyBytes),
    era: { number: reader.u48(), secret: reader.bytes(keyBytes) },
    pass: readPass(reader),
    serials: readSerials(reader),
    leaf: reader.u16(),
  };
  const count = reader.u8();
  if (count < 2 || count > heightMax + 1) return undefined;
  const keys = Array.from({ length: count }, () => reader.bytes(keyBytes));
  return reader.ended && head.epoch <= numberMax && head.era.number <= head.epoch ? { ...head, keys } : undefined;
}

/** As long for everybody: sizes tell relays nothing. */
function readSerials(reader: ByteReader): Uint8Array | undefined {
  const isGiven = reader.u8() === 1;
  const serials = reader.bytes(keyBytes);
  return isGiven ? serials : undefined;
}

/** By a key of its own, of which nothing stays. */
function sealOnce(
  crypto: Crypto,
  boxKey: Uint8Array,
  info: Uint8Array,
  id: Uint8Array,
  plaintext: Uint8Array,
): Uint8Array | undefined {
  const ephemeral = crypto.randomBytes(keyBytes);
  const sealed = crypto.sealTo(boxKey, ephemeral, info, id, plaintext);
  ephemeral.fill(0);
  plaintext.fill(0);
  return sealed;
}
