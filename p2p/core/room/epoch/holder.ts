import { type Millis, millis } from "../../../api/ids.ts";
import { equal } from "../../bytes.ts";
import { earlier } from "../../machine.ts";
import type { Crypto } from "../../crypto.ts";
import type { Capability } from "../rights/capability.ts";
import { type Epoch, epochSecret, eraSecret, type KeyPair } from "../rights/keys.ts";
import { type Commit, epochConfirmation, treeSecret } from "./commit.ts";
import { enrolmentIdBytes, erasMax, insideProof, notInside, openGrant, sealEnrolment } from "./enrolment.ts";
import { sealHandOver } from "./hand-over.ts";
import type { KeyHistory, KeeperRoom } from "./keeper.ts";
import type { SecretRing } from "./secrets.ts";
import { type Pass, passMs } from "../rights/pass.ts";
import { KeyPath } from "./path.ts";

/** Members enrol spread over this time where nothing hangs on it: a full room comes to its keeper 800 a second at most. */
const spreadMs = 10_000;
/** And over this where nothing is heard until it is answered. */
const hurryMs = 250;
/** Without an answer it is asked again after this, doubling. */
const repeatMs = 3_000;
const repeatMsMax = 60_000;
const seedBytes = 32;

/** Who holds. */
export interface HolderSelf {
  readonly identity: KeyPair;
  readonly door: Pick<KeyPair, "key">;
  readonly chain: readonly Capability[];
  /** What its papers were sealed by. */
  readonly papers: Pick<SecretRing, "own">;
  /** What it was given before. */
  readonly pass: Pass | undefined;
}

/**
 * A member's keys: the epoch that it can open, and its place in the keeper's tree ([RM41] to [RM45]). It follows each commit; what
 * it cannot follow, because it was away or the keeper is another one, it asks for anew.
 */
export class EpochHolder {
  readonly #crypto: Crypto;
  readonly #room: KeeperRoom;
  #self: HolderSelf;
  readonly #box: KeyPair;
  #commit: Commit | undefined;
  #path: KeyPath | undefined;
  /** The commit up to which the path is right. */
  #number = 0;
  #epoch: Epoch | undefined;
  #era: Epoch | undefined;
  /** Keys are given in this room: from then on the invite's secret is not gone back to, whoever says so. */
  #isGiven: boolean;
  #askAt: Millis | undefined;
  /** When to ask for another pass. */
  #renewAt: Millis | undefined;
  #repeatMs = repeatMs;
  #pass: Pass | undefined;

  /** `history`: what somebody who comes back knew before. */
  constructor(crypto: Crypto, room: KeeperRoom, self: HolderSelf, history?: KeyHistory) {
    this.#crypto = crypto;
    this.#room = room;
    this.#self = self;
    const seed = crypto.randomBytes(seedBytes);
    this.#box = { seed, key: crypto.boxKey(seed) };
    this.#isGiven = history !== undefined;
    this.#pass = self.pass;
    if (!history) return;
    this.#epoch = { number: history.number, secret: history.secret.slice() };
    this.#era = { number: history.era.number, secret: history.era.secret.slice() };
  }

  /** The same person, by another invite. */
  reseat(chain: readonly Capability[]): void {
    this.#self = { ...this.#self, chain };
  }

  /**
   * Goes on as a member with what it knew as a keeper: its place, if it has one, is another keeper's to give, whose epoch may be
   * another one of the same number.
   */
  resume({ number, secret, era }: KeyHistory): void {
    this.#isGiven = true;
    this.#path?.wipe();
    this.#path = undefined;
    this.#commit = undefined;
    this.#advance({ number, secret: secret.slice() }, { number: era.number, secret: era.secret.slice() });
  }

  /** The newest epoch whose secret is known here. */
  get epoch(): Epoch | undefined {
    return this.#epoch;
  }

  /** The era that it belongs to. */
  get era(): Epoch | undefined {
    return this.#era;
  }

  /** What whoever takes given keys over goes on from. */
  get history(): KeyHistory | undefined {
    return this.#isGiven && this.#epoch && this.#era ? { ...this.#epoch, era: this.#era } : undefined;
  }

  /** The epoch that the room is in, whether its secret is known here or not. */
  get roomEpoch(): number {
    return Math.max(this.#commit?.epoch ?? 0, this.#epoch?.number ?? 0);
  }

  /** The word that it was inside; undefined before keys were given. */
  get pass(): Pass | undefined {
    return this.#pass;
  }

  get isEnrolled(): boolean {
    return this.#path !== undefined;
  }

  /** When to ask for keys next. */
  get askAt(): Millis | undefined {
    return earlier(this.#askAt, this.#renewAt);
  }

  /** Asks soon for what only whoever keeps the keys can say, though it holds its own. */
  askAgain(now: Millis): void {
    if (this.#path && this.#askAt === undefined) this.#askSoon(hurryMs, now);
  }

  /** Takes a commit that the room's session signed. True when there is another epoch. */
  takeCommit(commit: Commit, now: Millis): boolean {
    const before = this.#commit;
    this.#commit = commit;
    const isSameTree = before !== undefined && equal(before.tree, commit.tree);
    const known = this.#epoch;
    if (commit.mode === "open") {
      if (!isSameTree) this.#loseAndAsk(spreadMs, now);
      if (this.#isGiven) return false;
      const secret = this.#openSecret(commit.epoch);
      return this.#advance(
        { number: commit.epoch, secret },
        { number: commit.era, secret: eraSecret(this.#crypto, secret) },
      );
    }
    this.#isGiven = true;
    if (isSameTree && this.#path && commit.number <= this.#number) return false;
    if (isSameTree && this.#path && commit.number === this.#number + 1 && this.#path.follow(commit)) {
      this.#number = commit.number;
      const epoch = this.#madeBy(this.#path, commit.epoch);
      return this.#advance(epoch, this.#eraOf(commit, epoch, this.#era));
    }
    // Another keeper that goes on with the epoch we have: there is time to come to it.
    const goesOn = known?.number === commit.epoch && equal(epochConfirmation(this.#crypto, known), commit.confirmation);
    this.#loseAndAsk(goesOn ? spreadMs : hurryMs, now);
    return false;
  }

  /**
   * Takes a grant that came for us; `serials` is told what of those it holds. True when there is another epoch; undefined when it
   * is none of ours, or no good.
   */
  takeGrant(
    bytes: Uint8Array,
    now: Millis,
    serials: (given: Uint8Array) => void = () => undefined,
  ): boolean | undefined {
    const commit = this.#commit;
    const grant = commit && openGrant(this.#crypto, commit, this.#box, bytes);
    if (!commit || !grant) return undefined;
    this.#pass = grant.pass;
    this.#renewAt = millis(now + passMs / 2);
    if (grant.serials) serials(grant.serials);
    grant.serials?.fill(0);
    if (this.#path && grant.number <= this.#number) {
      this.#askAt = undefined;
      return false;
    }
    const path = new KeyPath(this.#crypto, grant.leaf, grant.keys);
    let epoch: Epoch = { number: grant.epoch, secret: grant.secret };
    let era: Epoch | undefined = grant.era;
    let { number } = grant;
    // The next commit may have overtaken the grant; more than one is asked about anew.
    if (commit.number === number + 1 && path.follow(commit)) {
      number = commit.number;
      epoch = this.#madeBy(path, commit.epoch);
      era = this.#eraOf(commit, epoch, era);
    }
    if (number < commit.number) return false;
    this.#path?.wipe();
    this.#path = path;
    this.#number = number;
    this.#askAt = undefined;
    return this.#advance(epoch, era);
  }

  /** The enrolment to send now, if it is time for one. */
  enrol(now: Millis): Uint8Array | undefined {
    const { askAt } = this;
    if (!this.#commit || askAt === undefined || now < askAt) return undefined;
    this.#renewAt = undefined;
    this.#askAt = millis(now + this.#repeatMs);
    this.#repeatMs = Math.min(repeatMsMax, 2 * this.#repeatMs);
    return this.#sealed("hold");
  }

  /** A voice key of ours that was let go, for whoever keeps the room. */
  handOver(voiceSeed: Uint8Array): Uint8Array | undefined {
    return this.#commit && sealHandOver(this.#crypto, this.#room.roomKey, this.#commit, voiceSeed);
  }

  /** The word that we leave, where it makes a difference. */
  leave(): Uint8Array | undefined {
    return this.#commit?.mode === "tree" ? this.#sealed("leave") : undefined;
  }

  /** Overwrites every secret. */
  wipe(): void {
    this.#path?.wipe();
    this.#path = undefined;
    this.#box.seed.fill(0);
    this.#epoch?.secret.fill(0);
    this.#era?.secret.fill(0);
    this.#askAt = this.#renewAt = undefined;
  }

  #sealed(wish: "hold" | "leave"): Uint8Array | undefined {
    if (!this.#commit) return undefined;
    const { identity, door, chain, papers } = this.#self;
    const id = this.#crypto.randomBytes(enrolmentIdBytes);
    const boxKey = this.#box.key;
    const era = this.#isGiven ? this.#era : undefined;
    const eras = era ? papers.own.filter(({ number }) => number > 0).slice(0, erasMax) : [];
    const inside = era ? insideProof(this.#crypto, era.secret, this.#commit.tree, boxKey) : notInside;
    const shown = { door: door.key, inside, pass: this.#pass, chain };
    const enrolment = { wish, boxKey, epoch: this.#epoch?.number ?? 0, eras, ...shown };
    return sealEnrolment(this.#crypto, this.#room.roomKey, id, this.#commit, identity.seed, enrolment);
  }

  #madeBy(path: KeyPath, number: number): Epoch {
    return { number, secret: treeSecret(this.#crypto, path.rootKey, this.#room.tag, number) };
  }

  #openSecret(number: number): Uint8Array {
    return epochSecret(this.#crypto, this.#room.secret, this.#room.tag, number);
  }

  /** The era of a commit's epoch: one that begins with it, or the one before, which goes on. */
  #eraOf(commit: Commit, epoch: Epoch, before: Epoch | undefined): Epoch | undefined {
    if (commit.era === epoch.number) return { number: commit.era, secret: eraSecret(this.#crypto, epoch.secret) };
    return before?.number === commit.era ? before : undefined;
  }

  /** Epochs only count up, whatever an authority says. What is not in force any more is overwritten: whoever uses it has a copy. */
  #advance(epoch: Epoch, era: Epoch | undefined): boolean {
    const isNew = era !== undefined && (!this.#epoch || epoch.number > this.#epoch.number);
    const [oldEpoch, oldEra] = isNew ? [this.#epoch, this.#era] : [epoch, era];
    oldEpoch?.secret.fill(0);
    if (oldEra !== (isNew ? era : this.#era)) oldEra?.secret.fill(0);
    if (!isNew) return false;
    this.#epoch = epoch;
    this.#era = era;
    return true;
  }

  #loseAndAsk(withinMs: number, now: Millis): void {
    this.#path?.wipe();
    this.#path = undefined;
    this.#number = 0;
    this.#askSoon(withinMs, now);
  }

  #askSoon(withinMs: number, now: Millis): void {
    this.#repeatMs = repeatMs;
    const random = ((this.#crypto.randomBytes(1)[0] ?? 0) + 1) / 256;
    this.#askAt = millis(now + random * withinMs);
  }
}
