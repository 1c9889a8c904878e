import type { Crypto } from "../../p2p/core/crypto.ts";
import type { Rng } from "../../p2p/core/rng.ts";

/**
 * Every key pair of a run. The pretended signatures are keyed hashes, so whoever checks one needs the seed; nobody but
 * `SimCrypto` looks in here, and a key that was never made verifies nothing.
 */
export class KeyRegistry {
  /** What was checked and opened lately. */
  readonly checks = new Memory<boolean>();
  readonly openings = new Memory<Uint8Array>();
  private readonly seeds = new Map<number, { readonly key: Uint8Array; readonly seed: Uint8Array }[]>();

  add(key: Uint8Array, seed: Uint8Array): void {
    const label = labelOf(key);
    const known = this.seeds.get(label) ?? [];
    if (known.some((entry) => isSame(entry.key, key))) return;
    this.seeds.set(label, [...known, { key: key.slice(), seed: seed.slice() }]);
  }

  seedOf(key: Uint8Array): Uint8Array | undefined {
    return this.seeds.get(labelOf(key))?.find((entry) => isSame(entry.key, key))?.seed;
  }
}

/**
 * Crypto of virtual peers: the same shapes and refusals as the real one at a hundredth of its cost, and the same bytes for
 * the same seed. A wrong key, message, nonce, aad or tag is refused; it keeps nothing secret from who reads this file.
 */
export class SimCrypto implements Crypto {
  private readonly rng: Rng;
  private readonly keys: KeyRegistry;

  constructor(rng: Rng, keys: KeyRegistry) {
    this.rng = rng;
    this.keys = keys;
  }

  randomBytes(length: number): Uint8Array {
    return this.rng.bytes(length);
  }

  sha256(data: Uint8Array): Uint8Array {
    return new Sponge(1).absorb(data).squeeze(32);
  }

  hkdf(secret: Uint8Array, info: Uint8Array, length: number): Uint8Array {
    return new Sponge(2).absorb(secret).absorb(info).squeeze(length);
  }

  publicKey(seed: Uint8Array): Uint8Array {
    const key = new Sponge(3).absorb(seed).squeeze(32);
    this.keys.add(key, seed);
    return key;
  }

  sign(seed: Uint8Array, message: Uint8Array): Uint8Array {
    return new Sponge(4).absorb(seed).absorb(message).squeeze(64);
  }

  verify(publicKey: Uint8Array, message: Uint8Array, signature: Uint8Array): boolean {
    if (publicKey.length !== 32 || signature.length !== 64) return false;
    // The same packet is checked by thousands: the same key, message and signature have the same answer.
    const known = this.keys.checks.find(signature, publicKey, message);
    if (known !== undefined) return known;
    const seed = this.keys.seedOf(publicKey);
    const holds = seed !== undefined && isSame(this.sign(seed, message), signature);
    this.keys.checks.add(holds, signature, publicKey, message);
    return holds;
  }

  seal(key: Uint8Array, nonce: Uint8Array, aad: Uint8Array, plaintext: Uint8Array, tagLength: 8 | 16): Uint8Array {
    const sealed = new Uint8Array(plaintext.length + tagLength);
    applyStream(key, nonce, plaintext, sealed);
    sealed.set(tagOf(key, nonce, aad, sealed.subarray(0, plaintext.length), tagLength), plaintext.length);
    return sealed;
  }

  open(
    key: Uint8Array,
    nonce: Uint8Array,
    aad: Uint8Array,
    sealed: Uint8Array,
    tagLength: 8 | 16,
  ): Uint8Array | undefined {
    const length = sealed.length - tagLength;
    if (length < 0) return undefined;
    const known = this.keys.openings.find(sealed, key, nonce, aad);
    if (known !== undefined) return known.slice();
    const body = sealed.subarray(0, length);
    if (!isSame(tagOf(key, nonce, aad, body, tagLength), sealed.subarray(length))) return undefined;
    const plaintext = new Uint8Array(length);
    applyStream(key, nonce, body, plaintext);
    this.keys.openings.add(plaintext.slice(), sealed, key, nonce, aad);
    return plaintext;
  }

  boxKey(seed: Uint8Array): Uint8Array {
    const key = new Sponge(7).absorb(seed).squeeze(32);
    this.keys.add(key, seed);
    return key;
  }

  /** The far end's seed is looked up where a real one would agree on a secret. */
  sealTo(
    boxKey: Uint8Array,
    ephemeralSeed: Uint8Array,
    info: Uint8Array,
    aad: Uint8Array,
    plaintext: Uint8Array,
  ): Uint8Array | undefined {
    const seed = this.keys.seedOf(boxKey);
    if (seed === undefined || boxKey.length !== 32) return undefined;
    const encapsulated = new Sponge(8).absorb(ephemeralSeed).squeeze(32);
    const sealed = this.seal(sharedKey(seed, encapsulated, info), zeroNonce, aad, plaintext, 16);
    const whole = new Uint8Array(32 + sealed.length);
    whole.set(encapsulated);
    whole.set(sealed, 32);
    return whole;
  }

  openSealed(seed: Uint8Array, info: Uint8Array, aad: Uint8Array, sealed: Uint8Array): Uint8Array | undefined {
    if (sealed.length < 48) return undefined;
    return this.open(sharedKey(seed, sealed.subarray(0, 32), info), zeroNonce, aad, sealed.subarray(32), 16);
  }
}

const zeroNonce = new Uint8Array(12);

function sharedKey(seed: Uint8Array, encapsulated: Uint8Array, info: Uint8Array): Uint8Array {
  return new Sponge(9).absorb(seed).absorb(encapsulated).absorb(info).squeeze(32);
}

/** Answers by the bytes that were asked about; every byte is compared, only the newest answer of each place is kept. */
class Memory<Answer> {
  private readonly kept: ({ readonly answer: Answer; readonly about: readonly Uint8Array[] } | undefined)[] = [];

  /** @param first what differs between questions most: its last bytes say where to look. */
  find(first: Uint8Array, ...others: readonly Uint8Array[]): Answer | undefined {
    const known = this.kept[placeOf(first)];
    if (known === undefined || !isSame(known.about[0]!, first)) return undefined;
    for (let index = 0; index < others.length; index++) {
      if (!isSame(known.about[index + 1]!, others[index]!)) return undefined;
    }
    return known.answer;
  }

  add(answer: Answer, ...about: readonly Uint8Array[]): void {
    this.kept[placeOf(about[0]!)] = { answer, about: about.map((bytes) => bytes.slice()) };
  }
}

/** One of 1,024 places, by the last bytes. */
function placeOf(bytes: Uint8Array): number {
  return (((bytes.at(-2) ?? 0) & 3) << 8) | (bytes.at(-1) ?? 0);
}

/** Takes bytes in, gives as many out as wanted; 64 bits of state, mixed as MurmurHash3 mixes. */
class Sponge {
  private a: number;
  private b: number;

  constructor(domain: number) {
    this.a = 0x9e3779b9 ^ domain;
    this.b = 0x85ebca6b + domain;
  }

  absorb(bytes: Uint8Array): this {
    let { a, b } = this;
    const length = bytes.length;
    for (let index = 0; index < length; index += 4) {
      const word =
        bytes[index]! |
        ((bytes[index + 1] ?? 0) << 8) |
        ((bytes[index + 2] ?? 0) << 16) |
        ((bytes[index + 3] ?? 0) << 24);
      a = Math.imul(a ^ word, 0xcc9e2d51);
      a = (a << 13) | (a >>> 19);
      b = Math.imul(b ^ a, 0x1b873593) + word;
      b ^= b >>> 15;
    }
    this.a = Math.imul(a ^ length, 0xc2b2ae35);
    this.b = b ^ this.a;
    return this;
  }

  squeeze(length: number): Uint8Array {
    const out = new Uint8Array(length);
    for (let index = 0; index < length; index += 4) {
      const word = this.word(index);
      out[index] = word;
      if (index + 1 < length) out[index + 1] = word >>> 8;
      if (index + 2 < length) out[index + 2] = word >>> 16;
      if (index + 3 < length) out[index + 3] = word >>> 24;
    }
    return out;
  }

  private word(index: number): number {
    let word = Math.imul(this.a + Math.imul(index + 1, 0x9e3779b9), 0x85ebca6b);
    word = Math.imul(word ^ (word >>> 15) ^ this.b, 0xc2b2ae35);
    return word ^ (word >>> 16);
  }
}

function applyStream(key: Uint8Array, nonce: Uint8Array, from: Uint8Array, to: Uint8Array): void {
  const stream = new Sponge(5).absorb(key).absorb(nonce).squeeze(from.length);
  for (let index = 0; index < from.length; index++) to[index] = from[index]! ^ stream[index]!;
}

function tagOf(key: Uint8Array, nonce: Uint8Array, aad: Uint8Array, body: Uint8Array, length: number): Uint8Array {
  return new Sponge(6).absorb(key).absorb(nonce).absorb(aad).absorb(body).squeeze(length);
}

function labelOf(key: Uint8Array): number {
  return (key[0] ?? 0) | ((key[1] ?? 0) << 8) | ((key[2] ?? 0) << 16) | ((key[3] ?? 0) << 24);
}

function isSame(a: Uint8Array, b: Uint8Array): boolean {
  if (a.length !== b.length) return false;
  for (let index = 0; index < a.length; index++) if (a[index] !== b[index]) return false;
  return true;
}
