import type { Millis } from "../../api/ids.ts";
import { limits } from "../../api/limits.ts";
import { assert } from "../assert.ts";
import { ByteReader, ByteWriter, concat, copy, equal } from "../bytes.ts";
import type { Crypto } from "../crypto.ts";
import { failed, ok } from "../result.ts";
import type { Result } from "../result.ts";
import { encodeUtf8 } from "../utf8.ts";

/** Keys under which one hour's record is stored; each falls on other nodes. */
export const recordReplicas = 3;
/** Hours by which a server's clock and a record may differ: as long as kad-dht keeps a value. */
export const recordHourTolerance = 48;

const version = 1;
const schemeSecret = 1;
const hourMs = 3_600_000;
const signatureBytes = 64;
const tagBytes = 16;
/** version 1, scheme 1, signer 32, hour 4, sequence 6, nonce 12. */
const headerBytes = 56;
const sealedBytes = limits.recordBytes - headerBytes - signatureBytes;
const plaintextBytes = sealedBytes - tagBytes;

/** Bytes of payload that one record holds at most. */
export const recordPayloadBytesMax = plaintextBytes - 2;

const signerLabel = encodeUtf8("teahouse record 1");
const keyLabel = encodeUtf8("teahouse record key 1");
const sealLabel = encodeUtf8("teahouse record seal 1");
const signatureLabel = encodeUtf8("teahouse record sig 1");

/**
 * Why a record is refused. `key`: it is not stored where its signer says. `signer`: it belongs to another room or its
 * hour was changed. `sealed`: its seal does not open.
 */
export type RecordReason =
  "length" | "version" | "scheme" | "sequence" | "hour" | "key" | "signer" | "signature" | "sealed";

/** What can be read of a record without the room secret. */
export interface RecordStamp {
  /** The hour whose key it is stored under. */
  readonly hour: number;
  /** The publisher's clock in ms; a higher one replaces a lower one. */
  readonly sequence: number;
}

/** What goes into a record, and what a holder of the room secret reads out of it. */
export interface RecordContent extends RecordStamp {
  /** At most `recordPayloadBytesMax` bytes. Believe only what an authority signed inside: every member can write records. */
  readonly payload: Uint8Array;
}

/** Hours, both included. */
export interface HourRange {
  readonly from: number;
  readonly to: number;
}

/** The hour of a time, as [DS1] counts them. */
export function recordHour(now: Millis): number {
  return Math.floor(now / hourMs);
}

/** The DHT keys of a room's hour, one for each replica, 32 bytes each ([DS3]). */
export function recordKeys(crypto: Crypto, secret: Uint8Array, hour: number): Uint8Array[] {
  return replicaKeys(crypto, crypto.publicKey(signerSeed(crypto, secret, hour)));
}

/** Where to look at this time: the keys of the hour, then of the one before and after, since clocks differ. */
export function lookupKeys(crypto: Crypto, secret: Uint8Array, now: Millis): Uint8Array[] {
  const hour = recordHour(now);
  // There is no hour before the first: a computer without a clock begins in it.
  const hours = [hour, hour - 1, hour + 1].filter((each) => each >= 0);
  return hours.flatMap((each) => recordKeys(crypto, secret, each));
}

/**
 * A room's record, `limits.recordBytes` long ([DS4], [DS5]). Asserts that the payload fits, and that the sequence
 * suits the hour.
 */
export function encodeRecord(crypto: Crypto, secret: Uint8Array, content: RecordContent): Uint8Array {
  const { hour, sequence, payload } = content;
  assert(payload.length <= recordPayloadBytesMax, "a record's payload fits");
  assert(isSequenceOf(hour, sequence), "a record's sequence suits its hour");
  const seed = signerSeed(crypto, secret, hour);
  const nonce = crypto.randomBytes(12);
  const header = new ByteWriter()
    .u8(version)
    .u8(schemeSecret)
    .bytes(crypto.publicKey(seed))
    .u32(hour)
    .u48(sequence)
    .bytes(nonce)
    .finish();
  const padding = new Uint8Array(recordPayloadBytesMax - payload.length);
  const plaintext = new ByteWriter().sized16(payload).bytes(padding).finish();
  const body = concat(header, crypto.seal(sealKey(crypto, secret, hour), nonce, header, plaintext, tagBytes));
  return concat(body, crypto.sign(seed, concat(signatureLabel, body)));
}

/**
 * What anybody can check of a value under a key, without the room secret ([DS7]). `hours`: those to accept; a server
 * gives its own clock's ± `recordHourTolerance`, a reader leaves it out, since the key it asked for names the hour.
 */
export function checkRecord(
  crypto: Crypto,
  key: Uint8Array,
  value: Uint8Array,
  hours?: HourRange,
): Result<RecordStamp, RecordReason> {
  const parsed = parse(value);
  if (!parsed.ok) return parsed;
  const { signer, hour, sequence } = parsed.value;
  if (hours !== undefined && (hour < hours.from || hour > hours.to)) return failed("hour");
  if (!replicaKeys(crypto, signer).some((candidate) => equal(candidate, key))) return failed("key");
  if (!isSigned(crypto, parsed.value)) return failed("signature");
  return ok({ hour, sequence });
}

/** Opens a record with the room secret ([DS8]). Complete in itself: needs no `checkRecord` before it. */
export function openRecord(crypto: Crypto, secret: Uint8Array, value: Uint8Array): Result<RecordContent, RecordReason> {
  const parsed = parse(value);
  if (!parsed.ok) return parsed;
  const { signer, hour, sequence, nonce, header, sealed } = parsed.value;
  if (!equal(crypto.publicKey(signerSeed(crypto, secret, hour)), signer)) return failed("signer");
  if (!isSigned(crypto, parsed.value)) return failed("signature");
  const plaintext = crypto.open(sealKey(crypto, secret, hour), nonce, header, sealed, tagBytes);
  if (plaintext === undefined) return failed("sealed");
  const reader = new ByteReader(plaintext);
  const payload = reader.sized16();
  return reader.failed ? failed("length") : ok({ hour, sequence, payload });
}

/** Who signs the records of an hour, as everybody who knows the secret can tell. */
export function signerInHour(crypto: Crypto, secret: Uint8Array, hour: number): Uint8Array {
  return crypto.publicKey(signerSeed(crypto, secret, hour));
}

/** Who signed a record, by its own word; of no meaning before it was checked. */
export function signerOf(value: Uint8Array): Uint8Array {
  return value.subarray(2, 2 + 32);
}

interface Parsed extends RecordStamp {
  readonly signer: Uint8Array;
  readonly nonce: Uint8Array;
  readonly header: Uint8Array;
  readonly sealed: Uint8Array;
  readonly body: Uint8Array;
  readonly signature: Uint8Array;
}

function parse(value: Uint8Array): Result<Parsed, RecordReason> {
  if (value.length !== limits.recordBytes) return failed("length");
  const reader = new ByteReader(value);
  if (reader.u8() !== version) return failed("version");
  if (reader.u8() !== schemeSecret) return failed("scheme");
  const signer = reader.bytes(32);
  const hour = reader.u32();
  const sequence = reader.u48();
  if (!isSequenceOf(hour, sequence)) return failed("sequence");
  const nonce = reader.bytes(12);
  const sealed = reader.bytes(sealedBytes);
  const signature = reader.rest();
  const header = copy(value.subarray(0, headerBytes));
  return ok({ signer, hour, sequence, nonce, header, sealed, body: concat(header, sealed), signature });
}

/** [DS6]: nobody can claim an hour's last word for good. */
function isSequenceOf(hour: number, sequence: number): boolean {
  return sequence < (hour + 2) * hourMs;
}

function isSigned(crypto: Crypto, { signer, body, signature }: Parsed): boolean {
  return crypto.verify(signer, concat(signatureLabel, body), signature);
}

function replicaKeys(crypto: Crypto, signer: Uint8Array): Uint8Array[] {
  return Array.from({ length: recordReplicas }, (_, replica) =>
    crypto.sha256(concat(keyLabel, signer, Uint8Array.of(replica))),
  );
}

function signerSeed(crypto: Crypto, secret: Uint8Array, hour: number): Uint8Array {
  return crypto.hkdf(secret, new ByteWriter().bytes(signerLabel).u32(hour).finish(), 32);
}

function sealKey(crypto: Crypto, secret: Uint8Array, hour: number): Uint8Array {
  return crypto.hkdf(secret, new ByteWriter().bytes(sealLabel).u32(hour).finish(), 32);
}
