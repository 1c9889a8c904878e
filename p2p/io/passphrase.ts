import { argon2idAsync } from "@noble/hashes/argon2.js";

/**
 * Argon2id (RFC 9106) with 19 MiB and two passes: the least that OWASP's Password Storage Cheat Sheet allows, and about a
 * second where it is computed in JavaScript, as it must be: Electron's BoringSSL has no Argon2.
 */
const cost = { m: 19_456, t: 2, p: 1, dkLen: 32 } as const;

/** What a passphrase comes to with a salt: 32 bytes. Composed alike however it was typed; gives way to everything else every 10 ms. */
export function stretchPassphrase(passphrase: string, salt: Uint8Array): Promise<Uint8Array> {
  return argon2idAsync(passphrase.normalize("NFKC"), salt, { ...cost, asyncTick: 10 });
}
