import { describe, expect, it } from "vitest";
import { createCrypto } from "../../p2p/io/crypto.ts";

const crypto = createCrypto();
const hex = (text: string): Uint8Array => new Uint8Array(Buffer.from(text, "hex"));

/** RFC 9180, appendix A.1.1, first encryption. */
const vector = {
  info: hex("4f6465206f6e2061204772656369616e2055726e"),
  ephemeralSeed: hex("52c4a758a802cd8b936eceea314432798d5baf2d7e9235dc084ab1b9cfa2f736"),
  encapsulated: hex("37fda3567bdbd628e88668c3c8d7e97d1d1253b6d4ea6d44c150f741f1bf4431"),
  boxKey: hex("3948cfe0ad1ddb695d780e59077195da6c56506b027329794ab02bca80815c4d"),
  seed: hex("4612c550263fc8ad58375df3f557aac531d26850903e55a9f23f21d8534e8ac8"),
  plaintext: hex("4265617574792069732074727574682c20747275746820626561757479"),
  aad: hex("436f756e742d30"),
  ciphertext: hex("f938558b5d72f1a23810b4be2ab4f84331acc02fc97babc53a52ae8218a355a96d8770ac83d07bea87e13c512a"),
};

describe("sealing to a key", () => {
  it("[RM40] is HPKE: the RFC's own vector, both ways", () => {
    const { info, ephemeralSeed, encapsulated, boxKey, seed, plaintext, aad, ciphertext } = vector;
    expect(crypto.boxKey(seed)).toEqual(boxKey);
    const sealed = crypto.sealTo(boxKey, ephemeralSeed, info, aad, plaintext);
    expect(sealed).toEqual(new Uint8Array([...encapsulated, ...ciphertext]));
    expect(crypto.openSealed(seed, info, aad, new Uint8Array([...encapsulated, ...ciphertext]))).toEqual(plaintext);
  });

  it("[RM40] opens for nobody else, for no other purpose, and not when a bit has changed", () => {
    const { info, ephemeralSeed, boxKey, seed, plaintext, aad } = vector;
    const sealed = crypto.sealTo(boxKey, ephemeralSeed, info, aad, plaintext) ?? new Uint8Array(0);
    expect(crypto.openSealed(ephemeralSeed, info, aad, sealed)).toBeUndefined();
    expect(crypto.openSealed(seed, aad, aad, sealed)).toBeUndefined();
    expect(crypto.openSealed(seed, info, info, sealed)).toBeUndefined();
    for (let at = 0; at < sealed.length; at += 3) {
      const changed = sealed.slice();
      changed[at] = (changed[at] ?? 0) ^ 1;
      expect(crypto.openSealed(seed, info, aad, changed)).toBeUndefined();
    }
    expect(crypto.openSealed(seed, info, aad, sealed.subarray(0, 40))).toBeUndefined();
  });

  it("[RM40] seals to no point of low order, and throws at none", () => {
    const { ephemeralSeed, info, aad, plaintext, seed } = vector;
    for (const key of [new Uint8Array(32), hex(`01${"00".repeat(31)}`), new Uint8Array(5)]) {
      expect(crypto.sealTo(key, ephemeralSeed, info, aad, plaintext)).toBeUndefined();
      expect(crypto.openSealed(seed, info, aad, new Uint8Array([...key, ...new Uint8Array(40)]))).toBeUndefined();
    }
  });
});
