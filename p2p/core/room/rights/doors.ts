import type { Crypto } from "../../crypto.ts";
import { encodeUtf8 } from "../../utf8.ts";
import { createPair, type Epoch, type KeyPair } from "./keys.ts";

const insideLabel = encodeUtf8("teahouse inside door 1");
/** A door is named by the first bytes of the SHA-256 of its key: an invite's as its branch is. */
export const doorBytes = 8;

/** Names the door that this key opens. */
export function doorOf(crypto: Crypto, key: Uint8Array): Uint8Array {
  return crypto.sha256(key).subarray(0, doorBytes);
}

/** The key of everybody who was inside in an era in which keys were given: relays learn by it that somebody was, and not who. */
export function insideDoor(crypto: Crypto, era: Epoch): KeyPair {
  return createPair(crypto, crypto.hkdf(era.secret, insideLabel, 32));
}
