import { type DialId, type Millis, millis, type PeerId } from "../../../api/ids.ts";
import type { Deadline } from "../../machine.ts";
import type { Edge } from "../edge.ts";

/** A data channel that failed or fell silent is tried again after this long. */
const retryMs = 10_000;

/** Gives the edges that carry media down to us a data channel beside their stream ([SS7]). */
export class Datagrams {
  readonly #upgrade: ((remote: PeerId) => DialId) | undefined;
  readonly #dials = new Map<DialId, Edge>();
  readonly #due = new Map<Edge, Millis>();

  /** `upgrade` asks for a channel; undefined where the profile has none. */
  constructor(upgrade: ((remote: PeerId) => DialId) | undefined) {
    this.#upgrade = upgrade;
  }

  /** Asks for a channel now, when the edge should have one. */
  start(edge: Edge): void {
    this.#due.delete(edge);
    if (this.#upgrade && this.#wants(edge)) this.#dials.set(this.#upgrade(edge.peer), edge);
  }

  /** Asks again for channels that are due, and plans those that got lost. */
  handleTimeout(edges: readonly Edge[], now: Millis): void {
    // A channel may fail after its edge has gone: what is due for nobody would wake us without end.
    for (const edge of this.#due.keys()) if (!edges.includes(edge)) this.#due.delete(edge);
    for (const edge of edges) {
      const due = this.#due.get(edge);
      if (due !== undefined && due <= now) this.start(edge);
      else if (due === undefined && this.#wants(edge)) this.#due.set(edge, millis(now + retryMs));
    }
  }

  /** The edge that a dial was for, once; undefined when it was not for a channel. */
  take(dial: DialId): Edge | undefined {
    const edge = this.#dials.get(dial);
    this.#dials.delete(dial);
    return edge;
  }

  /** A channel did not come. */
  failed(edge: Edge, now: Millis): void {
    this.#due.set(edge, millis(now + retryMs));
  }

  forget(edge: Edge): void {
    this.#due.delete(edge);
  }

  deadline(): Deadline | undefined {
    const due = [...this.#due.values()];
    return due.length === 0 ? undefined : { at: millis(Math.min(...due)), reason: "data channel" };
  }

  #wants(edge: Edge): boolean {
    if (!this.#upgrade || !edge.welcomed || edge.away || !edge.feed || !edge.session.dialed) return false;
    return edge.session.hasStream && !edge.session.hasDatagrams && ![...this.#dials.values()].includes(edge);
  }
}
