import { limits } from "../../../api/limits.ts";
import { assert } from "../../assert.ts";
import { ByteWriter, concat } from "../../bytes.ts";
import type { Crypto } from "../../crypto.ts";
import { encodeUtf8 } from "../../utf8.ts";

const growLabel = encodeUtf8("teahouse tree grows 1");
const ratchetLabel = encodeUtf8("teahouse tree ratchet 1");
const changeLabel = encodeUtf8("teahouse tree change 1");
const keyBytes = 32;
const indexLimit = 2 ** 16;
/** A tree of so many levels above its leaves has room for `limits.keyLeavesMax`. */
export const heightMax = Math.log2(limits.keyLeavesMax);
/** A key of 32 bytes with its tag. */
export const changeSealedBytes = keyBytes + 16;

/** A node's new key, for those below one of its two sides. */
export interface Change {
  /** 1 is a parent of two leaves. */
  readonly height: number;
  /** Among the nodes of its height. */
  readonly index: number;
  readonly side: 0 | 1;
  readonly sealed: Uint8Array;
}

/** What a change is sealed with beside the key of the side it is for: never twice the same under one key, for epochs count up. */
export interface ChangePlace {
  readonly epoch: number;
  readonly height: number;
  readonly index: number;
  readonly side: 0 | 1;
}

/**
 * The keys of a room's members as a binary tree, after Wong, Gouda and Lam's key graphs and LKH (RFC 2627, 5.4): each member
 * holds the keys from its leaf to the root, and the root's key makes the epoch's secret. To put somebody out, each key that
 * it held is drawn anew and sealed under what its children hold: two for each level, whatever the room's size ([RM42]).
 */
export class KeyTree {
  readonly #crypto: Crypto;
  readonly #keys = new Map<number, Uint8Array>();
  /** Members below each node that has any. */
  readonly #below = new Map<number, number>();
  readonly #free: number[] = [];
  #next = 0;
  /** Of the root. A tree of one level has two leaves. */
  height = 1;

  constructor(crypto: Crypto) {
    this.#crypto = crypto;
    this.#keys.set(nodeOf(1, 0), crypto.randomBytes(keyBytes));
  }

  get size(): number {
    return this.#below.get(nodeOf(this.height, 0)) ?? 0;
  }

  get isFull(): boolean {
    return this.size >= limits.keyLeavesMax;
  }

  get rootKey(): Uint8Array {
    const key = this.#keys.get(nodeOf(this.height, 0));
    assert(key !== undefined, "a root has a key");
    return key;
  }

  /** Takes somebody in. Nobody needs to be told, as long as what the keys protected before may be read by who comes. */
  add(): number {
    assert(!this.isFull, "a leaf is free");
    const leaf = this.#free.pop() ?? this.#next++;
    while (leaf >> this.height > 0) this.#grow();
    for (let height = 0; height <= this.height; height++) {
      const node = nodeOf(height, leaf >> height);
      if (!this.#keys.has(node)) this.#keys.set(node, this.#crypto.randomBytes(keyBytes));
      this.#below.set(node, (this.#below.get(node) ?? 0) + 1);
    }
    return leaf;
  }

  /** The keys of a member from its leaf to the root: copies, to be sealed to it. */
  pathOf(leaf: number): Uint8Array[] {
    const keys: Uint8Array[] = [];
    for (let height = 0; height <= this.height; height++) {
      const key = this.#keys.get(nodeOf(height, leaf >> height));
      assert(key !== undefined, "a member's path has keys");
      keys.push(key.slice());
    }
    return keys;
  }

  /** Turns the keys above these leaves one way, so that who sits there reads nothing from before. */
  ratchet(leaves: readonly number[]): void {
    for (const node of this.#above(leaves)) {
      const key = this.#keys.get(node);
      if (!key) continue;
      this.#keys.set(node, ratcheted(this.#crypto, key));
      key.fill(0);
    }
  }

  /** Puts members out: every key they held is gone, and who stays is told the new ones. */
  remove(leaves: readonly number[], epoch: number): Change[] {
    for (const leaf of leaves) this.#cut(leaf);
    const stale = [...this.#above(leaves)].sort((a, b) => a - b);
    const changes: Change[] = [];
    for (const node of stale) {
      const isRoot = node === nodeOf(this.height, 0);
      if (!this.#below.has(node) && !isRoot) this.#drop(node);
      else changes.push(...this.#renew(node, epoch));
    }
    return changes;
  }

  /** A new key at the top alone: nobody came or went. */
  refresh(epoch: number): Change[] {
    return this.#renew(nodeOf(this.height, 0), epoch);
  }

  /** Overwrites every key. */
  wipe(): void {
    for (const key of this.#keys.values()) key.fill(0);
    this.#keys.clear();
  }

  #grow(): void {
    assert(this.height < heightMax, "a tree within its limit");
    const root = nodeOf(this.height, 0);
    this.height++;
    const grown = nodeOf(this.height, 0);
    const below = this.#below.get(root);
    const key = this.#keys.get(root);
    assert(key !== undefined, "a root has a key");
    this.#keys.set(grown, grownKey(this.#crypto, key));
    if (below !== undefined) this.#below.set(grown, below);
  }

  #drop(node: number): void {
    this.#keys.get(node)?.fill(0);
    this.#keys.delete(node);
  }

  #cut(leaf: number): void {
    const node = nodeOf(0, leaf);
    assert(this.#keys.has(node), "a leaf that is taken");
    this.#drop(node);
    this.#free.push(leaf);
    for (let height = 0; height <= this.height; height++) {
      const above = nodeOf(height, leaf >> height);
      const left = (this.#below.get(above) ?? 0) - 1;
      if (left > 0) this.#below.set(above, left);
      else this.#below.delete(above);
    }
  }

  /** Draws a node's key anew and seals it for each side that has somebody. Children first: they may be new too. */
  #renew(node: number, epoch: number): Change[] {
    const height = Math.floor(node / indexLimit);
    const index = node % indexLimit;
    const fresh = this.#crypto.randomBytes(keyBytes);
    this.#keys.get(node)?.fill(0);
    this.#keys.set(node, fresh);
    const changes: Change[] = [];
    for (const side of [0, 1] as const) {
      const child = nodeOf(height - 1, 2 * index + side);
      const key = this.#below.has(child) ? this.#keys.get(child) : undefined;
      if (!key) continue;
      const place = { epoch, height, index, side };
      const sealed = this.#crypto.seal(key, nonceOf(place), aadOf(place), fresh, 16);
      changes.push({ height, index, side, sealed });
    }
    return changes;
  }

  /** Every node above these leaves, once. */
  #above(leaves: readonly number[]): Set<number> {
    const nodes = new Set<number>();
    for (const leaf of leaves) {
      for (let height = 1; height <= this.height; height++) nodes.add(nodeOf(height, leaf >> height));
    }
    return nodes;
  }
}

/** Leaves first, then level by level. */
function nodeOf(height: number, index: number): number {
  return height * indexLimit + index;
}

/** The key of a root above the one that was: who held that one knows it. */
export function grownKey(crypto: Crypto, key: Uint8Array): Uint8Array {
  return crypto.hkdf(key, growLabel, keyBytes);
}

/** The key that follows; nothing leads back. */
export function ratcheted(crypto: Crypto, key: Uint8Array): Uint8Array {
  return crypto.hkdf(key, ratchetLabel, keyBytes);
}

/** 12 bytes, unlike for any two changes sealed under one key. */
export function nonceOf({ epoch, height, index, side }: ChangePlace): Uint8Array {
  return new ByteWriter().u48(epoch).u8(height).u16(index).u8(side).u16(0).finish();
}

/** Binds a change to its place. */
export function aadOf(place: ChangePlace): Uint8Array {
  return concat(changeLabel, nonceOf(place));
}
