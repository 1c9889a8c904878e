import { limits } from "../../../api/limits.ts";
import type { RelayAddress } from "../../../api/link.ts";
import { assert } from "../../assert.ts";
import { ByteReader, ByteWriter, equal } from "../../bytes.ts";
import type { Crypto } from "../../crypto.ts";
import { failed, ok, type Result } from "../../result.ts";
import {
  type Capability,
  type Grant,
  hashOfParent,
  issueCapability,
  readTerms,
  rights,
  writeTerms,
} from "../rights/capability.ts";
import { readRelayAddress, writeRelayAddress } from "./card.ts";
import { createKeyPair, type RoomKeys } from "../rights/keys.ts";
import { addChecksum, checksumBytes, checksumFits, encodeText, findText, textVersion } from "./text.ts";

const keyBytes = 32;
const tokenBytes = 16;
const signatureBytes = 64;
/** What hints may take of the longest text that is read, beside the longest chain. */
const hintBytesMax = 2500;

/** What opens a room for whoever holds it. */
export interface Invite {
  /** The room's public key, 32 bytes. */
  readonly roomKey: Uint8Array;
  /** The room's secret, 32 bytes. */
  readonly secret: Uint8Array;
  /** What relays call the room, 32 bytes. */
  readonly tag: Uint8Array;
  /** Seed of the bearer key: the last capability's grantee is its public half. */
  readonly inviteSeed: Uint8Array;
  /** Root first; 1 to `limits.capabilityDepthMax`. Not yet verified when parsed. */
  readonly chain: readonly Capability[];
  /** Relays to ask first; at most `limits.inviteHintsMax`. */
  readonly hints: readonly RelayAddress[];
}

/** Why a text is no invite, each with a sentence of its own in the app. Time and signatures: `verifyChain`. */
export type InviteReason = "not-an-invite" | "is-a-card" | "version" | "truncated" | "damaged" | "too-long";

/**
 * Makes an invite signed by the room's root, or by the session below `parent`. Its bearer may issue one capability each to
 * whoever comes with it.
 */
export function issueInvite(
  crypto: Crypto,
  keys: RoomKeys,
  terms: Omit<Grant, "grantee">,
  hints: readonly RelayAddress[],
  parent?: Capability,
): Invite {
  const bearer = createKeyPair(crypto);
  const grant = { ...terms, rights: terms.rights | rights.grant, grantee: bearer.key };
  const { root, secret, carriage, session } = keys;
  const capability = issueCapability(crypto, root.key, parent ? session.seed : root.seed, grant, parent);
  const chain = parent ? [parent, capability] : [capability];
  return { roomKey: root.key, secret, tag: carriage.key, inviteSeed: bearer.seed, chain, hints };
}

/** As many of these relays, in their order, as an invite can name: a card may hold four addresses of 280 bytes. */
export function fittingHints(relays: readonly RelayAddress[]): RelayAddress[] {
  const hints: RelayAddress[] = [];
  let left = hintBytesMax;
  for (const relay of relays.slice(0, limits.inviteHintsMax)) {
    left -= relay.addresses.reduce((sum, address) => sum + 2 + address.length, keyBytes + tokenBytes + 1);
    if (left < 0) break;
    hints.push(relay);
  }
  return hints;
}

/** The invite as text, `thi1-…`. A secret: it is shown, never logged. */
export function encodeInvite(crypto: Crypto, invite: Invite): string {
  const { chain, hints } = invite;
  assert(chain.length >= 1 && chain.length <= limits.capabilityDepthMax, "an invite's chain");
  assert(hints.length <= limits.inviteHintsMax, "an invite's hints");
  const writer = new ByteWriter().u8(textVersion);
  writer.bytes(invite.roomKey).bytes(invite.secret).bytes(invite.tag).bytes(invite.inviteSeed);
  writer.u8(chain.length);
  chain.forEach((capability, index) => writeLink(crypto, writer, invite, capability, index));
  writer.u8(hints.length);
  for (const hint of hints) writeRelayAddress(writer, hint);
  const text = encodeText("invite", addChecksum(crypto, writer.finish()));
  assert(text.length <= limits.inviteCharactersMax, "an invite that we would read ourselves");
  return text;
}

/** The invite as a link that an installed app opens. The secret stands in the fragment, which no server is sent. */
export function inviteLink(text: string): string {
  return `teahouse://join#${text}`;
}

/** Reads what a person pasted ([RM12], [RM13]). */
export function parseInvite(crypto: Crypto, text: string): Result<Invite, InviteReason> {
  const found = findText("invite", text);
  if (!found.ok) return failed(inviteReasons[found.reason]);
  const reader = new ByteReader(found.value);
  const version = reader.u8();
  const fixed = {
    roomKey: reader.bytes(keyBytes),
    secret: reader.bytes(keyBytes),
    tag: reader.bytes(keyBytes),
    inviteSeed: reader.bytes(keyBytes),
  };
  const links = readLinks(reader);
  const hints = links && readHints(reader);
  const length = reader.offset;
  reader.bytes(checksumBytes);
  if (reader.failed) return failed("truncated");
  if (links === undefined || hints === undefined) return failed("damaged");
  if (!checksumFits(crypto, found.value, length)) return failed("damaged");
  if (version !== textVersion) return failed("version");
  return ok({ ...fixed, chain: completeChain(crypto, links, fixed.inviteSeed), hints });
}

/** A capability as an invite holds it: the parent's hash follows from the link before, the last grantee from the seed. */
type Link = Omit<Capability, "grantee" | "parentHash"> & { readonly grantee: Uint8Array | undefined };

function writeLink(crypto: Crypto, writer: ByteWriter, invite: Invite, capability: Capability, index: number): void {
  const isLast = index === invite.chain.length - 1;
  assert(equal(capability.parentHash, hashOfParent(crypto, invite.chain[index - 1])), "each capability under the last");
  if (isLast) assert(equal(capability.grantee, crypto.publicKey(invite.inviteSeed)), "the invite's key is granted");
  else writer.bytes(capability.grantee);
  writeTerms(writer, capability);
  writer.u32(capability.sequence).bytes(capability.signature);
}

function readLinks(reader: ByteReader): Link[] | undefined {
  const count = reader.u8();
  if (reader.failed) return [];
  if (count < 1 || count > limits.capabilityDepthMax) return undefined;
  const links: Link[] = [];
  for (let index = 0; index < count; index++) {
    const grantee = index === count - 1 ? undefined : reader.bytes(keyBytes);
    const terms = readTerms(reader);
    const rest = { sequence: reader.u32(), signature: reader.bytes(signatureBytes) };
    if (reader.failed) return [];
    if (terms === undefined) return undefined;
    links.push({ grantee, ...terms, ...rest });
  }
  return links;
}

function readHints(reader: ByteReader): RelayAddress[] | undefined {
  const count = reader.u8();
  if (count > limits.inviteHintsMax) return undefined;
  const hints: RelayAddress[] = [];
  for (let index = 0; index < count; index++) {
    const hint = readRelayAddress(reader);
    if (hint === undefined) return undefined;
    hints.push(hint);
  }
  return hints;
}

function completeChain(crypto: Crypto, links: readonly Link[], inviteSeed: Uint8Array): Capability[] {
  const chain: Capability[] = [];
  for (const link of links) {
    const grantee = link.grantee ?? crypto.publicKey(inviteSeed);
    chain.push({ ...link, grantee, parentHash: hashOfParent(crypto, chain.at(-1)) });
  }
  return chain;
}

const inviteReasons = {
  missing: "not-an-invite",
  "other-kind": "is-a-card",
  version: "version",
  "too-long": "too-long",
} as const;
