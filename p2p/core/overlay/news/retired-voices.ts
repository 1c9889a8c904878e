import type { Millis } from "../../../api/ids.ts";
import { limits } from "../../../api/limits.ts";
import { equal, toHex } from "../../bytes.ts";
import type { Crypto } from "../../crypto.ts";
import type { RelayView } from "../../room/state/view.ts";
import type { Edge } from "../edge.ts";
import { encodePaper, type Paper } from "./papers.ts";

/** Voice keys that views named lately and that are remembered: a full stage that changed four times. */
const formerMax = 4 * limits.voicesMax;

/** What the published keys need of the room they are posted in. */
export interface RetiredWires {
  reject(reason: string): void;
  /** To everybody, once, as notes go. */
  spread(paper: Paper, from: Edge | undefined, now: Millis): void;
}

/**
 * The private halves of voice keys that were let go, for everybody: whoever recorded a voice can have signed it as well as its
 * speaker ([RM63] to [RM65]). A seed proves itself, by its key; so whoever publishes it, nothing by that key is taken any more.
 */
export class RetiredVoices {
  readonly #crypto: Crypto;
  readonly #wires: RetiredWires;
  /** Voice keys that a view named, in hex, the newest last. */
  readonly #former = new Set<string>();
  /** Seeds by voice key, the newest last. */
  readonly #seeds = new Map<string, Uint8Array>();

  constructor(crypto: Crypto, wires: RetiredWires) {
    this.#crypto = crypto;
    this.#wires = wires;
  }

  /** Notes who may be heard. */
  takeView({ voices }: Pick<RelayView, "voices">): void {
    for (const { key } of voices) {
      const voice = toHex(key);
      this.#former.delete(voice);
      this.#former.add(voice);
    }
    for (const oldest of this.#former) {
      if (this.#former.size <= formerMax) break;
      this.#former.delete(oldest);
    }
  }

  /** Whether a view named this voice, as far as is remembered. */
  wasOnStage(voiceKey: Uint8Array): boolean {
    return this.#former.has(toHex(voiceKey));
  }

  /** Whether everybody can sign as this voice, by its key in hex. */
  has(voice: string): boolean {
    return this.#seeds.has(voice);
  }

  /** Tells everybody. */
  publish(seed: Uint8Array, now: Millis): void {
    if (this.#take(seed, false)) this.#wires.spread({ kind: "retired", seeds: [seed] }, undefined, now);
  }

  /** A neighbour tells of some: who comes is shown all, from below one at a time. */
  offer(seeds: readonly Uint8Array[], from: Edge, now: Millis): void {
    const isBelow = from.direction === "down";
    if (isBelow && seeds.length > 1) return this.#wires.reject("retired-many");
    const news = seeds.filter((seed) => this.#take(seed, !isBelow));
    if (news.length > 0) this.#wires.spread({ kind: "retired", seeds: news }, from, now);
  }

  /** Gives a neighbour that hangs below, or beside, all that are kept. */
  show(edge: Edge, now: Millis): void {
    if (edge.direction === "up" || this.#seeds.size === 0) return;
    edge.session.sendReliable(encodePaper({ kind: "retired", seeds: [...this.#seeds.values()] }), now);
  }

  /** `isFromAbove`: who has just come knows of no voice before, and believes as many as it keeps; they push nothing out. */
  #take(seed: Uint8Array, isFromAbove: boolean): boolean {
    if ([...this.#seeds.values()].some((known) => equal(known, seed))) return false;
    const voice = toHex(this.#crypto.publicKey(seed));
    const isKnown = this.#former.has(voice);
    if (!isKnown && !(isFromAbove && this.#seeds.size < limits.retiredVoicesMax)) {
      this.#wires.reject("retired-stranger");
      return false;
    }
    this.#seeds.set(voice, seed.slice());
    const [oldest] = this.#seeds.keys();
    if (oldest !== undefined && this.#seeds.size > limits.retiredVoicesMax) this.#seeds.delete(oldest);
    return true;
  }
}
