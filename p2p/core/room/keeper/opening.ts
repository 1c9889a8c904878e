import { type Millis, millis, type PeerId } from "../../../api/ids.ts";

/** A host waits this long for slow relays before it hands out invites without them. */
const settleMs = 4000;
/** A host that comes back waits this long, after the first relay let it in, for what it says of the room. */
const lookAroundMs = 1000;

/** And this long when it says something: events follow the state that they are not yet in. */
const readMs = 250;

/** How far a host is with opening its room: who of the relays that it asked has answered. */
export class Opening {
  readonly #startedAt: Millis;
  readonly #comesBack: boolean;
  readonly #answered = new Set<PeerId>();
  #welcomedAt: Millis | undefined;
  #isLate = false;
  /** Whether some relay said what the room is like. */
  #knows = false;
  #isClosed = false;

  constructor(comesBack: boolean, now: Millis) {
    this.#comesBack = comesBack;
    this.#startedAt = now;
  }

  answered(peer: PeerId): void {
    this.#answered.add(peer);
  }

  welcomed(peer: PeerId, now: Millis): void {
    this.answered(peer);
    this.#welcomedAt ??= now;
  }

  /**
   * Whether nobody more is waited for: `knows`, whether anything was heard of the room as it is; `isClosed`, whether it cannot be
   * read yet, for want of the keys of an heir who acts.
   */
  isSettled(asked: readonly PeerId[], knows: boolean, isClosed: boolean, now: Millis): boolean {
    this.#isLate ||= now >= this.#startedAt + settleMs;
    if (this.#isLate) return true;
    this.#isClosed = isClosed;
    if (isClosed) return false;
    return asked.every((peer) => this.#answered.has(peer)) && this.#hasLookedAround(asked, knows, now);
  }

  /** When to look again. */
  get dueAt(): Millis | undefined {
    if (this.#isLate) return undefined;
    const looks = this.#comesBack && this.#welcomedAt !== undefined && !this.#isClosed;
    return millis(looks ? (this.#welcomedAt ?? 0) + (this.#knows ? readMs : lookAroundMs) : this.#startedAt + settleMs);
  }

  /** Who comes back learns first what happened meanwhile: relays show it right behind their welcome. */
  #hasLookedAround(asked: readonly PeerId[], knows: boolean, now: Millis): boolean {
    // Who is the room's relay has nobody to ask.
    if (!this.#comesBack || asked.length === 0) return true;
    this.#knows = knows;
    return this.#welcomedAt !== undefined && now >= this.#welcomedAt + (knows ? readMs : lookAroundMs);
  }
}
