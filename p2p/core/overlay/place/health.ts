import { type Millis, millis, type PeerId } from "../../../api/ids.ts";

/**
 * A relay that failed is left alone this long, and up to a quarter more, by the number of its failures: the second dial comes
 * early, and never more than three go out in a minute. The last is for all that follow.
 */
const retryMs: readonly number[] = [1500, 20_000, 40_000, 21_000];
/** A relay that is full or does not know the room yet is asked again after this long. */
const refusedMs = 1500;
/** A way in is given up after so many tries: the first may meet a hiccup. */
const triesMin = 2;
/** A relay without a slot is asked more often than that: slots come free, and who lends is on its way. */
const fullTries = triesMin / 6;
/** Whoever lost its links counts as dead this long, so that the next in rank takes its place, unless it is back before. */
const suspectMs = 1000;

interface Known {
  readonly failures: number;
  /** Failures and refusals together; a refusal for good counts as many. */
  readonly tries: number;
  /** Counts as dead until then; undefined once the wait is over. */
  until: Millis | undefined;
}

/** Who of those that can be dialed does not answer, or has no slot, and when it may be asked again ([OV7]). */
export class RelayHealth {
  readonly #known = new Map<PeerId, Known>();
  readonly #noFeedUntil = new Map<PeerId, Millis>();
  readonly #random: () => number;

  constructor(random: () => number) {
    this.#random = random;
  }

  /** Nobody answered, or it was too soon to ask: then `afterMs` says when it may be. */
  failed(peer: PeerId, now: Millis, afterMs = 0): void {
    const known = this.#known.get(peer);
    const failures = (known?.failures ?? 0) + 1;
    const usualMs = retryMs[Math.min(failures, retryMs.length) - 1] ?? 0;
    const waitMs = Math.max(usualMs * (1 + this.#random() / 4), afterMs);
    this.#known.set(peer, { failures, tries: (known?.tries ?? 0) + 1, until: millis(now + waitMs) });
  }

  /** It answered, but not with yes. `final`: another try will not change that. */
  refused(peer: PeerId, final: boolean, now: Millis): void {
    const known = this.#known.get(peer);
    const tries = (known?.tries ?? 0) + (final ? triesMin : 1);
    this.#known.set(peer, { failures: known?.failures ?? 0, tries, until: millis(now + refusedMs) });
  }

  /** It may be gone: it counts as dead for a moment, which says nothing about when to dial it. */
  suspect(peer: PeerId, now: Millis): void {
    const { failures = 0, tries = 0, until = now } = this.#known.get(peer) ?? {};
    this.#known.set(peer, { failures, tries, until: millis(Math.max(until, now + suspectMs)) });
  }

  /** It has no slot for media; it may stay a standby. */
  noFeed(peer: PeerId, now: Millis): void {
    this.#noFeedUntil.set(peer, millis(now + refusedMs));
    const { failures = 0, tries = 0, until } = this.#known.get(peer) ?? {};
    this.#known.set(peer, { failures, tries: tries + fullTries, until });
  }

  /** Whether it said so a moment ago. */
  hasNoSlot(peer: PeerId): boolean {
    return this.#noFeedUntil.has(peer);
  }

  welcomed(peer: PeerId): void {
    this.#known.delete(peer);
  }

  /** Until when it counts as dead; undefined for who does not. */
  deadUntil(peer: PeerId): Millis | undefined {
    return this.#known.get(peer)?.until;
  }

  /** Whether it did not answer when it was asked last: it may be asked again, but has no rank until it answers. */
  isAbsent(peer: PeerId, now: Millis): boolean {
    const known = this.#known.get(peer);
    return known !== undefined && (known.failures > 0 || (known.until ?? 0) > now);
  }

  /** Whether it failed or refused twice, or once for good. */
  isGivenUp(peer: PeerId): boolean {
    return (this.#known.get(peer)?.tries ?? 0) >= triesMin;
  }

  forget(peer: PeerId): void {
    this.#known.delete(peer);
    this.#noFeedUntil.delete(peer);
  }

  /** When the first wait is over; infinite without any. */
  get soonest(): number {
    let soonest = Infinity;
    for (const until of this.#noFeedUntil.values()) if (until < soonest) soonest = until;
    for (const { until } of this.#known.values()) if (until !== undefined && until < soonest) soonest = until;
    return soonest;
  }

  /** Lets waits that are over be forgotten; failures are remembered until a welcome. */
  handleTimeout(now: Millis): void {
    for (const [peer, until] of this.#noFeedUntil) if (until <= now) this.#noFeedUntil.delete(peer);
    for (const known of this.#known.values())
      if (known.until !== undefined && known.until <= now) known.until = undefined;
  }
}
