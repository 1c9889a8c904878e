import { type Millis, millis } from "../../../api/ids.ts";
import { ByteReader, ByteWriter, concat } from "../../bytes.ts";
import type { Crypto } from "../../crypto.ts";
import type { KnownSecrets } from "../epoch/secrets.ts";
import { type Epoch, withKey } from "../rights/keys.ts";
import { encodeUtf8 } from "../../utf8.ts";
import { encodeContent, parseContent, type RoomEvent } from "./event.ts";
import { numberMax } from "../rights/numbers.ts";
import { eventHashBytes, keepersMax } from "../state/state.ts";

const eventVersion = 3;
const eventLabel = encodeUtf8("teahouse event 1");
const keyLabel = encodeUtf8("teahouse event key 1");
/** Names an author among a room's few. */
const authorBytes = 8;
const nonceBytes = 12;
const signatureBytes = 64;
const headBytes = 1 + 32 + 6 + 1 + 1 + eventHashBytes + 1;
/** One event on the wire: the house rules, or an appointment with all its signatures, and the heads of every chain. */
export const eventBytesMax = 4096;

/** What relays can read of an event. */
export interface EventHead {
  readonly author: Uint8Array;
  /** From 1, without gaps in each chain. */
  readonly number: number;
  /** The author's, as it claims: 0 host, 1 heir, 2 moderator. */
  readonly rank: number;
  /** What it takes to do this: `acts.moderate` … */
  readonly right: number;
  /** Of the author's event before it; zeros for the first. */
  readonly previous: Uint8Array;
}

/** How far the author had seen another chain. */
export interface Seen {
  /** First bytes of that author's key. */
  readonly author: Uint8Array;
  readonly number: number;
}

/** A link of one authority's chain, opened. */
export interface ChainEvent extends EventHead {
  /** By the author's clock. */
  readonly at: Millis;
  readonly seen: readonly Seen[];
  readonly content: RoomEvent;
  readonly hash: Uint8Array;
  /** Signature included. */
  readonly encoded: Uint8Array;
}

/** Seals and signs the next link of a chain. */
export function sealEvent(
  crypto: Crypto,
  era: Epoch,
  tag: Uint8Array,
  authorSeed: Uint8Array,
  head: EventHead,
  event: { readonly at: Millis; readonly seen: readonly Seen[]; readonly content: RoomEvent },
): ChainEvent {
  const clear = new ByteWriter().u8(eventVersion).bytes(head.author).u48(head.number);
  const start = clear
    .u8(head.rank)
    .u8(head.right)
    .bytes(head.previous)
    .u8(era.number % 256)
    .finish();
  const plain = new ByteWriter().u48(Math.floor(event.at)).u8(event.seen.length);
  for (const { author, number } of event.seen) plain.bytes(author).u48(number);
  encodeContent(plain, event.content);
  const nonce = crypto.randomBytes(nonceBytes);
  const sealed = withKey(crypto, era.secret, keyLabel, (key) =>
    crypto.seal(key, nonce, concat(tag, start), plain.finish(), 16),
  );
  const body = concat(start, nonce, sealed);
  const encoded = concat(body, crypto.sign(authorSeed, concat(eventLabel, tag, body)));
  return { ...head, ...event, hash: eventHash(crypto, encoded), encoded };
}

/** What stands in the clear; undefined for what is no event. */
export function readEventHead(bytes: Uint8Array): EventHead | undefined {
  if (bytes.length > eventBytesMax || bytes.length < headBytes + nonceBytes + 16 + signatureBytes) return undefined;
  const reader = new ByteReader(bytes);
  if (reader.u8() !== eventVersion) return undefined;
  const author = reader.bytes(32);
  const head = { author, number: reader.u48(), rank: reader.u8(), right: reader.u8() };
  if (head.number > numberMax) return undefined;
  return { ...head, previous: reader.bytes(eventHashBytes) };
}

/** Whether its author signed it, for this room. */
export function verifyEvent(crypto: Crypto, tag: Uint8Array, head: EventHead, bytes: Uint8Array): boolean {
  const end = bytes.length - signatureBytes;
  return crypto.verify(head.author, concat(eventLabel, tag, bytes.subarray(0, end)), bytes.subarray(end));
}

/** Opens an event whose signature holds; undefined when it does not open or parse. "closed": no secret that is known here opens it. */
export function openEvent(
  crypto: Crypto,
  eras: KnownSecrets,
  tag: Uint8Array,
  bytes: Uint8Array,
): ChainEvent | "closed" | undefined {
  const head = readEventHead(bytes);
  if (!head) return undefined;
  const nonce = bytes.subarray(headBytes, headBytes + nonceBytes);
  const sealed = bytes.subarray(headBytes + nonceBytes, bytes.length - signatureBytes);
  const aad = concat(tag, bytes.subarray(0, headBytes));
  for (const secret of eras.find(bytes[headBytes - 1] ?? 0)) {
    const plain = withKey(crypto, secret, keyLabel, (key) => crypto.open(key, nonce, aad, sealed, 16));
    if (plain) return parseEvent(crypto, head, plain, bytes);
  }
  return "closed";
}

function parseEvent(crypto: Crypto, head: EventHead, plain: Uint8Array, bytes: Uint8Array): ChainEvent | undefined {
  const reader = new ByteReader(plain);
  const at = millis(reader.u48());
  const count = reader.u8();
  if (count > keepersMax * 2) return undefined;
  const seen: Seen[] = [];
  for (let index = 0; index < count; index++) seen.push({ author: reader.bytes(authorBytes), number: reader.u48() });
  const content = parseContent(reader);
  if (content === undefined || !reader.ended) return undefined;
  return { ...head, at, seen, content, hash: eventHash(crypto, bytes), encoded: bytes };
}

/** Names an event. */
export function eventHash(crypto: Crypto, encoded: Uint8Array): Uint8Array {
  return crypto.sha256(encoded).subarray(0, eventHashBytes);
}

/** Names an author among a room's few. */
export function authorOf(key: Uint8Array): Uint8Array {
  return key.subarray(0, authorBytes);
}
