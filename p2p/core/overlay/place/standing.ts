import { type Millis, millis, type PeerId } from "../../../api/ids.ts";
import type { Deadline } from "../../machine.ts";
import { noWayMs } from "../directory/advert.ts";
import { type Coordinate, stepBetween, Whereabouts } from "./coordinate.ts";
import { hopCostMs } from "../directory/directory.ts";
import type { Edge, Edges } from "../edge.ts";
import { encodePaper, type Paper } from "../news/papers.ts";
import { depthMax, type Path, type ShortId, shortIdOf } from "./path.ts";

/** Changes are told at most this often; a change of the way at once. */
const tellMs = 5000;
/** A change of the delay that nobody below would act on is not told: less than half of what moves anybody. */
const delayChangeMs = 10;
/** Nor a smaller step of the coordinate. */
const coordinateChangeMs = 20;

/** What a parent tells of itself. */
export interface OwnStanding {
  readonly rootDelayMs: number;
  readonly path: Path;
}

/** What standing needs of its room. */
export interface StandingWires {
  readonly self: PeerId;
  /** Whether this node is of the core now. */
  isCore(): boolean;
  random(): number;
  /** The way to the core leads through this node itself. */
  looped(edge: Edge, now: Millis): void;
}

/**
 * How far this node is from the core, and by whom ([OV24]): root delay is the parent's and half the round trip to it and the
 * cost of a hop; the path holds the short ids from the core down to here. Both are told to whoever hangs below.
 */
export class Standing {
  readonly whereabouts: Whereabouts;
  readonly #edges: Edges;
  readonly #wires: StandingWires;
  readonly #self: ShortId;
  #toldAt: Millis | undefined;
  /** Whether there is something to tell; kept, because it is asked after every packet. */
  #dueAt: Millis | undefined;
  #told: (OwnStanding & { readonly coordinate: Coordinate }) | undefined;

  constructor(edges: Edges, wires: StandingWires) {
    this.#edges = edges;
    this.#wires = wires;
    this.#self = shortIdOf(wires.self);
    this.whereabouts = new Whereabouts(() => wires.random());
  }

  /** Where this node stands now. */
  get own(): OwnStanding {
    if (this.#wires.isCore()) return { rootDelayMs: 0, path: [this.#self] };
    const { parent } = this.#edges;
    const rootDelayMs = parent && delayBy(parent);
    if (!parent || rootDelayMs === undefined || parent.path.length === 0) return { rootDelayMs: noWayMs, path: [] };
    return { rootDelayMs, path: [...parent.path, this.#self] };
  }

  /** A neighbour above or beside told where it stands. */
  handle(edge: Edge, paper: Extract<Paper, { kind: "standing" }>, now: Millis): void {
    if (edge.direction === "down") return;
    edge.rootDelayMs = paper.rootDelayMs >= noWayMs ? undefined : paper.rootDelayMs;
    edge.path = paper.path;
    edge.coordinate = paper.coordinate;
    this.measure(edge);
    if (edge.direction === "up" && this.isLoop(edge.path)) this.#wires.looped(edge, now);
    this.review(now);
  }

  /** Learns from the round trip to a neighbour above or beside: those below are too many, and know less. */
  measure(edge: Edge): void {
    const ms = edge.session.roundTrip.leastMs;
    if (ms !== undefined && edge.direction !== "down") this.whereabouts.learn(edge.peer, edge.coordinate, ms);
  }

  /** Whether this way leads through here, or is deeper than trees get: nobody takes such a parent or backup. */
  isLoop(path: Path): boolean {
    return path.includes(this.#self) || path.length >= depthMax;
  }

  /** Tells a new neighbour. */
  show(edge: Edge, now: Millis): void {
    edge.session.sendReliable(this.#paper(), now);
  }

  /** Something may have changed: tells everybody below and beside, when it matters and is time. */
  review(now: Millis): void {
    const { own } = this;
    this.#dueAt = undefined;
    if (!this.#edges.all.some(hears) || !this.#isNews(own)) return;
    const dueAt = this.#hasOtherWay(own) ? now : millis((this.#toldAt ?? 0) + tellMs);
    if (now < dueAt) {
      this.#dueAt = dueAt;
      return;
    }
    this.#toldAt = now;
    this.#told = { ...own, coordinate: this.whereabouts.own };
    const paper = this.#paper();
    for (const edge of this.#edges.all) if (hears(edge)) edge.session.sendReliable(paper, now);
  }

  handleTimeout(now: Millis): void {
    if (this.#dueAt !== undefined && now >= this.#dueAt) this.review(now);
  }

  deadline(): Deadline | undefined {
    return this.#dueAt === undefined ? undefined : { at: this.#dueAt, reason: "tell where we stand" };
  }

  #paper(): Uint8Array {
    return encodePaper({ kind: "standing", ...this.own, coordinate: this.whereabouts.own });
  }

  #hasOtherWay({ path }: OwnStanding): boolean {
    const told = this.#told?.path ?? [];
    return path.length !== told.length || path.some((id, index) => id !== told[index]);
  }

  #isNews(own: OwnStanding): boolean {
    if (!this.#told || this.#hasOtherWay(own)) return true;
    const { coordinate, rootDelayMs } = this.#told;
    const moved = stepBetween(this.whereabouts.own, coordinate);
    return Math.abs(own.rootDelayMs - rootDelayMs) > delayChangeMs || moved > coordinateChangeMs;
  }
}

function hears(edge: Edge): boolean {
  return edge.direction !== "up" && edge.welcomed;
}

/** Ms from the core to whoever hangs below this edge; undefined while it is not known. */
export function delayBy(edge: Edge): number | undefined {
  const ms = edge.session.roundTrip.leastMs;
  return edge.rootDelayMs === undefined || ms === undefined ? undefined : edge.rootDelayMs + ms / 2 + hopCostMs;
}
