import type { Millis } from "../../../api/ids.ts";
import { type ByteReader, ByteWriter, concat } from "../../bytes.ts";
import type { Crypto } from "../../crypto.ts";
import { encodeUtf8 } from "../../utf8.ts";
import { type CarriageCertificate, verifyCarriage } from "./carriage.ts";
import type { HostSession } from "./keys.ts";

const passLabel = encodeUtf8("teahouse pass 1");
const serialLabel = encodeUtf8("teahouse serial 1");
const serialsLabel = encodeUtf8("teahouse serials 1");
const keyBytes = 32;
const signatureBytes = 64;
/** Names a pass in a view that shuts it: of 8,000 members no two have the same. */
export const serialBytes = 8;
/** Session key, expiry, rank and the carriage key's signature; serial, expiry, signature. */
export const passBytes = keyBytes + 4 + 1 + signatureBytes + serialBytes + 4 + signatureBytes;
/** Somebody may be away for a day, and whoever gave the pass have a clock that is a day wrong. Renewed when half of it is over. */
export const passMs = 48 * 3_600_000;

/**
 * The word of whoever keeps a room that the owner of a door was inside ([RM58]): so relays let them in again, whatever happened
 * meanwhile, and another keeper knows them. It says nothing of who that is.
 */
export interface Pass {
  /** Whose word it is, and the carriage key's for them. */
  readonly certificate: CarriageCertificate;
  /** `serialOf` its owner. */
  readonly serial: Uint8Array;
  /** Unix seconds. */
  readonly expires: number;
  readonly signature: Uint8Array;
}

/** What serials are made of, with a host: from its root, so that it is the same from whatever capsule it comes back. */
export function serialsOfRoot(crypto: Crypto, rootSeed: Uint8Array): Uint8Array {
  return crypto.hkdf(rootSeed, serialsLabel, 32);
}

/** The serial of somebody's passes, by `markOf` their key: whoever keeps the room can name it, and nobody else can tell whose it is. */
export function serialOf(crypto: Crypto, serials: Uint8Array, mark: Uint8Array): Uint8Array {
  return crypto.hkdf(serials, concat(serialLabel, mark), serialBytes);
}

/** Signs a pass for the door of this key, which holds for `passMs`. */
export function signPass(
  crypto: Crypto,
  { seed, certificate }: Pick<HostSession, "seed" | "certificate">,
  tag: Uint8Array,
  door: Uint8Array,
  serial: Uint8Array,
  now: Millis,
): Pass {
  const expires = Math.floor((now + passMs) / 1000);
  return { certificate, serial, expires, signature: crypto.sign(seed, signedPart(tag, door, serial, expires)) };
}

/** Whether somebody who could speak for the room gave this pass to the owner of the door, and it holds at this time. */
export function verifyPass(crypto: Crypto, tag: Uint8Array, door: Uint8Array, pass: Pass, at: Millis): boolean {
  const { certificate, serial, expires, signature } = pass;
  const isOver = at > expires * 1000;
  // Nobody gives passes whose own time is over.
  if (isOver || expires > certificate.expires + passMs / 1000) return false;
  if (!verifyCarriage(crypto, tag, certificate)) return false;
  return crypto.verify(certificate.key, signedPart(tag, door, serial, expires), signature);
}

/** Writes all `passBytes`. */
export function writePass(writer: ByteWriter, { certificate, serial, expires, signature }: Pass): void {
  writer.bytes(certificate.key).u32(certificate.expires).u8(certificate.rank).bytes(certificate.signature);
  writer.bytes(serial).u32(expires).bytes(signature);
}

/** Reads what `writePass` wrote. Underrun: see `ByteReader`. */
export function readPass(reader: ByteReader): Pass {
  const certificate = {
    key: reader.bytes(keyBytes),
    expires: reader.u32(),
    rank: reader.u8(),
    signature: reader.bytes(signatureBytes),
  };
  return {
    certificate,
    serial: reader.bytes(serialBytes),
    expires: reader.u32(),
    signature: reader.bytes(signatureBytes),
  };
}

function signedPart(tag: Uint8Array, door: Uint8Array, serial: Uint8Array, expires: number): Uint8Array {
  return concat(passLabel, tag, door, serial, new ByteWriter().u32(expires).finish());
}
