import type { Millis } from "../../api/ids.ts";
import { toHex } from "../bytes.ts";
import type { Crypto } from "../crypto.ts";

/** A petition is repeated until it is acknowledged, so it is passed on again after this long. */
const repeatMs = 1000;
/** Petitions remembered: a thousand hands a second. */
const rememberedMax = 1024;

/** Knows which petitions went by lately, so that none circles and none is multiplied. */
export class Petitions {
  readonly #crypto: Crypto;
  readonly #seen = new Map<string, Millis>();

  constructor(crypto: Crypto) {
    this.#crypto = crypto;
  }

  /** Whether to pass it on now. */
  isNew(petition: Uint8Array, now: Millis): boolean {
    const name = toHex(this.#crypto.sha256(petition).subarray(0, 8));
    const seenAt = this.#seen.get(name);
    if (seenAt !== undefined && now < seenAt + repeatMs) return false;
    this.#seen.delete(name);
    this.#seen.set(name, now);
    for (const oldest of this.#seen.keys()) {
      if (this.#seen.size <= rememberedMax) break;
      this.#seen.delete(oldest);
    }
    return true;
  }
}
