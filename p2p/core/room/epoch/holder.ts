import { type Millis, millis } from "../../../api/ids.ts";
import { equal } from "../../bytes.ts";
import type { Crypto } from "../../crypto.ts";
import type { Capability } from "../rights/capability.ts";
import { type Epoch, epochSecret, type KeyPair } from "../rights/keys.ts";
import { type Commit, treeSecret } from "./commit.ts";
import { enrolmentIdBytes, insideProof, notInside, openGrant, sealEnrolment } from "./enrolment.ts";
import type { KeyHistory, KeeperRoom } from "./keeper.ts";
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
  readonly chain: readonly Capability[];
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
  #askAt: Millis | undefined;
  #repeatMs = repeatMs;

  constructor(crypto: Crypto, room: KeeperRoom, self: HolderSelf) {
    this.#crypto = crypto;
    this.#room = room;
    this.#self = self;
    const seed = crypto.randomBytes(seedBytes);
    this.#box = { seed, key: crypto.boxKey(seed) };
  }

  /** The same person, by another invite. */
  reseat(chain: readonly Capability[]): void {
    this.#self = { ...this.#self, chain };
  }

  /** The newest epoch whose secret is known here. */
  get epoch(): Epoch | undefined {
    return this.#epoch;
  }

  /** What whoever takes the keys over goes on from. */
  get history(): KeyHistory | undefined {
    return this.#commit && this.#epoch && { ...this.#epoch, mode: this.#commit.mode };
  }

  /** The epoch that the room is in, whether its secret is known here or not. */
  get roomEpoch(): number {
    return this.#commit?.epoch ?? 0;
  }

  get isEnrolled(): boolean {
    return this.#path !== undefined;
  }

  /** When to ask for keys next. */
  get askAt(): Millis | undefined {
    return this.#askAt;
  }

  /** Takes a commit that the room's session signed. True when there is another epoch. */
  takeCommit(commit: Commit, now: Millis): boolean {
    const before = this.#commit;
    this.#commit = commit;
    const isSameTree = before !== undefined && equal(before.tree, commit.tree);
    const known = this.#epoch;
    if (commit.mode === "open") {
      if (!isSameTree) this.#loseAndAsk(spreadMs, now);
      return this.#advance({ number: commit.epoch, secret: this.#openSecret(commit.epoch) });
    }
    if (isSameTree && this.#path && commit.number <= this.#number) return false;
    if (isSameTree && this.#path && commit.number === this.#number + 1 && this.#path.follow(commit)) {
      this.#number = commit.number;
      return this.#advance(this.#madeBy(this.#path, commit.epoch));
    }
    // Another keeper that goes on with the epoch we have: there is time to come to it.
    this.#loseAndAsk(known?.number === commit.epoch ? spreadMs : hurryMs, now);
    return false;
  }

  /** Takes a grant that came for us. True when there is another epoch; undefined when it is none of ours, or no good. */
  takeGrant(bytes: Uint8Array): boolean | undefined {
    const commit = this.#commit;
    const grant = commit && openGrant(this.#crypto, commit, this.#box, bytes);
    if (!commit || !grant) return undefined;
    if (this.#path && grant.number <= this.#number) return false;
    const path = new KeyPath(this.#crypto, grant.leaf, grant.keys);
    let epoch: Epoch = { number: grant.epoch, secret: grant.secret };
    let { number } = grant;
    // The next commit may have overtaken the grant; more than one is asked about anew.
    if (commit.number === number + 1 && path.follow(commit)) {
      number = commit.number;
      epoch = this.#madeBy(path, commit.epoch);
    }
    if (number < commit.number) return false;
    this.#path?.wipe();
    this.#path = path;
    this.#number = number;
    this.#askAt = undefined;
    return this.#advance(epoch);
  }

  /** The enrolment to send now, if it is time for one. */
  enrol(now: Millis): Uint8Array | undefined {
    if (!this.#commit || this.#askAt === undefined || now < this.#askAt) return undefined;
    this.#askAt = millis(now + this.#repeatMs);
    this.#repeatMs = Math.min(repeatMsMax, 2 * this.#repeatMs);
    return this.#sealed("hold");
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
    this.#askAt = undefined;
  }

  #sealed(wish: "hold" | "leave"): Uint8Array | undefined {
    if (!this.#commit) return undefined;
    const { identity, chain } = this.#self;
    const id = this.#crypto.randomBytes(enrolmentIdBytes);
    const boxKey = this.#box.key;
    const inside = this.#epoch ? insideProof(this.#crypto, this.#epoch.secret, this.#commit.tree, boxKey) : notInside;
    const enrolment = { wish, boxKey, inside, chain };
    return sealEnrolment(this.#crypto, this.#room.roomKey, id, this.#commit, identity.seed, enrolment);
  }

  #madeBy(path: KeyPath, number: number): Epoch {
    return { number, secret: treeSecret(this.#crypto, path.rootKey, this.#room.tag, number) };
  }

  #openSecret(number: number): Uint8Array {
    return epochSecret(this.#crypto, this.#room.secret, this.#room.tag, number);
  }

  /** Epochs only count up, whatever an authority says. */
  #advance(epoch: Epoch): boolean {
    if (this.#epoch && epoch.number <= this.#epoch.number) return false;
    this.#epoch = epoch;
    return true;
  }

  #loseAndAsk(withinMs: number, now: Millis): void {
    this.#path?.wipe();
    this.#path = undefined;
    this.#number = 0;
    this.#repeatMs = repeatMs;
    const random = ((this.#crypto.randomBytes(1)[0] ?? 0) + 1) / 256;
    this.#askAt = millis(now + random * withinMs);
  }
}
