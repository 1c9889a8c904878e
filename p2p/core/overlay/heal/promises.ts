import { type Millis, millis } from "../../../api/ids.ts";
import type { Deadline } from "../../machine.ts";
import { type ShortId, shortIdOf } from "../place/path.ts";
import type { Edge, Edges } from "../edge.ts";
import { encodePaper, type Paper } from "../news/papers.ts";

/** What was promised is looked through this often at most: a slot that is lent for a moment comes back. */
const lookMs = 1000;

/** What promises need of their room. */
export interface PromiseWires {
  slots(): { readonly used: number; readonly max: number } | undefined;
  reject(reason: string): void;
}

/**
 * Slots for whoever loses its parent ([OV52]). Who waits here in reserve says below whom it hangs, and is told whether a slot is
 * there for it: of those with one parent, who will all come at once, no more are told yes than there are slots.
 */
export class Promises {
  readonly #edges: Edges;
  readonly #wires: PromiseWires;
  /** Below whom each of those in reserve above us was told that we hang. */
  readonly #told = new WeakMap<Edge, ShortId>();
  #lookedAt: Millis | undefined;
  #dueAt: Millis | undefined;

  constructor(edges: Edges, wires: PromiseWires) {
    this.#edges = edges;
    this.#wires = wires;
  }

  /** Somebody in reserve here says below whom it hangs. */
  handleReserve(edge: Edge, { parent }: Extract<Paper, { kind: "reserve" }>, now: Millis): void {
    if (edge.direction !== "down" || edge.role !== "member") return this.#wires.reject("reserve");
    edge.fallsWith = parent;
    edge.kept = undefined;
    if (waitsFor(edge)) this.#answer(edge, this.#wanted().get(edge) === true, now);
  }

  /** Who is in reserve above us keeps a slot for us, or none. */
  handlePromise(edge: Edge, { kept }: Extract<Paper, { kind: "promise" }>): void {
    if (edge.direction !== "up") return this.#wires.reject("promise");
    edge.kept = kept;
  }

  /** Called after every change. */
  review(now: Millis): void {
    this.#tell(now);
    this.#dueAt = undefined;
    const changed = [...this.#wanted()].filter(([edge, kept]) => edge.kept !== kept);
    if (changed.length === 0) return;
    const dueAt = (this.#lookedAt ?? -Infinity) + lookMs;
    if (now < dueAt) {
      this.#dueAt = millis(dueAt);
      return;
    }
    this.#lookedAt = now;
    for (const [edge, kept] of changed) this.#answer(edge, kept, now);
  }

  deadline(): Deadline | undefined {
    return this.#dueAt === undefined ? undefined : { at: this.#dueAt, reason: "slots kept for others" };
  }

  /** Tells those in reserve above us below whom we hang. */
  #tell(now: Millis): void {
    const { parent, all } = this.#edges;
    for (const edge of all) {
      if (edge.direction !== "up" || edge.role !== "member" || !edge.welcomed) continue;
      if (edge.feed || !parent) {
        this.#told.delete(edge);
        edge.kept = undefined;
      } else if (!edge.away && this.#told.get(edge) !== shortIdOf(parent.peer)) {
        this.#told.set(edge, shortIdOf(parent.peer));
        edge.session.sendReliable(encodePaper({ kind: "reserve", parent: shortIdOf(parent.peer) }), now);
      }
    }
  }

  #answer(edge: Edge, kept: boolean, now: Millis): void {
    edge.kept = kept;
    edge.session.sendReliable(encodePaper({ kind: "promise", kept }), now);
  }

  /** Who in reserve here has a slot when all who hang below the same parent come: who was told so before is first. */
  #wanted(): Map<Edge, boolean> {
    const waiting = this.#edges.downs.filter(waitsFor);
    const wanted = new Map<Edge, boolean>();
    if (waiting.length === 0) return wanted;
    const slots = this.#wires.slots();
    const spare = slots ? slots.max - slots.used : 0;
    const left = new Map<ShortId | undefined, number>();
    for (const edge of [...waiting.filter(({ kept }) => kept), ...waiting.filter(({ kept }) => !kept)]) {
      const slotsLeft = left.get(edge.fallsWith) ?? spare;
      left.set(edge.fallsWith, slotsLeft - 1);
      wanted.set(edge, slotsLeft > 0);
    }
    return wanted;
  }
}

/** Whether it is in reserve here, and gets no media as yet. */
function waitsFor(edge: Edge): boolean {
  const idle = !edge.feed && edge.coverUntil === undefined && !edge.authority;
  return idle && edge.fallsWith !== undefined && edge.session.keepsPlace;
}
