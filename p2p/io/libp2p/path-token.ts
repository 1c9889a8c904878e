import { createHmac, timingSafeEqual } from "node:crypto";
import { limits } from "../../api/limits.ts";

/** Bytes of the token that cards and invites carry. */
export const cardTokenBytes = 16;
/** Bytes of the token that the DHT tells: another length, so that the two can be told apart wherever they appear. */
export const dhtTokenBytes = 20;

const nonceBytes = 12;
/** Nonce, and the time in minutes since 1970 as a 32-bit number, big-endian. */
const headBytes = nonceBytes + 4;
const macBytes = 16;
const pathForm = /^\/[A-Za-z0-9_-]{43}$/;
const pathLabel = "teahouse path 1";
const dhtLabel = "teahouse dht door 1";

const minuteMs = 60_000;
/** How wrong the clock of whoever dials may be. */
const windowMinutes = limits.clockToleranceMs / minuteMs;
/** The same while there is no room to remember nonces for so long. */
const narrowMinutes = 5;
/**
 * Nonces remembered, about 12 MiB. Half of them are kept free for clocks that are right, so that nobody fills the memory
 * with nonces of tomorrow; the other half is 40 dials a minute, remembered for the 26 hours that each needs.
 */
const noncesMax = 131_072;

const macOf = (token: Uint8Array, head: Uint8Array): Buffer =>
  createHmac("sha256", token).update(pathLabel).update(head).digest().subarray(0, macBytes);

const minutesOf = (now: number): number => Math.floor(now / minuteMs);

/**
 * The path that opens a relay once: `/` and base64url of nonce | time | HMAC-SHA-256 over both, 44 characters.
 * `nonce`: 12 fresh random bytes. `now`: Unix time in ms.
 */
export const pathOf = (token: Uint8Array, nonce: Uint8Array, now: number): string => {
  const head = Buffer.alloc(headBytes);
  head.set(nonce.subarray(0, nonceBytes));
  head.writeUInt32BE(minutesOf(now), nonceBytes);
  return `/${Buffer.concat([head, macOf(token, head)]).toString("base64url")}`;
};

/**
 * The token that servers of the DHT tell each other. Every stranger who takes part in the DHT learns it, so it is not the one
 * of cards and invites, and does not lead to that one.
 */
export const dhtTokenOf = (token: Uint8Array): Uint8Array =>
  new Uint8Array(createHmac("sha256", token).update(dhtLabel).digest().subarray(0, dhtTokenBytes));

/** Decides which paths open a relay, each once. */
export class PathGate {
  readonly #tokens: readonly Uint8Array[];
  readonly #now: () => number;
  readonly #noncesMax: number;
  /** Nonce to the minute it was made in, by the clock of whoever made it. */
  readonly #spent = new Map<string, number>();
  /** While nonces that the wide window still takes are forgotten, it stays closed. In minutes. */
  #narrowUntil = 0;
  /** The minutes in which room was looked for last, for all clocks and for right ones; once in each is enough. */
  #sweptAt = -1;
  #fullAt = -1;

  /** `tokens`: each of them opens. `now`: Unix time in ms. */
  constructor(tokens: readonly Uint8Array[], now: () => number, options: { readonly noncesMax?: number } = {}) {
    this.#tokens = tokens;
    this.#now = now;
    this.#noncesMax = options.noncesMax ?? noncesMax;
  }

  /**
   * Whether this path opens; it does not a second time. Does the same work for every path, so that the time it takes
   * tells nothing about which part was wrong.
   */
  admits(path: string): boolean {
    const shown = Buffer.alloc(headBytes + macBytes);
    const isForm = pathForm.test(path);
    shown.write(isForm ? path.slice(1) : "", "base64url");
    const head = shown.subarray(0, headBytes);
    let fits = 0;
    for (const token of this.#tokens) fits |= Number(timingSafeEqual(macOf(token, head), shown.subarray(headBytes)));
    const nonce = shown.toString("latin1", 0, nonceBytes);
    const made = shown.readUInt32BE(nonceBytes);
    const now = minutesOf(this.#now());
    const isSpent = this.#spent.has(nonce);
    return isForm && fits === 1 && !isSpent && this.#spend(nonce, made, now);
  }

  /** Remembers the nonce; false when its time is wrong, or so far off that there is no room for it. */
  #spend(nonce: string, made: number, now: number): boolean {
    const off = Math.abs(made - now);
    if (off > windowMinutes) return false;
    if (this.#spent.size >= this.#noncesMax / 2 && this.#sweptAt !== now) {
      this.#sweptAt = now;
      this.#forget((other) => other + windowMinutes < now);
    }
    if (off > narrowMinutes) {
      if (now < this.#narrowUntil || this.#spent.size >= this.#noncesMax / 2) return false;
    } else if (this.#spent.size >= this.#noncesMax && !this.#makeRoom(now)) return false;
    this.#spent.set(nonce, made);
    return true;
  }

  /** Forgets what only wrong clocks could still use. What lies ahead is kept: its time will be right one day. */
  #makeRoom(now: number): boolean {
    if (this.#fullAt === now) return false;
    this.#fullAt = now;
    this.#forget((made) => {
      if (made >= now - narrowMinutes) return false;
      this.#narrowUntil = Math.max(this.#narrowUntil, made + windowMinutes + 1);
      return true;
    });
    return this.#spent.size < this.#noncesMax;
  }

  #forget(isOver: (made: number) => boolean): void {
    for (const [nonce, made] of this.#spent) if (isOver(made)) this.#spent.delete(nonce);
  }
}
