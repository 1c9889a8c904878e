import type { Millis } from "../../../api/ids.ts";
import { compare, concat, equal, toHex } from "../../bytes.ts";
import type { Crypto } from "../../crypto.ts";
import { type EventHead, eventHash, readEventHead, verifyEvent } from "../../room/chain/chain.ts";
import { rightsOfRank } from "../../room/chain/reduce.ts";
import type { StateHead } from "../../room/state/sealed-state.ts";
import type { RelayView } from "../../room/state/view.ts";

/** Events kept for who comes later: whoever acts settles them every few seconds. */
const keptMax = 1024;
/** And of one keeper: what is further ahead of what is settled is nobody's who keeps a room. */
const aheadMax = 256;
/** Events of one keeper at once, and a second: a moderator who goes through every hand, with room. */
const eventBurst = 64;
const eventsPerSecond = 20;

/** Why an event is not passed on. "late": it is settled or was here. "fork": it is, once, as the proof of one. */
type Verdict = "new" | "late" | "ahead" | "fork" | "stranger" | "right" | "signature" | "rate" | "malformed";

interface Kept {
  readonly author: string;
  readonly number: number;
  readonly hash: Uint8Array;
  readonly bytes: Uint8Array;
}

interface Bucket {
  tokens: number;
  at: Millis;
}

/** What a relay keeps and passes on of what a room's keepers do, without reading it ([RM35]). */
export class Chains {
  readonly #crypto: Crypto;
  #kept: Kept[] = [];
  /** Authors that said two things under one number: both were passed on, and nothing more is. */
  readonly #forked = new Set<string>();
  readonly #settled = new Map<string, number>();
  readonly #buckets = new Map<string, Bucket>();

  constructor(crypto: Crypto) {
    this.#crypto = crypto;
  }

  /** All that is not settled, in the order it came. */
  get events(): readonly Uint8Array[] {
    return this.#kept.map(({ bytes }) => bytes);
  }

  /** Tells two sets of events apart, in whatever order they came. */
  get digest(): Uint8Array {
    return concat(...this.#kept.map(({ hash }) => hash).toSorted(compare));
  }

  /** Notes one's own, or what an heir says again. */
  add(bytes: Uint8Array): void {
    const head = readEventHead(bytes);
    if (head && !this.#kept.some((kept) => equal(kept.bytes, bytes))) this.#keep(toHex(head.author), head, bytes);
  }

  /** What to do with an event that came. */
  judge(bytes: Uint8Array, view: RelayView, now: Millis): Verdict {
    const head = readEventHead(bytes);
    if (!head) return "malformed";
    const author = toHex(head.author);
    const settled = this.#settled.get(author) ?? 0;
    if (head.number <= settled || this.#forked.has(author)) return "late";
    if (head.number > settled + aheadMax) return "ahead";
    const known = this.#kept.find((kept) => kept.author === author && kept.number === head.number);
    if (known && equal(known.hash, eventHash(this.#crypto, bytes))) return "late";
    const keeper = view.keepers.find(({ key }) => equal(key, head.author));
    if (!keeper) return "stranger";
    const rights = rightsOfRank[keeper.rank] ?? 0;
    if (head.rank !== keeper.rank || (rights & head.right) !== head.right) return "right";
    if (!verifyEvent(this.#crypto, view.tag, head, bytes)) return "signature";
    if (!this.#takeToken(author, now)) return "rate";
    if (known) this.#forked.add(author);
    this.#keep(author, head, bytes);
    return known ? "fork" : "new";
  }

  /** A state settles what came before it. */
  settle(state: StateHead): void {
    for (const { key, number } of state.settled) this.#settled.set(toHex(key), number);
    this.#kept = this.#kept.filter(({ author, number }) => number > (this.#settled.get(author) ?? 0));
    for (const author of this.#settled.keys()) {
      if (!state.settled.some(({ key }) => toHex(key) === author)) this.#settled.delete(author);
    }
  }

  #keep(author: string, head: EventHead, bytes: Uint8Array): void {
    this.#kept.push({ author, number: head.number, hash: eventHash(this.#crypto, bytes), bytes });
    if (this.#kept.length > keptMax) this.#kept.shift();
  }

  #takeToken(author: string, now: Millis): boolean {
    const bucket = this.#buckets.get(author) ?? { tokens: eventBurst, at: now };
    bucket.tokens = Math.min(eventBurst, bucket.tokens + ((now - bucket.at) / 1000) * eventsPerSecond);
    bucket.at = now;
    this.#buckets.set(author, bucket);
    if (bucket.tokens < 1) return false;
    bucket.tokens--;
    return true;
  }
}
