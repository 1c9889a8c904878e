import { describe, expect, it } from "vitest";
import { Rng } from "../../p2p/core/rng.ts";
import { KeyRegistry, SimCrypto } from "./crypto.ts";

const keys = new KeyRegistry();
const rng = new Rng("sim crypto");
const crypto = new SimCrypto(rng.fork("crypto"), keys);
const other = new SimCrypto(rng.fork("other"), new KeyRegistry());

/** The same bytes with one bit turned over. */
function flipped(bytes: Uint8Array, rngOf: Rng): Uint8Array {
  const copy = bytes.slice();
  const at = rngOf.int(copy.length);
  copy[at] = copy[at]! ^ (1 << rngOf.int(8));
  return copy;
}

describe("the simulator's crypto", () => {
  it("verifies what was signed, and nothing that differs in a bit", () => {
    for (let round = 0; round < 200; round++) {
      const seed = crypto.randomBytes(32);
      const key = crypto.publicKey(seed);
      const message = crypto.randomBytes(1 + rng.int(300));
      const signature = crypto.sign(seed, message);
      expect(crypto.verify(key, message, signature)).toBe(true);
      expect(crypto.verify(key, flipped(message, rng), signature)).toBe(false);
      expect(crypto.verify(key, message, flipped(signature, rng))).toBe(false);
      expect(crypto.verify(flipped(key, rng), message, signature)).toBe(false);
      expect(crypto.verify(crypto.publicKey(crypto.randomBytes(32)), message, signature)).toBe(false);
      expect(other.verify(key, message, signature), "a key nobody made here").toBe(false);
    }
    expect(crypto.verify(new Uint8Array(31), new Uint8Array(1), new Uint8Array(64))).toBe(false);
    expect(crypto.verify(new Uint8Array(32), new Uint8Array(1), new Uint8Array(63))).toBe(false);
  });

  it("opens what was sealed, and nothing that differs in a bit", () => {
    for (const tagLength of [8, 16] as const) {
      for (let round = 0; round < 200; round++) {
        const [key, nonce, aad] = [rng.bytes(32), rng.bytes(12), rng.bytes(12)];
        const plaintext = rng.bytes(1 + rng.int(200));
        const sealed = crypto.seal(key, nonce, aad, plaintext, tagLength);
        expect(sealed.length).toBe(plaintext.length + tagLength);
        expect(crypto.open(key, nonce, aad, sealed, tagLength)).toEqual(plaintext);
        expect(crypto.open(flipped(key, rng), nonce, aad, sealed, tagLength)).toBeUndefined();
        expect(crypto.open(key, flipped(nonce, rng), aad, sealed, tagLength)).toBeUndefined();
        expect(crypto.open(key, nonce, flipped(aad, rng), sealed, tagLength)).toBeUndefined();
        expect(crypto.open(key, nonce, aad, flipped(sealed, rng), tagLength)).toBeUndefined();
      }
    }
    expect(crypto.open(rng.bytes(32), rng.bytes(12), rng.bytes(1), rng.bytes(7), 8)).toBeUndefined();
  });

  it("hashes alike only what is alike, and gives the lengths asked for", () => {
    const hashes = new Set<string>();
    for (let round = 0; round < 1000; round++) hashes.add(crypto.sha256(rng.bytes(1 + (round % 40))).join());
    expect(hashes.size).toBeGreaterThan(990);
    expect(crypto.sha256(Uint8Array.of(1)).length).toBe(32);
    expect(crypto.sha256(Uint8Array.of(0))).not.toEqual(crypto.sha256(Uint8Array.of(0, 0)));
    expect(crypto.hkdf(rng.bytes(32), Uint8Array.of(1), 42).length).toBe(42);
    expect(new SimCrypto(new Rng("a"), keys).randomBytes(8)).toEqual(new SimCrypto(new Rng("a"), keys).randomBytes(8));
  });
});
