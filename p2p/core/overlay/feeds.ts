import type { Millis } from "../../api/ids.ts";
import type { RelayAddress } from "../../api/link.ts";
import type { Edge } from "./edge.ts";
import { encodePaper, type Paper } from "./papers.ts";
import type { Have } from "./ring.ts";
import type { Wish } from "./layers.ts";
import type { Spread } from "./spread.ts";

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

  constructor(spread: Spread, wires: FeedWires) {
    this.#spread = spread;
    this.#wires = wires;
  }

  /** A neighbour below wants media, or no more. */
  change(edge: Edge, { on, quiet, wish, have }: Extract<Paper, { kind: "feed" }>, now: Millis): void {
    edge.session.quiet = quiet;
    edge.wish = wish;
    if (!on) {
      edge.feed = false;
      return;
    }
    const slots = this.#wires.slots();
    const free = edge.role === "relay" || edge.authority || edge.feed;
    // Whoever has waited here as a standby may take the slots that newcomers may not.
    if (!slots || !(edge.authority || this.#wires.mayFeed(edge)) || (!free && slots.used >= slots.max)) {
      edge.session.sendReliable(encodePaper({ kind: "no-feed", alternatives: this.#wires.alternatives(now) }), now);
      return;
    }
    edge.feed = true;
    this.answer(edge, have, now);
  }

  /** Sends again what a child lacks that names what it has. */
  answer(edge: Edge, have: readonly Have[], now: Millis): void {
    if (have.length === 0) return;
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

  /** Tells the parent when what is wanted here is not what it was asked for ([OV17]). */
  settleWish(parent: Edge, now: Millis): void {
    const wish = this.#wires.wish();
    if (wish.layers === parent.wish.layers && wish.prompt === parent.wish.prompt) return;
    parent.wish = wish;
    parent.session.sendReliable(encodePaper({ kind: "feed", on: true, quiet: false, wish, have: [] }), now);
  }
}
