import { equal } from "../../bytes.ts";
import type { Crypto } from "../../crypto.ts";
import { type Commit, confirmationOf } from "./commit.ts";
import { aadOf, grownKey, nonceOf, ratcheted } from "./tree.ts";

/** A member's part of the key tree: the keys from its leaf to the root. */
export class KeyPath {
  readonly #crypto: Crypto;
  readonly #leaf: number;
  /** By height. */
  #keys: Uint8Array[];

  /** `keys`: its own from now on. */
  constructor(crypto: Crypto, leaf: number, keys: readonly Uint8Array[]) {
    this.#crypto = crypto;
    this.#leaf = leaf;
    this.#keys = [...keys];
  }

  get rootKey(): Uint8Array {
    return this.#keys.at(-1) ?? new Uint8Array(32);
  }

  /**
   * Follows the tree by one commit: it grows, turns the keys above those who came, takes new keys in the place of those that
   * somebody took along. False, and unchanged, when that does not lead to the room's new key: this member was put out, or missed something.
   */
  follow(commit: Commit): boolean {
    const keys = this.#keys.map((key) => key.slice());
    const isRight = this.#follow(commit, keys);
    // What is of no use any more is overwritten: the keys before, or those that led nowhere.
    for (const key of isRight ? this.#keys : keys) key.fill(0);
    if (isRight) this.#keys = keys;
    return isRight;
  }

  wipe(): void {
    for (const key of this.#keys) key.fill(0);
    this.#keys = [];
  }

  /** Turns these keys into those of the commit; whether they are the room's. */
  #follow(commit: Commit, keys: Uint8Array[]): boolean {
    while (keys.length <= commit.height) keys.push(grownKey(this.#crypto, keys.at(-1) ?? new Uint8Array(32)));
    if (keys.length !== commit.height + 1) return false;
    for (let height = 1; height <= commit.height; height++) {
      const isShared = commit.joined.some((leaf) => leaf >> height === this.#leaf >> height);
      const key = keys[height];
      if (!isShared || !key) continue;
      keys[height] = ratcheted(this.#crypto, key);
      key.fill(0);
    }
    for (const { height, index, side, sealed } of commit.changes) {
      const isMine = index === this.#leaf >> height && side === ((this.#leaf >> (height - 1)) & 1);
      const key = isMine ? keys[height - 1] : undefined;
      if (!key) continue;
      const place = { epoch: commit.epoch, height, index, side };
      const fresh = this.#crypto.open(key, nonceOf(place), aadOf(place), sealed, 16);
      if (!fresh) return false;
      keys[height]?.fill(0);
      keys[height] = fresh;
    }
    const root = keys.at(-1);
    return root !== undefined && equal(confirmationOf(this.#crypto, root, commit.epoch), commit.confirmation);
  }
}
