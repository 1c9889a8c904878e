import { assert } from "./assert.ts";

const u32Limit = 2 ** 32;

/**
 * A seeded generator for the simulator and for tests, never for secrets: sfc32 (Chris Doty-Humphrey, PractRand),
 * which passes PractRand to terabytes and needs only 32-bit arithmetic. The same seed gives the same numbers on
 * every machine.
 */
export class Rng {
  readonly #seed: string;
  #a: number;
  #b: number;
  #c: number;
  #counter = 1;

  constructor(seed: string | number) {
    this.#seed = String(seed);
    this.#a = hashOf(this.#seed, 0x9e3779b9);
    this.#b = hashOf(this.#seed, 0x243f6a88);
    this.#c = hashOf(this.#seed, 0xb7e15162);
    // The authors' own seeding throws the first outputs away, until every seed bit has reached every state bit.
    for (let round = 0; round < 15; round++) this.u32();
  }

  /** 32 random bits. */
  u32(): number {
    const result = (this.#a + this.#b + this.#counter) | 0;
    this.#counter = (this.#counter + 1) | 0;
    this.#a = this.#b ^ (this.#b >>> 9);
    this.#b = (this.#c + (this.#c << 3)) | 0;
    this.#c = ((this.#c << 21) | (this.#c >>> 11)) + result;
    this.#c |= 0;
    return result >>> 0;
  }

  /** A number in [0, 1) with 53 random bits. */
  next(): number {
    return ((this.u32() >>> 5) * 2 ** 26 + (this.u32() >>> 6)) / 2 ** 53;
  }

  /** An integer in [0, limit), without bias. `limit` is 1 to 2^32. */
  int(limit: number): number {
    assert(Number.isInteger(limit) && limit >= 1 && limit <= u32Limit, "a limit from 1 to 2^32");
    const usable = u32Limit - (u32Limit % limit);
    for (;;) {
      const value = this.u32();
      if (value < usable) return value % limit;
    }
  }

  /** `length` random bytes. */
  bytes(length: number): Uint8Array {
    const bytes = new Uint8Array(length);
    for (let index = 0; index < length; index++) bytes[index] = this.u32() & 0xff;
    return bytes;
  }

  /**
   * A generator of its own, named by this one's seed and `label` alone: how much this one was used, before or
   * after, changes nothing in it.
   */
  fork(label: string): Rng {
    return new Rng(`${this.#seed}/${label}`);
  }
}

/** MurmurHash3 (x86, 32 bit) over the UTF-16 units of `text`. */
function hashOf(text: string, seed: number): number {
  let hash = seed | 0;
  for (let index = 0; index < text.length; index++) {
    let block = Math.imul(text.charCodeAt(index), 0xcc9e2d51);
    block = (block << 15) | (block >>> 17);
    hash ^= Math.imul(block, 0x1b873593);
    hash = (hash << 13) | (hash >>> 19);
    hash = (Math.imul(hash, 5) + 0xe6546b64) | 0;
  }
  hash ^= text.length;
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return hash ^ (hash >>> 16);
}
