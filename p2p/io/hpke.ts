import {
  createCipheriv,
  createDecipheriv,
  createHmac,
  createPrivateKey,
  createPublicKey,
  diffieHellman,
  type KeyObject,
} from "node:crypto";

/**
 * HPKE in base mode for one message (RFC 9180), on node:crypto's X25519, HMAC and AES: DHKEM(X25519, HKDF-SHA256), HKDF-SHA256,
 * AES-128-GCM, the first suite of the RFC's own vectors, against which a test holds it. Written out because the packages that
 * have it work through WebCrypto, whose promises a synchronous core cannot wait for, and Electron's BoringSSL lacks Node's own.
 */
const suite = Buffer.from("HPKE\0\x20\0\x01\0\x01", "latin1");
const kemSuite = Buffer.from("KEM\0\x20", "latin1");
const version = "HPKE-v1";
/** PKCS#8 and SPKI heads of an X25519 key (RFC 8410): the raw 32 bytes follow. */
const privateKeyHead = Buffer.from("302e020100300506032b656e04220420", "hex");
const publicKeyHead = Buffer.from("302a300506032b656e032100", "hex");
const keyBytes = 32;
const tagBytes = 16;
const aesKeyBytes = 16;
const nonceBytes = 12;
const none = new Uint8Array(0);

/** The X25519 public key of a raw private key. */
export function boxKeyOf(seed: Uint8Array): Uint8Array {
  return rawOf(createPublicKey(privateKeyOf(seed)));
}

/** `enc | ciphertext | tag`, or undefined when the key is none that can be sealed to. */
export function hpkeSeal(
  boxKey: Uint8Array,
  ephemeralSeed: Uint8Array,
  info: Uint8Array,
  aad: Uint8Array,
  plaintext: Uint8Array,
): Uint8Array | undefined {
  const ephemeral = privateKeyOf(ephemeralSeed);
  const encapsulated = rawOf(createPublicKey(ephemeral));
  const agreed = agree(ephemeral, boxKey);
  if (agreed === undefined) return undefined;
  const { key, nonce } = schedule(sharedSecret(agreed, encapsulated, boxKey), info);
  const cipher = createCipheriv("aes-128-gcm", key, nonce);
  cipher.setAAD(aad);
  const body = cipher.update(plaintext);
  cipher.final();
  return new Uint8Array(Buffer.concat([encapsulated, body, cipher.getAuthTag()]));
}

/** What `hpkeSeal` sealed to the public half of this seed; undefined when anything does not fit. */
export function hpkeOpen(
  seed: Uint8Array,
  info: Uint8Array,
  aad: Uint8Array,
  sealed: Uint8Array,
): Uint8Array | undefined {
  if (sealed.length < keyBytes + tagBytes) return undefined;
  const own = privateKeyOf(seed);
  const encapsulated = sealed.subarray(0, keyBytes);
  const agreed = agree(own, encapsulated);
  if (agreed === undefined) return undefined;
  const { key, nonce } = schedule(sharedSecret(agreed, encapsulated, rawOf(createPublicKey(own))), info);
  const decipher = createDecipheriv("aes-128-gcm", key, nonce, { authTagLength: tagBytes });
  decipher.setAAD(aad);
  decipher.setAuthTag(sealed.subarray(sealed.length - tagBytes));
  const plaintext = new Uint8Array(decipher.update(sealed.subarray(keyBytes, sealed.length - tagBytes)));
  try {
    decipher.final();
  } catch {
    return undefined;
  }
  return plaintext;
}

function privateKeyOf(seed: Uint8Array): KeyObject {
  return createPrivateKey({ key: Buffer.concat([privateKeyHead, seed]), format: "der", type: "pkcs8" });
}

function rawOf(key: KeyObject): Uint8Array {
  return new Uint8Array(key.export({ format: "der", type: "spki" }).subarray(publicKeyHead.length));
}

/** Undefined for a point of low order, which OpenSSL and BoringSSL both refuse, and for what is no key. */
function agree(privateKey: KeyObject, boxKey: Uint8Array): Uint8Array | undefined {
  if (boxKey.length !== keyBytes) return undefined;
  try {
    const publicKey = createPublicKey({ key: Buffer.concat([publicKeyHead, boxKey]), format: "der", type: "spki" });
    return diffieHellman({ privateKey, publicKey });
  } catch {
    return undefined;
  }
}

/** RFC 9180, 4.1: ExtractAndExpand. */
function sharedSecret(agreed: Uint8Array, encapsulated: Uint8Array, boxKey: Uint8Array): Uint8Array {
  const extracted = labeledExtract(kemSuite, none, "eae_prk", agreed);
  return labeledExpand(kemSuite, extracted, "shared_secret", Buffer.concat([encapsulated, boxKey]), keyBytes);
}

/** RFC 9180, 5.1, in base mode; the nonce of the first message is the base nonce itself. */
function schedule(secret: Uint8Array, info: Uint8Array): { readonly key: Uint8Array; readonly nonce: Uint8Array } {
  const pskIdHash = labeledExtract(suite, none, "psk_id_hash", none);
  const infoHash = labeledExtract(suite, none, "info_hash", info);
  const context = Buffer.concat([Uint8Array.of(0), pskIdHash, infoHash]);
  const extracted = labeledExtract(suite, secret, "secret", none);
  return {
    key: labeledExpand(suite, extracted, "key", context, aesKeyBytes),
    nonce: labeledExpand(suite, extracted, "base_nonce", context, nonceBytes),
  };
}

function labeledExtract(id: Uint8Array, salt: Uint8Array, label: string, input: Uint8Array): Uint8Array {
  return createHmac("sha256", salt.length === 0 ? new Uint8Array(keyBytes) : salt)
    .update(version)
    .update(id)
    .update(label)
    .update(input)
    .digest();
}

/** One block of HKDF-Expand is enough: nothing here is longer than 32 bytes. */
function labeledExpand(id: Uint8Array, prk: Uint8Array, label: string, info: Uint8Array, length: number): Uint8Array {
  const lengthBytes = Uint8Array.of(length >> 8, length & 0xff);
  const block = createHmac("sha256", prk).update(lengthBytes).update(version).update(id).update(label).update(info);
  return block.update(Uint8Array.of(1)).digest().subarray(0, length);
}
