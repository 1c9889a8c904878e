import { type Millis, millis } from "../../../api/ids.ts";
import type { RelayAddress } from "../../../api/link.ts";
import { type Frame, wishBits } from "../../session/frames.ts";
import { type Edge, takesSlot } from "../edge.ts";
import { encodePaper, type Paper } from "../news/papers.ts";
import type { Have } from "./ring.ts";
import type { Wish } from "./layers.ts";
import type { Spread } from "./spread.ts";

/** A cover that is not asked for again ends after this long: the child may have gone, or its last word been lost. */
const coverMs = 400;
/** Who is refused again so soon is not told of others again: to draw them is dear, and what is offered counts as taken for a while. */
const alternativesPauseMs = 1000;

/** What feeds need to know of the room. */
export interface FeedWires {
  /** Children with media over all rooms, and the volunteer's limit; undefined when this peer lends nothing. */
  slots(): { readonly used: number; readonly max: number } | undefined;
  /** Relays that have a slot. */
  alternatives(now: Millis): RelayAddress[];
  /** Whether somebody may be fed here as the tree stands. */
  mayFeed(edge: Edge): boolean;
  /** What this node wants for itself and everybody below it. */
  wish(): Wish;
}

/** Who gets media down which edge, and what a newcomer is sent again ([OV6], [OV8]). */
export class Feeds {
  readonly #spread: Spread;
  readonly #wires: FeedWires;
  /** When each neighbour was told of others that have a slot. */
  readonly #directedAt = new WeakMap<Edge, Millis>();

  constructor(spread: Spread, wires: FeedWires) {
    this.#spread = spread;
    this.#wires = wires;
  }

  /** What is asked for of whoever feeds us. */
  get wish(): Wish {
    return this.#wires.wish();
  }

  /** A neighbour below wants media, or no more. */
  change(edge: Edge, { on, quiet, wish, have }: Extract<Paper, { kind: "feed" }>, now: Millis): void {
    edge.session.quiet = quiet;
    edge.wish = wish;
    if (!on) {
      edge.feed = edge.session.feeds = false;
      return;
    }
    const slots = this.#wires.slots();
    const free = edge.role === "relay" || edge.authority || takesSlot(edge);
    // Whoever has waited here as a standby may take the slots that newcomers may not.
    const full = !slots || (!free && slots.used >= slots.max);
    if (full || !(edge.authority || this.#wires.mayFeed(edge))) return this.refuse(edge, now);
    edge.feed = edge.session.feeds = true;
    edge.coverUntil = undefined;
    this.answer(edge, have, now);
  }

  /** A neighbour that waits below wants media for a moment, or no more: its parent is silent ([OV40]). */
  lend(edge: Edge, { on, wish, have }: Extract<Frame, { kind: "cover" }>, now: Millis): void {
    if (!on || edge.feed) {
      edge.coverUntil = undefined;
      return;
    }
    const slots = this.#wires.slots();
    const free = edge.coverUntil !== undefined || edge.role === "relay" || edge.authority;
    const full = !slots || (!free && slots.used >= slots.max);
    if (full || !this.#wires.mayFeed(edge)) return this.refuse(edge, now);
    edge.wish = wish;
    edge.coverUntil = millis(now + coverMs);
    const packets = have.length > 0 ? this.#spread.replay(edge, have, now) : 0;
    // So that it hears at once that we live, and whether we wait ourselves.
    if (packets === 0) edge.session.sendTick(coverMs, now);
  }

  /** Asks a backup to cover, to go on with it (`renew`), or to stop. */
  cover(edge: Edge, on: boolean, now: Millis, renew = false): void {
    const wish = this.#wires.wish();
    const have = on && !renew ? this.#spread.ring.have(now) : [];
    edge.session.sendFast({ kind: "cover", on, wish, have }, now);
  }

  /** Sends again what a child lacks that names what it has. */
  answer(edge: Edge, have: readonly Have[], now: Millis): void {
    if (have.length === 0 && !edge.waits) return;
    edge.waits = false;
    const packets = this.#spread.replay(edge, have, now);
    edge.session.sendReliable(encodePaper({ kind: "replayed", packets }), now);
  }

  /** Asks the neighbour above for media, or for no more; with `quiet`, for as few bytes as can be. */
  ask(edge: Edge, on: boolean, now: Millis, quiet = false): void {
    edge.feed = on;
    edge.session.quiet = quiet;
    edge.wish = this.#wires.wish();
    const have = on ? this.#spread.ring.have(now) : [];
    edge.session.sendReliable(encodePaper({ kind: "feed", on, quiet, wish: edge.wish, have }), now);
  }

  /** There is no slot for a neighbour: it waits, and is told when it asks again and gets one ([OV8]). */
  refuse(edge: Edge, now: Millis): void {
    edge.waits = true;
    this.#spread.reject("refused-full");
    const last = this.#directedAt.get(edge);
    const isAgain = last !== undefined && now - last < alternativesPauseMs;
    if (!isAgain) this.#directedAt.set(edge, now);
    const alternatives = isAgain ? [] : this.#wires.alternatives(now);
    edge.session.sendReliable(encodePaper({ kind: "no-feed", alternatives }), now);
  }

  /** Tells the parent when what is wanted here is not what it was asked for ([OV17]). */
  settleWish(parent: Edge, now: Millis): void {
    const wish = this.#wires.wish();
    if (wishBits(wish) === wishBits(parent.wish)) return;
    parent.wish = wish;
    parent.session.sendReliable(encodePaper({ kind: "feed", on: true, quiet: false, wish, have: [] }), now);
  }
}
