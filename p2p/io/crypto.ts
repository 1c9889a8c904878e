import {
  createCipheriv,
  createDecipheriv,
  createHash,
  createPrivateKey,
  createPublicKey,
  hkdfSync,
  type KeyObject,
  randomBytes,
  sign,
  verify,
} from "node:crypto";
import type { Crypto } from "../core/crypto.ts";
import { boxKeyOf, hpkeOpen, hpkeSeal } from "./hpke.ts";

/** PKCS#8 and SPKI heads of an Ed25519 key (RFC 8410): the raw 32 bytes follow. */
const privateKeyHead = Buffer.from("302e020100300506032b657004220420", "hex");
const publicKeyHead = Buffer.from("302a300506032b6570032100", "hex");
const keyBytes = 32;
const signatureBytes = 64;
const nonceBytes = 12;
/** Key objects kept: making one costs tens of microseconds, a room's stage has 32 voices and few signers. */
const keysMax = 256;

/**
 * The core's primitives on node:crypto (OpenSSL in Node, BoringSSL in Electron). Holds the key objects last used;
 * the seed of a private one is not kept as text, only its hash.
 */
export function createCrypto(): Crypto {
  const privateKeys = new RecentKeys((seed) =>
    createPrivateKey({ key: Buffer.concat([privateKeyHead, seed]), format: "der", type: "pkcs8" }),
  );
  const publicKeys = new RecentKeys((key) =>
    createPublicKey({ key: Buffer.concat([publicKeyHead, key]), format: "der", type: "spki" }),
  );
  const privateKey = (seed: Uint8Array): KeyObject => privateKeys.get(sha256(seed), seed);
  return {
    randomBytes: (length) => new Uint8Array(randomBytes(length)),
    sha256: (data) => new Uint8Array(sha256(data)),
    hkdf: (secret, info, length) => new Uint8Array(hkdfSync("sha256", secret, new Uint8Array(0), info, length)),
    publicKey: (seed) => {
      const der = createPublicKey(privateKey(seed)).export({ format: "der", type: "spki" });
      return new Uint8Array(der.subarray(publicKeyHead.length));
    },
    sign: (seed, message) => new Uint8Array(sign(null, message, privateKey(seed))),
    verify: (key, message, signature) => {
      if (key.length !== keyBytes || signature.length !== signatureBytes) return false;
      try {
        return verify(null, message, publicKeys.get(key, key), signature);
      } catch {
        // BoringSSL refuses a key that is no point of the curve when it is read, OpenSSL when it is used.
        return false;
      }
    },
    seal,
    open,
    boxKey: boxKeyOf,
    sealTo: hpkeSeal,
    openSealed: hpkeOpen,
  };
}

function sha256(data: Uint8Array): Buffer {
  return createHash("sha256").update(data).digest();
}

function seal(
  key: Uint8Array,
  nonce: Uint8Array,
  aad: Uint8Array,
  plaintext: Uint8Array,
  tagLength: 8 | 16,
): Uint8Array {
  const cipher = createCipheriv("aes-256-gcm", key, nonce, { authTagLength: tagLength });
  cipher.setAAD(aad);
  const sealed = new Uint8Array(plaintext.length + tagLength);
  sealed.set(cipher.update(plaintext));
  cipher.final();
  sealed.set(cipher.getAuthTag(), plaintext.length);
  return sealed;
}

function open(
  key: Uint8Array,
  nonce: Uint8Array,
  aad: Uint8Array,
  sealed: Uint8Array,
  tagLength: 8 | 16,
): Uint8Array | undefined {
  const length = sealed.length - tagLength;
  if (length < 0 || key.length !== keyBytes || nonce.length !== nonceBytes) return undefined;
  const decipher = createDecipheriv("aes-256-gcm", key, nonce, { authTagLength: tagLength });
  decipher.setAAD(aad);
  decipher.setAuthTag(sealed.subarray(length));
  const plaintext = new Uint8Array(decipher.update(sealed.subarray(0, length)));
  try {
    decipher.final();
  } catch {
    return undefined;
  }
  return plaintext;
}

/** The `keysMax` key objects last used, by a name of 32 bytes. */
class RecentKeys {
  readonly #keys = new Map<string, KeyObject>();
  readonly #make: (raw: Uint8Array) => KeyObject;

  constructor(make: (raw: Uint8Array) => KeyObject) {
    this.#make = make;
  }

  get(name: Uint8Array, raw: Uint8Array): KeyObject {
    const text = Buffer.from(name.buffer, name.byteOffset, name.length).toString("latin1");
    const known = this.#keys.get(text);
    const key = known ?? this.#make(raw);
    // A Map keeps its order of insertion, so that the first is the one not used for longest.
    this.#keys.delete(text);
    this.#keys.set(text, key);
    const oldest = this.#keys.keys().next();
    if (this.#keys.size > keysMax && !oldest.done) this.#keys.delete(oldest.value);
    return key;
  }
}
