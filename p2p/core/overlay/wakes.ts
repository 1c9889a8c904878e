import { type Millis, millis } from "../../api/ids.ts";
import { type Deadline, due, isDue, sooner } from "../machine.ts";
import type { Edges } from "./edge.ts";
import type { Returns } from "./heal/returns.ts";
import type { Datagrams } from "./media/datagrams.ts";
import type { MediaFlow } from "./media/flow.ts";
import type { CensusTaker } from "./news/census.ts";
import type { Places } from "./place/places.ts";
import type { Upkeep } from "./place/upkeep.ts";

/** Where nothing is due and nothing is known to have changed, all of a room is looked through this often. */
const lookMs = 2000;

/** The parts of a room that wake it. */
export interface WakeParts {
  readonly edges: Edges;
  readonly upkeep: Upkeep;
  readonly datagrams: Datagrams;
  readonly returns: Returns;
  readonly flow: MediaFlow;
  readonly places: Places;
  readonly census: CensusTaker;
}

/**
 * Knows when a room's node has something to do, without looking at everything after every packet: what packets bring forward
 * is asked each time, all else only when `changes` has counted on.
 */
export class Wakes {
  /** Counts what may have brought anything forward but media and sessions. */
  changes = 0;
  readonly #parts: WakeParts;
  readonly #facts: { lends(): boolean; speaks(): boolean };
  /** When all was looked through last, and what it looked like afterwards. */
  #lookedAt: Millis;
  #marks = 0;

  constructor(parts: WakeParts, facts: { lends(): boolean; speaks(): boolean }, now: Millis) {
    this.#parts = parts;
    this.#facts = facts;
    this.#lookedAt = now;
  }

  /** A session lost a link of its own accord, or a place came free. */
  changed(): void {
    this.changes++;
    this.#parts.census.touch();
  }

  /** When something is due that a packet may have brought forward; infinite when nothing is. */
  get mediaAt(): number {
    return this.#parts.flow.dueAt;
  }

  /** The same, with its reason. */
  deadlineOfMedia(): Deadline {
    return this.#parts.flow.deadline();
  }

  /** Everything else but sessions: nothing comes sooner until `changes` counts on. */
  deadline(): Deadline | undefined {
    const { upkeep, returns, datagrams, places, edges } = this.#parts;
    const census = this.#parts.census.deadline(() => this.#facts.lends());
    const first = sooner(sooner(upkeep.deadline(), returns.deadline()), census);
    const look = edges.all.length === 0 ? undefined : due(millis(this.#lookedAt + lookMs), "look through all");
    return sooner(sooner(first, look), sooner(datagrams.deadline(), places.deadline()));
  }

  /** Whether edges and places need not be looked through now. */
  isQuiet(now: Millis): boolean {
    if (now >= this.#lookedAt + lookMs || this.#marksNow !== this.#marks) return false;
    const { upkeep, datagrams, places } = this.#parts;
    return !isDue(upkeep.deadline(), now) && !isDue(datagrams.deadline(), now) && !isDue(places.deadline(), now);
  }

  /** All was looked through. */
  looked(now: Millis): void {
    this.#lookedAt = now;
    this.#marks = this.#marksNow;
  }

  /** What decides about dials beside deadlines, as a number that is another one when it has changed. */
  get #marksNow(): number {
    const { edges, places, returns, flow } = this.#parts;
    const bits = (this.#facts.speaks() ? 1 : 0) | (places.seeker.isBusy ? 2 : 0) | (returns.muted ? 4 : 0);
    return (edges.marks << 5) | bits | (flow.cover.active ? 8 : 0) | (flow.cover.isAlone ? 16 : 0);
  }
}
