import type { Role } from "../../../api/engine.ts";
import type { Millis } from "../../../api/ids.ts";
import { limits } from "../../../api/limits.ts";
import { assert } from "../../assert.ts";
import { type ByteReader, ByteWriter, equal } from "../../bytes.ts";
import type { Crypto } from "../../crypto.ts";
import { failed, ok, type Result } from "../../result.ts";
import { encodeUtf8 } from "../../utf8.ts";

const capabilityLabel = encodeUtf8("teahouse capability 1");
const parentHashBytes = 16;
const keyBytes = 32;
const signatureBytes = 64;

/** Roles by rank; the number on the wire is the place in this list plus one. */
const roles: readonly Role[] = ["listener", "speaker", "moderator", "heir", "host"];

/** What a capability allows: bits of a mask. */
export const rights = {
  /** To be on stage without asking. */
  speak: 1,
  /** To issue capabilities below this one. */
  grant: 2,
  /** To mute, to take off the stage, and to ban. */
  moderate: 4,
  /** To act for the room when its host session is silent. */
  succeed: 8,
  /** Good for the first who comes: less than without it, so that anybody may add it, and nobody leaves it out. */
  once: 16,
} as const;

/** What comes with a role unless less is given. Only who shall hand it on needs `rights.grant` beside it. */
export const rightsOfRole: Readonly<Record<Role, number>> = {
  listener: 0,
  speaker: rights.speak,
  moderator: rights.speak | rights.grant | rights.moderate,
  heir: rights.speak | rights.grant | rights.moderate | rights.succeed,
  host: rights.speak | rights.grant | rights.moderate | rights.succeed,
};

/** What is granted, to whom, and for how long. */
export interface Grant {
  /** Ed25519 public key, 32 bytes. */
  readonly grantee: Uint8Array;
  readonly role: Role;
  /** Bits of `rights`; bits unknown here count as rights too. */
  readonly rights: number;
  /** Unix seconds, both included. */
  readonly notBefore: number;
  readonly expires: number;
  /** Tells two grants of one issuer apart. */
  readonly sequence: number;
}

/** A signed grant. Layout: SPEC.md, "Capability". */
export interface Capability extends Grant {
  /** `hashOfParent`, 16 bytes; zeros when the room's root is the issuer. */
  readonly parentHash: Uint8Array;
  /** Ed25519 by the parent's grantee, or the root. */
  readonly signature: Uint8Array;
}

/** What a valid chain proves of its last grantee. */
export interface Authority {
  readonly grantee: Uint8Array;
  readonly role: Role;
  readonly rights: number;
  /** Unix seconds. */
  readonly expires: number;
}

/**
 * `parent`: a link names another parent than the one before it. `rights`: one gives more, or for longer, than it was
 * given, or was not allowed to give at all.
 */
export type CapabilityReason = "chain-depth" | "signature" | "parent" | "expired" | "not-yet" | "rights";

/** Issues a capability under `parent`, or under the room's root when there is none. */
export function issueCapability(
  crypto: Crypto,
  roomKey: Uint8Array,
  issuerSeed: Uint8Array,
  grant: Grant,
  parent?: Capability,
): Capability {
  const parentHash = hashOfParent(crypto, parent);
  const unsigned = { ...grant, parentHash, signature: new Uint8Array(signatureBytes) };
  return { ...unsigned, signature: crypto.sign(issuerSeed, signedPart(roomKey, unsigned)) };
}

/**
 * What a chain, root first, proves now. Exact in time: whoever doubts its clock hands in a better one.
 */
export function verifyChain(
  crypto: Crypto,
  roomKey: Uint8Array,
  chain: readonly Capability[],
  now: Millis,
): Result<Authority, CapabilityReason> {
  if (chain.length > limits.capabilityDepthMax) return failed("chain-depth");
  let parent: Capability | undefined;
  for (const capability of chain) {
    if (!equal(capability.parentHash, hashOfParent(crypto, parent))) return failed("parent");
    const issuer = parent === undefined ? roomKey : parent.grantee;
    if (!crypto.verify(issuer, signedPart(roomKey, capability), capability.signature)) return failed("signature");
    if (parent !== undefined && !mayIssue(parent, capability)) return failed("rights");
    parent = capability;
  }
  if (parent === undefined) return failed("chain-depth");
  const { grantee, role, rights: granted, expires } = parent;
  const seconds = Math.floor(now / 1000);
  if (seconds > expires) return failed("expired");
  if (chain.some((capability) => seconds < capability.notBefore)) return failed("not-yet");
  return ok({ grantee, role, rights: granted, expires });
}

/** Whether the invite by which somebody came is good for one. */
export function isForOne(chain: readonly Capability[]): boolean {
  return ((chain.at(-1)?.rights ?? 0) & rights.once) !== 0;
}

/** Writes all 127 bytes. */
export function writeCapability(writer: ByteWriter, capability: Capability): void {
  writeBody(writer, capability);
  writer.bytes(capability.signature);
}

/** Reads what `writeCapability` wrote; undefined for a role that does not exist. Underrun: see `ByteReader`. */
export function readCapability(reader: ByteReader): Capability | undefined {
  const grantee = reader.bytes(keyBytes);
  const terms = readTerms(reader);
  const parentHash = reader.bytes(parentHashBytes);
  const sequence = reader.u32();
  const signature = reader.bytes(signatureBytes);
  return terms && { grantee, ...terms, parentHash, sequence, signature };
}

/** Role, rights and times: 11 bytes; shared with the invite's shorter form. */
export function writeTerms(writer: ByteWriter, grant: Grant): void {
  writer.u8(roles.indexOf(grant.role) + 1).u16(grant.rights);
  writer.u32(grant.notBefore).u32(grant.expires);
}

/** Reads what `writeTerms` wrote; undefined for a role that does not exist. */
export function readTerms(reader: ByteReader): Pick<Grant, "role" | "rights" | "notBefore" | "expires"> | undefined {
  const role = roles[reader.u8() - 1];
  const terms = { rights: reader.u16(), notBefore: reader.u32(), expires: reader.u32() };
  return role && { role, ...terms };
}

/** First 16 bytes of the SHA-256 of the parent's 127 bytes; zeros for the root. */
export function hashOfParent(crypto: Crypto, parent: Capability | undefined): Uint8Array {
  if (parent === undefined) return new Uint8Array(parentHashBytes);
  const writer = new ByteWriter();
  writeCapability(writer, parent);
  return crypto.sha256(writer.finish()).subarray(0, parentHashBytes);
}

/** Whether `left` ranks at least as high as `right`. */
export function ranksAtLeast(left: Role, right: Role): boolean {
  return roles.indexOf(left) >= roles.indexOf(right);
}

/** Whether a holder of `parent` may have given `child` ([RM7]). */
function mayIssue(parent: Capability, child: Capability): boolean {
  const within = (child.rights & ~(parent.rights | rights.once)) === 0 && ranksAtLeast(parent.role, child.role);
  // Else who holds an invite could make another of it that nobody knows, and that is good for more.
  const isOnce = (parent.rights & rights.once) !== 0;
  const handsOn = (child.rights & rights.grant) === 0 || (parent.rights & rights.succeed) !== 0;
  const isLess = handsOn && (!isOnce || (child.rights & rights.once) !== 0);
  return (parent.rights & rights.grant) !== 0 && within && isLess && child.expires <= parent.expires;
}

function writeBody(writer: ByteWriter, capability: Capability): void {
  assert(capability.grantee.length === keyBytes, "a grantee's key");
  assert(capability.parentHash.length === parentHashBytes, "a parent's hash");
  writer.bytes(capability.grantee);
  writeTerms(writer, capability);
  writer.bytes(capability.parentHash).u32(capability.sequence);
}

function signedPart(roomKey: Uint8Array, capability: Capability): Uint8Array {
  const writer = new ByteWriter().bytes(capabilityLabel).bytes(roomKey);
  writeBody(writer, capability);
  return writer.finish();
}
