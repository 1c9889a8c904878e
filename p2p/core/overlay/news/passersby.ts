import type { Millis } from "../../../api/ids.ts";
import { toHex } from "../../bytes.ts";
import type { Crypto } from "../../crypto.ts";

/** A petition is repeated until it is acknowledged, so it is passed on again after this long. */
export const petitionRepeatMs = 1000;
/** A note is said once. */
export const noteRepeatMs = 600_000;
/** Petitions remembered: a thousand hands a second. */
const rememberedMax = 1024;

/** Knows which petitions or notes went by lately, so that none circles and none is multiplied. */
export class Passersby {
  readonly #crypto: Crypto;
  readonly #repeatMs: number;
  readonly #seen = new Map<string, Millis>();

  /** `repeatMs`: after how long the same is news again. */
  constructor(crypto: Crypto, repeatMs: number) {
    this.#crypto = crypto;
    this.#repeatMs = repeatMs;
  }

  /** Whether to pass it on now. */
  isNew(petition: Uint8Array, now: Millis): boolean {
    const name = toHex(this.#crypto.sha256(petition).subarray(0, 8));
    const seenAt = this.#seen.get(name);
    if (seenAt !== undefined && now < seenAt + this.#repeatMs) return false;
    this.#seen.delete(name);
    this.#seen.set(name, now);
    for (const oldest of this.#seen.keys()) {
      if (this.#seen.size <= rememberedMax) break;
      this.#seen.delete(oldest);
    }
    return true;
  }
}
