import { type Millis, millis } from "../../../api/ids.ts";
import { limits } from "../../../api/limits.ts";
import { equal, toHex } from "../../bytes.ts";
import type { Crypto } from "../../crypto.ts";
import type { Capability } from "../rights/capability.ts";
import { type Epoch, eraSecret, firstEpoch, type KeyPair } from "../rights/keys.ts";
import {
  changesMax,
  type Commit,
  confirmationOf,
  epochConfirmation,
  joinedMax,
  type KeyMode,
  signCommit,
  treeSecret,
} from "./commit.ts";
import { isWithinReach } from "../rights/numbers.ts";
import type { BelievedEnrolment, KeyGrant } from "./enrolment.ts";
import { enrolmentIdBytes, insideProof, openEnrolment, sealGrant } from "./enrolment.ts";
import { openHandOver } from "./hand-over.ts";
import { heightMax, KeyTree } from "./tree.ts";

/** In a room whose keys are given, a new epoch for who came begins at most this often: each costs everybody a paper. */
const joinsEveryMs = 5_000;
/** And in a small one, where few come: nobody waits longer for the room to open. */
const joinsEveryMsSmall = 500;
const smallMax = 256;
/** And for who left: they held the keys anyhow until they went. */
const leavesEveryMs = 30_000;
/** Members of a keeper that is gone come to the new one within this time; until then its epoch goes on. */
const settleMs = 20_000;
/** Who is put out in one commit, each by two changes a level: what is more follows in the next, so that none is long or dear. */
const outMax = Math.floor(changesMax / (2 * heightMax));
/** Holders that are looked at in one piece when somebody was put out: about a millisecond. */
const sweptAtOnce = 200;
/** Who shows a later epoch, from a side of the room that grew apart, makes the keeper go beyond it: at most so often, and so far. */
const catchUpEveryMs = 20_000;
const catchUpMax = 1_024;
const seedBytes = 32;

/** So many places taken are more than people who are there: another tree is begun, at most so often. */
const renewSize = limits.keyLeavesMax / 8;
const renewEveryMs = 10 * 60_000;

/** What of a room the keeper of its keys knows. */
export interface KeeperRoom {
  readonly roomKey: Uint8Array;
  readonly secret: Uint8Array;
  readonly tag: Uint8Array;
}

/** Who may hold keys: not banned, invite alive, let in. */
export type MayHold = (identityKey: Uint8Array, chain: readonly Capability[]) => boolean;

/** Whom the keeper asks. */
export interface KeeperRules {
  readonly mayHold: MayHold;
  /** Somebody comes by this chain, whose own door has this key: whether an invite for one is theirs, from now on or before. */
  use(identityKey: Uint8Array, chain: readonly Capability[], door: Uint8Array, now: Millis): boolean;
  /** Whether somebody does not come in any more, unless they are in: the room is locked, or their link was replaced. */
  readonly isShut: MayHold;
  /** Whether somebody keeps the room: they are answered at once, for it may wait for them. */
  keepsRoom(identityKey: Uint8Array): boolean;
  /** Whether somebody shows the word of whoever kept the room that they were inside ([RM58]). */
  wasInside(enrolment: BelievedEnrolment, now: Millis): boolean;
  /** What is given with keys: the word that they are inside, and to who may act one day what serials are made of. */
  passFor(enrolment: BelievedEnrolment, now: Millis): Pick<KeyGrant, "pass" | "serials">;
  /** Somebody who may hold keys handed over the eras of the side of the room that they come from. */
  handedOver(enrolment: BelievedEnrolment, isInside: boolean, now: Millis): void;
  /** Eras that keepers handed over: who knows one of them was inside. */
  handed(): readonly Uint8Array[];
}

interface Holder {
  readonly leaf: number;
  readonly chain: readonly Capability[];
  readonly identityKey: Uint8Array;
  boxKey: Uint8Array;
  /** What they are given with their keys. */
  given: Pick<KeyGrant, "pass" | "serials">;
}

interface Waiting {
  readonly id: Uint8Array;
  readonly holder: Holder;
}

/** Where a keeper of given keys stopped: what an heir knows as a member, a host from its capsule. */
export interface KeyHistory extends Epoch {
  readonly era: Epoch;
}

/**
 * Keeps a room's keys for the acting authority ([RM41] to [RM45]): who holds which, what must be told to all, and what to one.
 * As long as nobody was put out of an open room its epoch is the invite's; members are given their places beforehand, so that
 * one paper is enough when it comes to that.
 */
export class EpochKeeper {
  readonly #crypto: Crypto;
  readonly #room: KeeperRoom;
  readonly #rules: KeeperRules;
  #tree: KeyTree;
  #treeId: Uint8Array;
  #renewedAt: Millis;
  /** Another tree was begun, and nobody was told yet. */
  #isUntold = false;
  #issuedAt = 0;
  readonly #box: KeyPair;
  readonly #holders = new Map<string, Holder>();
  /** Who came since the last commit, in a room whose keys are given. */
  #coming: Waiting[] = [];
  /** Who has left by itself, and who has been put out and is still to be told apart. */
  readonly #leaving = new Set<string>();
  readonly #out = new Set<string>();
  /** Who is still to be asked about since somebody was put out. */
  #sweep: Iterator<[string, Holder]> | undefined;
  /** A fresh epoch was asked for and is not there yet. */
  #isOwed = false;
  #mode: KeyMode;
  #epoch: Epoch;
  #era: Epoch;
  /** The next epoch is beyond this one. */
  #floor = 0;
  #caughtUpAt: Millis | undefined;
  #number = 0;
  #commit: Commit | undefined;
  #committedAt: Millis;
  #leavingSince: Millis | undefined;
  #settlesAt: Millis;

  /** `closed`: keys are given from the start. */
  constructor(
    crypto: Crypto,
    room: KeeperRoom,
    closed: boolean,
    rules: KeeperRules,
    history: KeyHistory | undefined,
    now: Millis,
  ) {
    this.#crypto = crypto;
    this.#room = room;
    this.#rules = rules;
    this.#tree = new KeyTree(crypto);
    this.#treeId = crypto.randomBytes(enrolmentIdBytes);
    const seed = crypto.randomBytes(seedBytes);
    this.#box = { seed, key: crypto.boxKey(seed) };
    this.#mode = history ? "tree" : "open";
    // Copies: they are overwritten when another leads, and the member goes on with its own.
    const { epoch, era } = history
      ? { epoch: copyOf(history), era: copyOf(history.era) }
      : firstEpoch(crypto, room.secret, room.tag);
    this.#epoch = epoch;
    this.#era = era;
    this.#committedAt = now;
    this.#renewedAt = now;
    this.#settlesAt = millis(history ? now + settleMs : now);
    if (closed && this.#mode === "open") this.#begin([], [], true);
  }

  /** The epoch in force; its low 8 bits stand in the view. */
  get epoch(): Epoch {
    return this.#epoch;
  }

  /** The era that it belongs to: state and events are sealed by it. */
  get era(): Epoch {
    return this.#era;
  }

  get mode(): KeyMode {
    return this.#mode;
  }

  /** Members who hold keys. */
  get size(): number {
    return this.#tree.size;
  }

  /** When something waits to be committed. */
  get dueAt(): Millis | undefined {
    if (this.#out.size > 0 || this.#sweep || this.#isUntold) return this.#committedAt;
    if (this.#mode === "open") return undefined;
    const everyMs = this.size <= smallMax ? joinsEveryMsSmall : joinsEveryMs;
    const joinsAt = this.#coming.length > 0 ? this.#committedAt + everyMs : Infinity;
    const leavesAt = this.#leavingSince === undefined ? Infinity : this.#leavingSince + leavesEveryMs;
    const at = Math.min(joinsAt, leavesAt);
    return at === Infinity ? undefined : millis(at);
  }

  /** The seed of a voice key that somebody handed over; undefined when it is none. */
  takeVoice(bytes: Uint8Array): Uint8Array | undefined {
    return openHandOver(this.#crypto, this.#room.roomKey, this.#treeId, this.#box.seed, bytes);
  }

  /** Takes an enrolment. What to send back at once, if anything. `refused`: it is no good, or may not hold keys. */
  take(bytes: Uint8Array, sessionSeed: Uint8Array, now: Millis): Uint8Array | "refused" | undefined {
    const enrolment = openEnrolment(this.#crypto, this.#room.roomKey, this.#treeId, this.#box.seed, bytes, now);
    if (!enrolment) return "refused";
    const answer = this.#answer(enrolment, bytes.slice(0, enrolmentIdBytes), sessionSeed, now);
    for (const { secret } of enrolment.eras) secret.fill(0);
    return answer;
  }

  #answer(
    enrolment: BelievedEnrolment,
    id: Uint8Array,
    sessionSeed: Uint8Array,
    now: Millis,
  ): Uint8Array | "refused" | undefined {
    const name = toHex(enrolment.identityKey);
    if (enrolment.wish === "leave") return this.#leave(name, now);
    if (!this.#rules.mayHold(enrolment.identityKey, enrolment.chain)) return "refused";
    const hasPass = this.#rules.wasInside(enrolment, now);
    if (enrolment.eras.length > 0) this.#rules.handedOver(enrolment, hasPass, now);
    const known = this.#holders.get(name);
    const mustBeInside = enrolment.isOver || this.#rules.isShut(enrolment.identityKey, enrolment.chain);
    const isShut = mustBeInside && !hasPass && !this.#isInside(enrolment);
    if (!known && this.size >= renewSize && now >= this.#renewedAt + renewEveryMs && !this.#isOwed) {
      this.#renew(now);
      return "refused";
    }
    if (!known && (this.#tree.isFull || isShut)) return "refused";
    if (!this.#rules.use(enrolment.identityKey, enrolment.chain, enrolment.door, now)) return "refused";
    this.#notice(enrolment, now);
    const isComing = !known || this.#coming.some((other) => other.holder === known);
    const isSettled =
      this.#mode === "open" || !isComing || now < this.#settlesAt || this.#rules.keepsRoom(enrolment.identityKey);
    // What is owed is not there yet: until then there is nothing to give.
    const isAtOnce = isSettled && !this.#isOwed;
    // Who is one too many has no place yet: with one it would pass for settled, and be given keys from before it came.
    if (!known && !isAtOnce && this.#coming.length >= joinedMax) return "refused";
    const given = this.#rules.passFor(enrolment, now);
    const holder = known ?? this.#seat(name, enrolment, given);
    holder.boxKey = enrolment.boxKey;
    holder.given = given;
    this.#leaving.delete(name);
    const waiting = { id, holder };
    if (isAtOnce) return this.#grant(waiting, sessionSeed);
    this.#coming = this.#coming.filter((other) => other.holder !== holder);
    if (this.#coming.length < joinedMax) this.#coming.push(waiting);
    return undefined;
  }

  /**
   * A fresh epoch without those who may hold keys no more ([RM44]): at once, or, where there are too many holders to look at in
   * one piece, by `runDue` in the next few. The view is to be issued after it.
   */
  rekey(now: Millis): void {
    this.#sweep = this.#holders.entries();
    this.#isOwed = true;
    this.#lookOn(now);
  }

  /** The room is further than we knew, from before a crash of ours: its members are given a fresh epoch beyond that one. */
  catchUp(epoch: number, now: Millis): void {
    const known = Math.max(this.#floor, this.#epoch.number);
    if (epoch > known && isWithinReach(known, epoch)) this.#goBeyond(epoch, now);
  }

  #goBeyond(epoch: number, now: Millis): void {
    this.#floor = epoch;
    this.#mode = "tree";
    this.#caughtUpAt = now;
    this.#settlesAt = millis(now + settleMs);
    this.#isOwed = true;
    this.#sweep ??= this.#holders.entries();
  }

  /** Commits what has waited long enough. True when there is a new epoch: the view is to be issued, then `granted` to be sent. */
  runDue(now: Millis): boolean {
    if (this.dueAt === undefined || now < this.dueAt) return false;
    if (this.#isUntold) {
      this.#isUntold = false;
      return true;
    }
    if (this.#sweep) return this.#lookOn(now);
    this.#next(now);
    return true;
  }

  /**
   * Begins another tree: who is there comes to it, as to another keeper, and who is not, or never was, holds no place any more
   * ([RM55]).
   */
  #renew(now: Millis): void {
    this.#tree.wipe();
    this.#tree = new KeyTree(this.#crypto);
    this.#treeId = this.#crypto.randomBytes(enrolmentIdBytes);
    this.#holders.clear();
    this.#leaving.clear();
    this.#leavingSince = undefined;
    this.#out.clear();
    this.#sweep = undefined;
    this.#coming = [];
    this.#number = 0;
    this.#commit = undefined;
    this.#renewedAt = now;
    this.#settlesAt = millis(now + settleMs);
    this.#isUntold = true;
  }

  /** Grants for those who came, once their commit is out. */
  granted(sessionSeed: Uint8Array): Uint8Array[] {
    const grants = this.#coming.flatMap((waiting) => this.#grant(waiting, sessionSeed) ?? []);
    this.#coming = [];
    return grants;
  }

  /** The commit in force, signed anew: to be told to everybody. */
  paper(session: KeyPair, now: Millis): Uint8Array {
    const issuedAt = millis(Math.max(Math.floor(now), this.#issuedAt + 1));
    this.#issuedAt = issuedAt;
    const commit = { ...(this.#commit ?? this.#plain()), sessionKey: session.key, issuedAt };
    this.#commit = commit;
    return signCommit(this.#crypto, session.seed, this.#room.tag, commit);
  }

  /** Overwrites every secret. */
  wipe(): void {
    this.#tree.wipe();
    this.#box.seed.fill(0);
    this.#epoch.secret.fill(0);
    this.#era.secret.fill(0);
    this.#holders.clear();
    this.#coming = [];
  }

  /** In mode open everybody with the invite knows the secret: it says nothing about who is in. */
  #isInside({ inside, boxKey }: BelievedEnrolment): boolean {
    const eras = this.#mode === "tree" ? [this.#era.secret, ...this.#rules.handed()] : [];
    return eras.some((secret) => equal(insideProof(this.#crypto, secret, this.#treeId, boxKey), inside));
  }

  /**
   * Who knows a later epoch, or another one of the same number, comes from a side of the room that grew apart, or knew us before a
   * crash: there is to be an epoch beyond both, or those would hear nothing of ours.
   */
  #notice(enrolment: BelievedEnrolment, now: Millis): void {
    const { number } = this.#epoch;
    const [era] = enrolment.eras;
    const isOther = enrolment.epoch === number && era !== undefined && !equal(era.secret, this.#era.secret);
    if (enrolment.epoch < Math.max(1, isOther ? number : number + 1) || enrolment.epoch > number + catchUpMax) return;
    if (this.#isOwed || (this.#caughtUpAt !== undefined && now < this.#caughtUpAt + catchUpEveryMs)) return;
    this.#goBeyond(enrolment.epoch, now);
  }

  #seat(name: string, { identityKey, chain, boxKey }: BelievedEnrolment, given: Holder["given"]): Holder {
    const holder = { leaf: this.#tree.add(), chain, identityKey, boxKey, given };
    this.#holders.set(name, holder);
    return holder;
  }

  #leave(name: string, now: Millis): undefined {
    if (!this.#holders.has(name)) return;
    this.#leaving.add(name);
    this.#leavingSince ??= now;
  }

  /** Looks at some holders; true when it came to a commit. */
  #lookOn(now: Millis): boolean {
    for (let looked = 0; this.#sweep && looked < sweptAtOnce; looked++) {
      const next = this.#sweep.next();
      if (next.done) this.#sweep = undefined;
      else if (!this.#rules.mayHold(next.value[1].identityKey, next.value[1].chain)) this.#out.add(next.value[0]);
    }
    // Whoever is found goes at once: the rest of the look may take a while.
    if (this.#out.size === 0 && (this.#sweep || !this.#isOwed)) return false;
    this.#next(now);
    return true;
  }

  /** One commit: who was put out first, who left as far as there is room, and everybody who came. */
  #next(now: Millis): void {
    const isFresh = this.#isOwed || this.#out.size > 0 || this.#leaving.size > 0;
    this.#isOwed = false;
    const names = [...this.#out, ...[...this.#leaving].filter((name) => !this.#out.has(name))].slice(0, outMax);
    const gone = names.flatMap((name) => this.#holders.get(name) ?? []);
    this.#coming = this.#coming.filter((waiting) => !gone.includes(waiting.holder));
    for (const name of names) {
      this.#holders.delete(name);
      this.#leaving.delete(name);
      this.#out.delete(name);
    }
    if (this.#leaving.size === 0) this.#leavingSince = undefined;
    const leaves = gone.map((holder) => holder.leaf);
    this.#begin(
      this.#coming.map((waiting) => waiting.holder.leaf),
      leaves,
      isFresh,
    );
    this.#committedAt = now;
  }

  /**
   * The next epoch: keys above who came are turned, keys that somebody took along are drawn anew. Where it is not for who came alone
   * (`isFresh`), the key at the top is drawn anew in any case, and another era begins.
   */
  #begin(joined: readonly number[], gone: readonly number[], isFresh: boolean): void {
    const number = Math.max(this.#floor, this.#epoch.number) + 1;
    this.#tree.ratchet(joined);
    const changes = gone.length === 0 ? [] : this.#tree.remove(gone, number);
    if (isFresh && gone.length === 0) changes.push(...this.#tree.refresh(number));
    this.#mode = "tree";
    const { rootKey, height } = this.#tree;
    this.#epoch.secret.fill(0);
    this.#epoch = { number, secret: treeSecret(this.#crypto, rootKey, this.#room.tag, number) };
    if (isFresh) {
      this.#era.secret.fill(0);
      this.#era = { number, secret: eraSecret(this.#crypto, this.#epoch.secret) };
    }
    const confirmation = confirmationOf(this.#crypto, rootKey, number);
    this.#number++;
    this.#commit = { ...this.#plain(), height, joined, changes, confirmation };
  }

  /** What there is to say when nothing has changed: where to enrol. */
  #plain(): Commit {
    return {
      sessionKey: this.#box.key,
      issuedAt: millis(this.#issuedAt),
      tree: this.#treeId,
      number: this.#number,
      epoch: this.#epoch.number,
      era: this.#era.number,
      mode: this.#mode,
      boxKey: this.#box.key,
      height: this.#tree.height,
      joined: [],
      changes: [],
      confirmation: epochConfirmation(this.#crypto, this.#epoch),
    };
  }

  #grant({ id, holder }: Waiting, sessionSeed: Uint8Array): Uint8Array | undefined {
    const { number, secret } = this.#epoch;
    const keys = this.#tree.pathOf(holder.leaf);
    const place = { number: this.#number, epoch: number, secret, era: this.#era, leaf: holder.leaf, keys };
    const grant = { ...place, ...holder.given };
    const sealed = sealGrant(this.#crypto, this.#treeId, id, sessionSeed, holder.boxKey, grant);
    for (const key of keys) key.fill(0);
    return sealed;
  }
}

function copyOf({ number, secret }: Epoch): Epoch {
  return { number, secret: secret.slice() };
}
