import { type Millis, millis } from "../../../api/ids.ts";
import type { Directory } from "./directory.ts";
import type { Edge, Edges } from "../edge.ts";
import { encodePaper, type Paper } from "../news/papers.ts";
import type { Coordinate } from "../place/coordinate.ts";
import { depthMax } from "../place/path.ts";

/** Requests that wait for an answer from above. */
const waitingMax = 256;
const waitMs = 5000;
/** Requests from one neighbour at once and a second: one who lends passes on those of all below it. */
const burst = 20;
const perSecond = 4;

interface Waiting {
  readonly edge: Edge;
  /** Who was asked: nobody else's answer counts. */
  readonly asked: Edge;
  /** What the asker called it. */
  readonly id: number;
  readonly until: Millis;
}

/** What the desk needs of its room. */
export interface DeskWires {
  /** Whether this node is a relay that the view names: it answers, where others pass on. */
  isRanked(): boolean;
  /** Where this node is. */
  here(): Coordinate;
  random(): number;
  reject(reason: string): void;
}

/** Where somebody asks for a place in the tree ([OV20]): relays of the room answer, everybody else passes the question up. */
export class PlaceDesk {
  readonly #directory: Directory;
  readonly #edges: Edges;
  readonly #wires: DeskWires;
  readonly #waiting = new Map<number, Waiting>();
  readonly #purses = new WeakMap<Edge, { tokens: number; at: Millis }>();
  #nextId = 1;

  constructor(directory: Directory, edges: Edges, wires: DeskWires) {
    this.#directory = directory;
    this.#edges = edges;
    this.#wires = wires;
  }

  /** A neighbour below looks for a place. */
  handlePlace(edge: Edge, paper: Extract<Paper, { kind: "place" }>, now: Millis): void {
    if (!this.#mayAsk(edge, now)) return this.#wires.reject("place-rate");
    if (this.#wires.isRanked()) {
      const adverts = this.#directory.offer(paper, this.#wires.here(), () => this.#wires.random(), now);
      edge.session.sendReliable(encodePaper({ kind: "offers", id: paper.id, adverts }), now);
      return;
    }
    const { parent } = this.#edges;
    if (!parent || parent === edge || paper.passed >= depthMax) return;
    this.#forgetOld(now);
    const id = this.#nextId++;
    this.#waiting.set(id, { edge, asked: parent, id: paper.id, until: millis(now + waitMs) });
    parent.session.sendReliable(encodePaper({ ...paper, id, passed: paper.passed + 1 }), now);
  }

  /** An answer came from above. True when it was for somebody below, who has it now. */
  handleOffers(from: Edge, paper: Extract<Paper, { kind: "offers" }>, now: Millis): boolean {
    const waiting = this.#waiting.get(paper.id);
    if (waiting?.asked !== from) return false;
    this.#waiting.delete(paper.id);
    if (this.#edges.all.includes(waiting.edge))
      waiting.edge.session.sendReliable(encodePaper({ ...paper, id: waiting.id }), now);
    return true;
  }

  /** A number for a question of our own. */
  takeId(): number {
    return this.#nextId++;
  }

  #forgetOld(now: Millis): void {
    for (const [id, { until }] of this.#waiting) {
      if (until > now && this.#waiting.size < waitingMax) break;
      this.#waiting.delete(id);
    }
  }

  #mayAsk(edge: Edge, now: Millis): boolean {
    const purse = this.#purses.get(edge) ?? { tokens: burst, at: now };
    purse.tokens = Math.min(burst, purse.tokens + ((now - purse.at) / 1000) * perSecond);
    purse.at = now;
    this.#purses.set(edge, purse);
    if (purse.tokens < 1) return false;
    purse.tokens--;
    return true;
  }
}
