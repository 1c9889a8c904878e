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
/**
 * A failure says nothing any more after this long. Whoever stands in for one that is dead dials it at least every 50 s, by the
 * waits above, so what is older is nobody's news.
 */
const failureMs = 120_000;

interface Known {
  readonly failures: number;
  /** Failures and refusals together; a refusal for good counts as many. */
  readonly tries: number;
  /** It is not dialed until then; undefined once the wait is over. */
  until: Millis | undefined;
  /** It has no rank until then, for it did not answer. */
  readonly absentUntil: Millis;
}

const unknown: Known = { failures: 0, tries: 0, until: undefined, absentUntil: millis(0) };

/** Who of those that can be dialed does not answer, or has no slot, and when it may be asked again ([OV7]). */
export class RelayHealth {
  readonly #known = new Map<PeerId, Known>();
  readonly #noFeedUntil = new Map<PeerId, Millis>();
  readonly #random: () => number;

  constructor(random: () => number) {
    this.#random = random;
  }

  /** Nobody answered. */
  failed(peer: PeerId, now: Millis): void {
    const known = this.#of(peer, now);
    const failures = known.failures + 1;
    const usualMs = retryMs[Math.min(failures, retryMs.length) - 1] ?? 0;
    const until = millis(now + usualMs * (1 + this.#random() / 4));
    this.#known.set(peer, { failures, tries: known.tries + 1, until, absentUntil: millis(now + failureMs) });
  }

  /** It was not even asked, because that came too soon: it may be in so many ms, and nothing is known of it. */
  postponed(peer: PeerId, afterMs: number, now: Millis): void {
    const known = this.#of(peer, now);
    this.#known.set(peer, { ...known, until: millis(Math.max(known.until ?? 0, now + afterMs)) });
  }

  /** It answered, but not with yes. `final`: another try will not change that. */
  refused(peer: PeerId, final: boolean, now: Millis): void {
    const known = this.#of(peer, now);
    const tries = known.tries + (final ? triesMin : 1);
    const until = millis(now + refusedMs);
    this.#known.set(peer, { ...known, tries, until, absentUntil: millis(Math.max(until, known.absentUntil)) });
  }

  /** It may be gone: it counts as dead for a moment, which says nothing about when to dial it. */
  suspect(peer: PeerId, now: Millis): void {
    const known = this.#of(peer, now);
    const until = millis(Math.max(known.until ?? 0, now + suspectMs));
    this.#known.set(peer, { ...known, until, absentUntil: millis(Math.max(until, known.absentUntil)) });
  }

  /** It has no slot for media; it may stay a standby. */
  noFeed(peer: PeerId, now: Millis): void {
    this.#noFeedUntil.set(peer, millis(now + refusedMs));
    const known = this.#of(peer, now);
    this.#known.set(peer, { ...known, tries: known.tries + fullTries });
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
    return (this.#known.get(peer)?.absentUntil ?? 0) > now;
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

  /** Lets waits that are over be forgotten; failures are remembered until a welcome, or until they are old. */
  handleTimeout(now: Millis): void {
    for (const [peer, until] of this.#noFeedUntil) if (until <= now) this.#noFeedUntil.delete(peer);
    for (const known of this.#known.values())
      if (known.until !== undefined && known.until <= now) known.until = undefined;
  }

  /** What is known of it; failures that are old are forgotten. */
  #of(peer: PeerId, now: Millis): Known {
    const known = this.#known.get(peer);
    if (!known) return unknown;
    return known.failures > 0 && known.absentUntil <= now ? { ...unknown, until: known.until } : known;
  }
}
