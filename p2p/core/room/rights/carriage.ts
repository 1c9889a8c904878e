import { ByteWriter, concat } from "../../bytes.ts";
import type { Crypto } from "../../crypto.ts";
import { encodeUtf8 } from "../../utf8.ts";

const carriageLabel = encodeUtf8("teahouse carriage 2");

/**
 * The carriage key's word that a session speaks for the room towards relays. Relays know the room by its carriage key
 * (the tag) alone, which nothing links to the room key ([RM3]).
 */
export interface CarriageCertificate {
  /** The session's Ed25519 public key, 32 bytes. */
  readonly key: Uint8Array;
  /** Unix seconds. */
  readonly expires: number;
  /** 0 for a host's session, 1 for an heir: who has less may say that the other's word counts no more. */
  readonly rank: number;
  /** By the carriage key, 64 bytes. */
  readonly signature: Uint8Array;
}

/** Certifies a session key until `expires` (Unix seconds). */
export function signCarriage(
  crypto: Crypto,
  carriageSeed: Uint8Array,
  sessionKey: Uint8Array,
  expires: number,
  rank: number,
): CarriageCertificate {
  return {
    key: sessionKey,
    expires,
    rank,
    signature: crypto.sign(carriageSeed, signedPart(sessionKey, expires, rank)),
  };
}

/** Whether the room of this tag vouches for the session. Says nothing about time. */
export function verifyCarriage(crypto: Crypto, tag: Uint8Array, certificate: CarriageCertificate): boolean {
  return crypto.verify(tag, signedPart(certificate.key, certificate.expires, certificate.rank), certificate.signature);
}

function signedPart(sessionKey: Uint8Array, expires: number, rank: number): Uint8Array {
  return concat(carriageLabel, sessionKey, new ByteWriter().u32(expires).u8(rank).finish());
}
