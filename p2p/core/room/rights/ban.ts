import type { Crypto } from "../../crypto.ts";

/** A ban is the first bytes of the SHA-256 of a key. */
export const banBytes = 16;

/** What a view's bans, and its keys that may speak no more, hold of a key. */
export function banOf(crypto: Crypto, key: Uint8Array): Uint8Array {
  return crypto.sha256(key).subarray(0, banBytes);
}
