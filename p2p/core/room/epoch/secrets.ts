import { type Millis, millis } from "../../../api/ids.ts";
import { assert } from "../../assert.ts";
import { equal } from "../../bytes.ts";
import { earlier } from "../../machine.ts";
import type { Epoch } from "../rights/keys.ts";

/** What was typed or asked just before an epoch began may still be on its way, behind a link that was lost. */
const wordsKeptMs = 30_000;
/** A keeper that was cut off may have done something by the old secret: until it is back, and what it did is settled. */
const papersKeptMs = 10 * 60_000;
/** Secrets of the past that are kept at most: an epoch for everybody who came within the half minute, or ten minutes of kicks. */
const pastMax = 32;

/** Secrets by the low 8 bits of their number, as a sealed paper shows it. */
export interface KnownSecrets {
  find(mark: number): readonly Uint8Array[];
}

interface Past {
  readonly epoch: Epoch;
  readonly until: Millis;
  /** Of a side of the room that grew apart: it was never ours to seal with. */
  readonly lent: boolean;
}

/** The secret that is sealed with now, and those before it that still open for a while ([RM48]). */
export class SecretRing implements KnownSecrets {
  readonly #keptMs: number;
  #current: Epoch | undefined;
  #past: Past[] = [];

  constructor(keptMs: number) {
    this.#keptMs = keptMs;
  }

  /** What to seal with; undefined before any is known. */
  get current(): Epoch | undefined {
    return this.#current;
  }

  /** What to seal with, where something is known of the room. */
  get sealing(): Epoch {
    assert(this.#current !== undefined, "who seals knows the room");
    return this.#current;
  }

  /** Those that were sealed with here, the newest first. */
  get own(): Epoch[] {
    const past = this.#past.flatMap(({ epoch, lent }) => (lent ? [] : [epoch]));
    return this.#current ? [this.#current, ...past.toReversed()] : [];
  }

  /** Those that were lent. */
  get lent(): Uint8Array[] {
    return this.#past.flatMap(({ epoch, lent }) => (lent ? [epoch.secret] : []));
  }

  /** Seals by a copy of this one from now on. False when it did already. */
  take(epoch: Epoch, now: Millis): boolean {
    const before = this.#current;
    if (before && isSame(before, epoch)) return false;
    this.#current = copyOf(epoch);
    this.#drop(({ epoch: past }) => isSame(past, epoch));
    if (before) this.#keep(before, false, now);
    return true;
  }

  /** Opens by a copy of this one for a while. False when it did already. */
  lend(epoch: Epoch, now: Millis): boolean {
    if ([this.#current, ...this.#past.map((past) => past.epoch)].some((known) => known && isSame(known, epoch))) {
      return false;
    }
    this.#keep(copyOf(epoch), true, now);
    return true;
  }

  find(mark: number): Uint8Array[] {
    const known = [this.#current, ...this.#past.map(({ epoch }) => epoch)];
    return known.flatMap((epoch) => (epoch && epoch.number % 256 === mark ? [epoch.secret] : []));
  }

  /** When the oldest of the past is to be forgotten. */
  get dueAt(): Millis | undefined {
    return this.#past.map(({ until }) => until).toSorted((left, right) => left - right)[0];
  }

  /** Overwrites what is past for long enough. */
  forget(now: Millis): void {
    this.#drop(({ until }) => now >= until);
  }

  get hasPast(): boolean {
    return this.#past.length > 0;
  }

  /** Overwrites all of it. */
  wipe(): void {
    this.#current?.secret.fill(0);
    this.#current = undefined;
    this.#drop(() => true);
  }

  #keep(epoch: Epoch, lent: boolean, now: Millis): void {
    this.#past.push({ epoch, until: millis(now + this.#keptMs), lent });
    if (this.#past.length > pastMax) this.#drop((past) => past === this.#past[0]);
  }

  #drop(isOver: (past: Past) => boolean): void {
    const over = this.#past.filter(isOver);
    for (const { epoch } of over) epoch.secret.fill(0);
    if (over.length > 0) this.#past = this.#past.filter((past) => !over.includes(past));
  }
}

/**
 * What one person seals and opens the room's papers with ([RM48]): words (notes, petitions) by the secret of the epoch, state and
 * events by that of the era, which only who was put out, or kept out, makes another.
 */
export class RoomSecrets {
  readonly words = new SecretRing(wordsKeptMs);
  readonly papers = new SecretRing(papersKeptMs);
  /** What the serials of passes are made of, with who may act for the room: 32 bytes. */
  #serials: Uint8Array | undefined;

  get serials(): Uint8Array | undefined {
    return this.#serials;
  }

  /** Takes a copy. */
  takeSerials(serials: Uint8Array): void {
    this.#serials?.fill(0);
    this.#serials = serials.slice();
  }

  get dueAt(): Millis | undefined {
    return earlier(this.words.dueAt, this.papers.dueAt);
  }

  forget(now: Millis): void {
    this.words.forget(now);
    this.papers.forget(now);
  }

  /** Overwrites all of it. */
  wipe(): void {
    this.words.wipe();
    this.papers.wipe();
    this.#serials?.fill(0);
  }
}

function isSame(left: Epoch, right: Epoch): boolean {
  return left.number === right.number && equal(left.secret, right.secret);
}

function copyOf({ number, secret }: Epoch): Epoch {
  return { number, secret: secret.slice() };
}
