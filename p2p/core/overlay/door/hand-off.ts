import { type Millis, millis, type PeerId } from "../../../api/ids.ts";
import { slotsFree } from "./admission.ts";
import type { Advert } from "../directory/advert.ts";
import { roundTripBetween } from "../place/coordinate.ts";
import type { Deadline } from "../../machine.ts";
import type { Edge, Edges } from "../edge.ts";
import { encodePaper } from "../news/papers.ts";

/** A child that was handed on has so long to dial and to be fed; then another is asked. */
const handedMs = 8000;
/** Children on their way to somebody else at once: a crowd that comes in needs their slots within the time of a dial. */
const handedMax = 16;
/** A parent's word for somebody who is about to come holds so long, and for so many. */
const expectedMs = 10_000;
const expectedMax = 16;
/** Leaves looked at to choose one: more would cost more than the choice is worth. */
const consideredMax = 6;

/** What hand-offs need of their room. */
export interface HandOffWires {
  slots(): { readonly used: number; readonly max: number } | undefined;
  /** Slots that are kept for whoever comes in next. */
  guests(): number;
  /** A place for a child, by the directory; undefined when there is none. */
  placeFor(child: Edge, now: Millis): Advert | undefined;
  random(): number;
  reject(reason: string): void;
}

/**
 * Makes room for those who lend by handing leaves on to them ([OV22]): the leaf is told where to, the one it goes to is told
 * that it comes, and the old parent feeds it until it says that it needs no more.
 */
export class HandOffs {
  readonly #edges: Edges;
  readonly #wires: HandOffWires;
  /** Children on their way, and until when. */
  readonly #handed = new Map<Edge, Millis>();
  /** Who is about to come, by our parent's word. */
  readonly #expected = new Map<PeerId, Millis>();

  constructor(edges: Edges, wires: HandOffWires) {
    this.#edges = edges;
    this.#wires = wires;
  }

  /** Whether somebody is on the way from here to somebody else. */
  get isBusy(): boolean {
    return this.#handed.size > 0;
  }

  /** Our parent says that somebody comes. Nobody else's word counts. */
  expect(from: Edge, peer: PeerId, now: Millis): void {
    if (from !== this.#edges.parent) return this.#wires.reject("expect");
    this.#expected.set(peer, millis(now + expectedMs));
    for (const oldest of this.#expected.keys()) {
      if (this.#expected.size <= expectedMax) break;
      this.#expected.delete(oldest);
    }
  }

  /** Takes the parent's word for somebody, once: it may have a slot that newcomers may not. */
  redeem(peer: PeerId, now: Millis): boolean {
    const until = this.#expected.get(peer) ?? 0;
    this.#expected.delete(peer);
    return until > now;
  }

  /** Called after every change: while slots are short here, leaves are handed on. */
  review(now: Millis): void {
    for (const [edge, until] of this.#handed) {
      if (until <= now || !edge.feed || !this.#edges.all.includes(edge)) this.#handed.delete(edge);
    }
    let lacking = this.#lacking() - this.#handed.size;
    while (lacking-- > 0 && this.#handed.size < handedMax && this.#handOne(now));
  }

  deadline(): Deadline | undefined {
    if (this.#handed.size === 0) return undefined;
    return { at: millis(Math.min(...this.#handed.values())), reason: "a child that was handed on" };
  }

  /** Children in slots that should be free: those kept for rescue, and at a relay of the room for newcomers. */
  #lacking(): number {
    const slots = this.#wires.slots();
    if (!slots || slots.max === 0) return 0;
    return slots.used + this.#wires.guests() - slotsFree(0, slots.max);
  }

  /** Hands one of a few leaves on: the one to whom it makes the least difference. */
  #handOne(now: Millis): boolean {
    const leaves = this.#edges.downs.filter((edge) => isLeaf(edge) && !this.#handed.has(edge));
    let best: { leaf: Edge; to: Advert; costMs: number } | undefined;
    for (let tries = 0; tries < consideredMax && leaves.length > 0; tries++) {
      const [leaf] = leaves.splice(Math.floor(this.#wires.random() * leaves.length), 1);
      const to = leaf && this.#wires.placeFor(leaf, now);
      if (!leaf || !to) continue;
      const costMs = to.rootDelayMs + roundTripBetween(to.coordinate, leaf.coordinate) / 2;
      if (!best || costMs < best.costMs) best = { leaf, to, costMs };
    }
    if (!best) return false;
    this.#hand(best.leaf, best.to, now);
    return true;
  }

  #hand(leaf: Edge, to: Advert, now: Millis): void {
    this.#handed.set(leaf, millis(now + handedMs));
    const host = this.#edges.downs.find((edge) => edge.peer === to.peer && edge.feed);
    if (host) host.session.sendReliable(encodePaper({ kind: "expect", peer: leaf.peer }), now);
    leaf.session.sendReliable(encodePaper({ kind: "hand-off", advert: to }), now);
  }
}

/** Whether it lends nothing, and can be asked to hang elsewhere. */
function isLeaf(edge: Edge): boolean {
  return edge.feed && edge.role === "member" && !edge.authority && !edge.advert && edge.session.keepsPlace;
}
