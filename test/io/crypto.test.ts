import { createHmac } from "node:crypto";
import { describe, expect, it } from "vitest";
import { concat, equal, fromHex, toHex } from "../../p2p/core/bytes.ts";
import { Rng } from "../../p2p/core/rng.ts";
import { createCrypto } from "../../p2p/io/crypto.ts";

const crypto = createCrypto();
const rng = new Rng("crypto");
const nothing = new Uint8Array(0);

/** RFC 8032, section 7.1, tests 1 to 3: seed, public key, message, signature. */
const ed25519Vectors = [
  [
    "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60",
    "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a",
    "",
    "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b",
  ],
  [
    "4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb",
    "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c",
    "72",
    "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00",
  ],
  [
    "c5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7",
    "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025",
    "af82",
    "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac18ff9b538d16f290ae67f760984dc6594a7c15e9716ed28dc027beceea1ec40a",
  ],
] as const;

describe("createCrypto: Ed25519", () => {
  it.each(ed25519Vectors)("agrees with RFC 8032, seed %s", (seed, key, message, signature) => {
    expect(toHex(crypto.publicKey(fromHex(seed)))).toBe(key);
    expect(toHex(crypto.sign(fromHex(seed), fromHex(message)))).toBe(signature);
    expect(crypto.verify(fromHex(key), fromHex(message), fromHex(signature))).toBe(true);
  });

  it("refuses a changed message, key or signature, and one whose scalar was raised by the group order", () => {
    const seed = rng.bytes(32);
    const key = crypto.publicKey(seed);
    const message = rng.bytes(100);
    const signature = crypto.sign(seed, message);
    const flip = (bytes: Uint8Array, at: number): Uint8Array =>
      bytes.map((byte, index) => (index === at ? byte ^ 1 : byte));
    expect(crypto.verify(key, flip(message, 50), signature)).toBe(false);
    expect(crypto.verify(flip(key, 3), message, signature)).toBe(false);
    for (const at of [0, 31, 32, 63]) expect(crypto.verify(key, message, flip(signature, at))).toBe(false);
    expect(crypto.verify(key, message, raised(signature))).toBe(false);
  });

  it("gives false, and never throws, for keys and signatures of any length and content", () => {
    for (let run = 0; run < 500; run++) {
      const key = rng.bytes(run % 2 === 0 ? 32 : rng.int(70));
      expect(crypto.verify(key, rng.bytes(rng.int(50)), rng.bytes(run % 3 === 0 ? rng.int(130) : 64))).toBe(false);
    }
    for (const byte of [0x01, 0x02, 0xff]) {
      expect(crypto.verify(new Uint8Array(32).fill(byte), rng.bytes(10), rng.bytes(64))).toBe(false);
    }
  });

  it("keeps telling keys apart when there are more than it remembers, and when a seed's array is reused", () => {
    const message = rng.bytes(20);
    const seeds = Array.from({ length: 400 }, () => rng.bytes(32));
    const keys = seeds.map((seed) => crypto.publicKey(seed));
    for (const order of [seeds.keys(), [...seeds.keys()].reverse()]) {
      for (const index of order) {
        const signature = crypto.sign(seeds[index] ?? nothing, message);
        expect(crypto.verify(keys[index] ?? nothing, message, signature)).toBe(true);
        expect(crypto.verify(keys[(index + 1) % 400] ?? nothing, message, signature)).toBe(false);
      }
    }
    const reused = rng.bytes(32);
    const first = crypto.sign(reused, message);
    reused.set(rng.bytes(32));
    expect(equal(crypto.sign(reused, message), first)).toBe(false);
    expect(crypto.verify(crypto.publicKey(reused), message, crypto.sign(reused, message))).toBe(true);
  });
});

describe("createCrypto: hashes and keys", () => {
  it("agrees with RFC 5869, test case 3, and with HMAC for an info", () => {
    const okm = "8da4e775a563c18f715f802a063c5a31b8a11f5c5ee1879ec3454e5f3c738d2d9d201395faa4b61a96c8";
    expect(toHex(crypto.hkdf(new Uint8Array(22).fill(0x0b), nothing, 42))).toBe(okm);
    // One block of RFC 5869, section 2, from HMAC alone.
    const [secret, info] = [rng.bytes(32), rng.bytes(60)];
    const extracted = createHmac("sha256", new Uint8Array(32)).update(secret).digest();
    const expanded = createHmac("sha256", extracted).update(info).update(Uint8Array.of(1)).digest();
    expect(toHex(crypto.hkdf(secret, info, 32))).toBe(expanded.toString("hex"));
  });

  it("agrees with FIPS 180-4 on the SHA-256 of abc", () => {
    const digest = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
    expect(toHex(crypto.sha256(Uint8Array.of(0x61, 0x62, 0x63)))).toBe(digest);
  });

  it("draws bytes that are plain arrays and never the same", () => {
    const drawn = Array.from({ length: 100 }, () => crypto.randomBytes(16));
    expect(new Set(drawn.map(toHex)).size).toBe(100);
    for (const bytes of drawn) expect(bytes.constructor).toBe(Uint8Array);
  });
});

describe("createCrypto: AES-256-GCM", () => {
  const key = fromHex("feffe9928665731c6d6a8f9467308308feffe9928665731c6d6a8f9467308308");
  const nonce = fromHex("cafebabefacedbaddecaf888");
  const aad = fromHex("feedfacedeadbeeffeedfacedeadbeefabaddad2");
  const plaintext = fromHex(
    "d9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a721c3c0c95956809532fcf0e2449a6b525b16aedf5aa0de657ba637b39",
  );
  const ciphertext =
    "522dc1f099567d07f47f37a32a84427d643a8cdcbfe5c0c97598a2bd2555d1aa8cb08e48590dbb3da7b08b1056828838c5f61e6393ba7a0abcc9f662";
  const tag = "76fc6ece0f4e1768cddf8853bb2d551b";

  it("agrees with test case 16 of McGrew and Viega's specification, with both tag lengths", () => {
    expect(toHex(crypto.seal(key, nonce, aad, plaintext, 16))).toBe(ciphertext + tag);
    expect(toHex(crypto.seal(key, nonce, aad, plaintext, 8))).toBe(ciphertext + tag.slice(0, 16));
    expect(crypto.open(key, nonce, aad, fromHex(ciphertext + tag), 16)).toEqual(plaintext);
    expect(crypto.open(key, nonce, aad, fromHex(ciphertext + tag.slice(0, 16)), 8)).toEqual(plaintext);
    expect(toHex(crypto.seal(new Uint8Array(32), new Uint8Array(12), nothing, nothing, 16))).toBe(
      "530f8afbc74536b9a963b4f1c4cb738b",
    );
  });

  it.each([8, 16] as const)("opens nothing that was changed, with a tag of %i bytes", (tagLength) => {
    const sealed = crypto.seal(key, nonce, aad, plaintext, tagLength);
    for (let at = 0; at < sealed.length; at++) {
      const changed = sealed.map((byte, index) => (index === at ? byte ^ 0x10 : byte));
      expect(crypto.open(key, nonce, aad, changed, tagLength)).toBeUndefined();
    }
    for (let length = 0; length < sealed.length; length++) {
      expect(crypto.open(key, nonce, aad, sealed.subarray(0, length), tagLength)).toBeUndefined();
    }
    expect(crypto.open(key, nonce, aad, concat(sealed, Uint8Array.of(0)), tagLength)).toBeUndefined();
    expect(crypto.open(key, nonce, nothing, sealed, tagLength)).toBeUndefined();
    expect(crypto.open(key, rng.bytes(12), aad, sealed, tagLength)).toBeUndefined();
    expect(crypto.open(rng.bytes(32), nonce, aad, sealed, tagLength)).toBeUndefined();
    expect(crypto.open(rng.bytes(31), nonce, aad, sealed, tagLength)).toBeUndefined();
    expect(crypto.open(key, rng.bytes(11), aad, sealed, tagLength)).toBeUndefined();
    expect(crypto.open(key, nonce, aad, sealed, tagLength === 8 ? 16 : 8)).toBeUndefined();
  });
});

/** The same signature with the group order added to its scalar: valid for a careless verifier. */
function raised(signature: Uint8Array): Uint8Array {
  const order = 2n ** 252n + 27742317777372353535851937790883648493n;
  let scalar = order;
  for (let index = 63; index >= 32; index--) scalar += BigInt(signature[index] ?? 0) << BigInt(8 * (index - 32));
  const bytes = new Uint8Array(signature);
  for (let index = 32; index < 64; index++) bytes[index] = Number((scalar >> BigInt(8 * (index - 32))) & 0xffn);
  return bytes;
}
