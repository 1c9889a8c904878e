import type { Millis } from "../../../api/ids.ts";
import { millis } from "../../../api/ids.ts";
import { limits } from "../../../api/limits.ts";
import { assert } from "../../assert.ts";
import { ByteReader, ByteWriter, concat, equal } from "../../bytes.ts";
import type { Crypto } from "../../crypto.ts";
import { encodeUtf8 } from "../../utf8.ts";
import type { Epoch } from "../rights/keys.ts";
import { isWithinReach, numberMax } from "../rights/numbers.ts";
import type { RelayView } from "../state/view.ts";
import { type Change, changeSealedBytes, heightMax } from "./tree.ts";

const commitVersion = 2;
const commitLabel = encodeUtf8("teahouse keys 1");
const secretLabel = encodeUtf8("teahouse tree epoch 1");
const confirmLabel = encodeUtf8("teahouse tree confirms 1");
const signatureBytes = 64;
const confirmationBytes = 8;
/** Changes in one commit: 27 KiB, within one message of the lane with all the rest. */
export const changesMax = 520;
/** Who came, in one commit. */
export const joinedMax = 1_000;

/** How an epoch's secret is come by: computed from the invite, or given to members one by one. */
export type KeyMode = "open" | "tree";
const modes: readonly KeyMode[] = ["open", "tree"];

/** What the acting authority says of a room's keys, to everybody: which epoch it is, and how to get from the last one to it. */
export interface Commit {
  /** The authority's key, which signs. */
  readonly sessionKey: Uint8Array;
  /** By the signer's clock, and always later than the one before: the later holds. */
  readonly issuedAt: Millis;
  /** 8 bytes; another authority, or another run of one, begins another tree. */
  readonly tree: Uint8Array;
  /** Counts the commits of one tree. */
  readonly number: number;
  /** Counts up over all sessions of the room. */
  readonly epoch: number;
  /** The epoch by whose secret the era began that it belongs to: another one whenever somebody was put out. */
  readonly era: number;
  readonly mode: KeyMode;
  /** X25519: enrolments are sealed to it. */
  readonly boxKey: Uint8Array;
  /** Of the tree's root. */
  readonly height: number;
  /** Leaves that were taken since the commit before. */
  readonly joined: readonly number[];
  readonly changes: readonly Change[];
  /** By which a member sees that it came to the right key: `confirmationOf`; of a tree's first paper, `epochConfirmation`. */
  readonly confirmation: Uint8Array;
}

/** Encodes and signs. Layout: SPEC.md, "Keys paper". */
export function signCommit(crypto: Crypto, sessionSeed: Uint8Array, tag: Uint8Array, commit: Commit): Uint8Array {
  assert(commit.changes.length <= changesMax && commit.joined.length <= joinedMax, "a commit that fits");
  const writer = new ByteWriter().u8(commitVersion).bytes(commit.sessionKey).u48(commit.issuedAt);
  writer.bytes(commit.tree).u32(commit.number).u48(commit.epoch).u48(commit.era).u8(modes.indexOf(commit.mode));
  writer.bytes(commit.boxKey).bytes(commit.confirmation).u8(commit.height).u16(commit.joined.length);
  for (const leaf of commit.joined) writer.u16(leaf);
  writer.u16(commit.changes.length);
  for (const { height, index, side, sealed } of commit.changes) {
    writer
      .u8(2 * height + side)
      .u16(index)
      .bytes(sealed);
  }
  const body = writer.finish();
  return concat(body, crypto.sign(sessionSeed, concat(commitLabel, tag, body)));
}

/** Takes a commit apart by structure alone. */
export function parseCommit(bytes: Uint8Array): Commit | undefined {
  const reader = new ByteReader(bytes);
  if (reader.u8() !== commitVersion) return undefined;
  const head = {
    sessionKey: reader.bytes(32),
    issuedAt: millis(reader.u48()),
    tree: reader.bytes(8),
    number: reader.u32(),
    epoch: reader.u48(),
    era: reader.u48(),
  };
  const mode = modes[reader.u8()];
  const keys = { boxKey: reader.bytes(32), confirmation: reader.bytes(confirmationBytes) };
  const height = reader.u8();
  const joined = readJoined(reader);
  const changes = joined && readChanges(reader, height);
  reader.bytes(signatureBytes);
  if (mode === undefined || !joined || !changes || !reader.ended || head.epoch > numberMax || head.era > head.epoch)
    return undefined;
  return height < 1 || height > heightMax ? undefined : { ...head, mode, ...keys, height, joined, changes };
}

/**
 * What a relay can check: that the view's session signed it, and that it is later than what it has of that session: two who
 * lead one after the other may have clocks hours apart. `foreign`: of whoever led before the view in force, or will when theirs
 * comes. `jump`: its epoch is out of reach ([RM32]).
 */
export function checkCommit(
  crypto: Crypto,
  view: RelayView,
  bytes: Uint8Array,
  known: Commit | undefined,
): Commit | "older" | "foreign" | "jump" | "bad" {
  const commit = parseCommit(bytes);
  if (!commit) return "bad";
  if (!equal(commit.sessionKey, view.session.key)) return "foreign";
  const isSameSession = known !== undefined && equal(known.sessionKey, commit.sessionKey);
  if (isSameSession && commit.issuedAt <= known.issuedAt) return "older";
  if (known && !isWithinReach(known.epoch, commit.epoch)) return "jump";
  const end = bytes.length - signatureBytes;
  const message = concat(commitLabel, view.tag, bytes.subarray(0, end));
  return crypto.verify(view.session.key, message, bytes.subarray(end)) ? commit : "bad";
}

/** The media secret of an epoch that the key tree makes, 32 bytes ([RM41]). */
export function treeSecret(crypto: Crypto, rootKey: Uint8Array, tag: Uint8Array, epoch: number): Uint8Array {
  return crypto.hkdf(rootKey, concat(secretLabel, tag, new ByteWriter().u48(epoch).finish()), 32);
}

/** Tells right keys from wrong ones, and nothing of them. */
export function confirmationOf(crypto: Crypto, rootKey: Uint8Array, epoch: number): Uint8Array {
  return crypto.hkdf(rootKey, concat(confirmLabel, new ByteWriter().u48(epoch).finish()), confirmationBytes);
}

/** Tells who knows the epoch in force that a keeper who begins another tree goes on with it. */
export function epochConfirmation(crypto: Crypto, { number, secret }: Epoch): Uint8Array {
  return confirmationOf(crypto, secret, number);
}

function readJoined(reader: ByteReader): number[] | undefined {
  const count = reader.u16();
  if (count > joinedMax) return undefined;
  const joined: number[] = [];
  for (let index = 0; index < count && !reader.failed; index++) joined.push(reader.u16());
  return joined.some((leaf) => leaf >= limits.keyLeavesMax) ? undefined : joined;
}

function readChanges(reader: ByteReader, heightOfRoot: number): Change[] | undefined {
  const count = reader.u16();
  if (count > changesMax) return undefined;
  const changes: Change[] = [];
  for (let index = 0; index < count; index++) {
    const place = reader.u8();
    const change = {
      height: place >> 1,
      side: (place & 1) as 0 | 1,
      index: reader.u16(),
      sealed: reader.bytes(changeSealedBytes),
    };
    if (reader.failed || change.height < 1 || change.height > heightOfRoot) return undefined;
    changes.push(change);
  }
  return changes;
}
