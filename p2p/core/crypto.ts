/**
 * The primitives that the core is handed; it has none of its own. All synchronous, all constant-time where
 * the underlying library is. Implemented on node:crypto in p2p/io/crypto.ts.
 */
export interface Crypto {
  randomBytes(length: number): Uint8Array;
  sha256(data: Uint8Array): Uint8Array;
  /** HKDF-SHA-256 (RFC 5869) with an empty salt. */
  hkdf(secret: Uint8Array, info: Uint8Array, length: number): Uint8Array;
  /** Ed25519 public key (32 bytes) of a 32-byte seed. */
  publicKey(seed: Uint8Array): Uint8Array;
  /** Ed25519 signature, 64 bytes. */
  sign(seed: Uint8Array, message: Uint8Array): Uint8Array;
  /** False for a wrong signature, a malformed key, or any wrong length; never throws. */
  verify(publicKey: Uint8Array, message: Uint8Array, signature: Uint8Array): boolean;
  /** AES-256-GCM with a tag of `tagLength` bytes: ciphertext followed by the tag. `nonce` is 12 bytes. */
  seal(key: Uint8Array, nonce: Uint8Array, aad: Uint8Array, plaintext: Uint8Array, tagLength: 8 | 16): Uint8Array;
  /** The plaintext, or undefined when anything does not fit; never throws. */
  open(
    key: Uint8Array,
    nonce: Uint8Array,
    aad: Uint8Array,
    sealed: Uint8Array,
    tagLength: 8 | 16,
  ): Uint8Array | undefined;
  /** X25519 public key (32 bytes) of a 32-byte seed, for `sealTo`. */
  boxKey(seed: Uint8Array): Uint8Array;
  /**
   * HPKE in base mode, one message (RFC 9180: DHKEM(X25519, HKDF-SHA256), HKDF-SHA256, AES-128-GCM): 32 bytes of
   * encapsulated key, then ciphertext and tag. `ephemeralSeed`: 32 fresh random bytes. Undefined when the key is no point to
   * seal to; never throws.
   */
  sealTo(
    boxKey: Uint8Array,
    ephemeralSeed: Uint8Array,
    info: Uint8Array,
    aad: Uint8Array,
    plaintext: Uint8Array,
  ): Uint8Array | undefined;
  /** The plaintext, for the seed's holder alone, or undefined when anything does not fit; never throws. */
  openSealed(seed: Uint8Array, info: Uint8Array, aad: Uint8Array, sealed: Uint8Array): Uint8Array | undefined;
}

/** A number in [0, 1), for choices that nobody gains by guessing: whom to ask, and when. */
export function chance(crypto: Pick<Crypto, "randomBytes">): number {
  const [high = 0, low = 0] = crypto.randomBytes(2);
  return (256 * high + low) / 65_536;
}
