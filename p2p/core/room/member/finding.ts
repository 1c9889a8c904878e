import type { ErrorCode } from "../../../api/errors.ts";
import { type Millis, millis } from "../../../api/ids.ts";
import type { Refusal } from "../../session/frames.ts";

/** Nobody waits longer than this for a way in without being told. */
const joinMsMax = 20_000;
/** The DHT is asked when the invite's relays have not answered for this long. */
const lookupAfterMs = 1500;
/** And again this often while nothing else works. */
const lookupAgainMs = 15_000;

/** The order in which a person is told why: the most particular reason first. */
const reasons: readonly [Refusal, ErrorCode][] = [
  ["version", "wrong-version"],
  ["banned", "banned"],
  ["only-own", "refused-only-own"],
  ["locked", "locked"],
  ["full", "refused-relay-full"],
  // Who is full looked at the door first: a relay that finds it closed may only hold an older view.
  ["closed", "invite-revoked"],
  ["unknown-room", "room-not-found"],
  ["not-carrying", "refused-by-relay"],
  ["proof", "refused-by-relay"],
  ["protocol", "wrong-version"],
  ["unknown-session", "wrong-version"],
];

/** The search for a way into one room: when to ask the DHT, and when to stop and what to say. */
export class Finding {
  readonly #startedAt: Millis;
  readonly #discovery: boolean;
  readonly #refusals = new Set<Refusal>();
  readonly #closed: ErrorCode;
  #lookingUp = false;
  #lookups = 0;
  #lookupAt: Millis;

  /** `closed`: what is wrong with an invite whose door relays do not know. */
  constructor(discovery: boolean, hinted: boolean, now: Millis, closed: ErrorCode = "invite-revoked") {
    this.#closed = closed;
    this.#discovery = discovery;
    this.#startedAt = now;
    this.#lookupAt = millis(hinted ? now + lookupAfterMs : now);
  }

  refused(reason: Refusal): void {
    this.#refusals.add(reason);
  }

  /** What a person is told who finds the room's doors shut. */
  codeOf(reason: "locked" | "closed"): ErrorCode {
    return reason === "locked" ? "locked" : this.#closed;
  }

  /** True when a lookup is to start now; it then counts as started. */
  startLookup(now: Millis): boolean {
    if (!this.#discovery || this.#lookingUp || now < this.#lookupAt) return false;
    this.#lookingUp = true;
    this.#lookups++;
    return true;
  }

  lookupEnded(now: Millis): void {
    this.#lookingUp = false;
    this.#lookupAt = millis(now + lookupAgainMs);
  }

  /** Every relay known has been tried: asks the DHT now rather than later. */
  hurry(now: Millis): void {
    if (this.#lookups === 0 && this.#lookupAt > now) this.#lookupAt = now;
  }

  /**
   * Why to stop, or undefined to go on.
   * @param tried every relay known has failed or refused.
   */
  verdict(tried: boolean, now: Millis): ErrorCode | undefined {
    const asked = !this.#discovery || (this.#lookups > 0 && !this.#lookingUp);
    if (!(tried && asked) && now < this.endsAt) return undefined;
    const known = reasons.find(([reason]) => this.#refusals.has(reason));
    if (known?.[0] === "closed") return this.#closed;
    return known ? known[1] : "no-network";
  }

  /** When the search is over at the latest. */
  get endsAt(): Millis {
    return millis(this.#startedAt + joinMsMax);
  }

  /** When to ask the DHT next, while cut off. */
  get lookupAt(): Millis | undefined {
    return this.#discovery && !this.#lookingUp ? this.#lookupAt : undefined;
  }
}
