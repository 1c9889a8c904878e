import type { Rng } from "../../../p2p/core/rng.ts";
import { answerMs } from "../discovery.ts";
import { quantile } from "../figures.ts";
import type { MediaTrace } from "../media-trace.ts";
import type { Meters } from "../meters.ts";
import type { Ending, Network } from "../network.ts";
import type { Observer } from "../observer.ts";
import type { SimOptions } from "../options.ts";
import { drawnPeers } from "../picture/snapshot.ts";
import type { DrawnPeer } from "../picture/snapshot.ts";
import type { Reference } from "../reference.ts";
import type { Topology } from "../topology.ts";
import { flood } from "./flood.ts";
import { naiveJoinMs, reactiveOutageMs } from "./reactive.ts";
import type { Ways } from "./reactive.ts";
import { greedyTree, ownTree, randomTree } from "./tree.ts";
import type { Placement, Population } from "./tree.ts";

/** A parent that brought nothing new for so long is none. */
const parentMs = 2000;

/** Links to the core of who has no place at the end: as many as of one right below it. */
const linksUnknown = 1;

function linksTo(hops: number | undefined): number {
  return hops === undefined || hops === Infinity ? linksUnknown : hops;
}

/** Our own figure beside the one of a baseline. */
export interface Sides {
  readonly ours: number | null;
  readonly baseline: number | null;
}

/** What the baselines of one run came to, each beside ours; undefined where the run did not ask for it. */
export interface Comparison {
  /** p95 of ms from the core to a member over the tree, ways and forwarding alone. */
  readonly delayToGreedy: Sides | undefined;
  readonly delayToRandom: Sides | undefined;
  /** p95 of ms without sound of those whose parent died. */
  readonly outageToReactive: Sides | undefined;
  /** Mean share of packets that were not there in time. */
  readonly missToNoBackup: Sides | undefined;
  /** p95 of ms from the invite to the first sound. */
  readonly joinToNaive: Sides | undefined;
  /** Share of messages that brought nothing new. */
  readonly duplicatesToGossip: Sides | undefined;
}

/** Somebody below a peer that died or left. */
interface Cut {
  readonly node: number;
  /** How long the child of the dead needs, whose move mends the way for all below it. */
  readonly outageMs: number;
  readonly at: number;
}

/** What the comparison works from. */
export interface ComparisonFacts {
  readonly options: SimOptions;
  readonly topology: Topology;
  readonly network: Network;
  readonly reference: Reference;
  readonly trace: MediaTrace;
  readonly meters: Meters;
  readonly rng: Rng;
  readonly elapsedMs: () => number;
}

/**
 * Plays the baselines over the very run that is going on: the same peers, uplinks, ways, kills and losses. They are models of
 * events, not machines, and leave out what would make them worse: a reactive parent always has room, a naive look-up finds.
 */
export class Baselines implements Observer {
  private readonly facts: ComparisonFacts;
  private readonly ways: Ways;
  private readonly slots = new Map<number, number>();
  private readonly cuts: Cut[] = [];
  private readonly ranked: number[] = [];

  constructor(facts: ComparisonFacts) {
    this.facts = facts;
    this.ways = { lookUpMs: answerMs, rttMs: (a, b) => facts.topology.rttMs(a, b) };
  }

  lent(node: number, childrenMax: number): void {
    this.slots.set(node, childrenMax);
    if (this.facts.reference.partOf(node) === "relay") this.ranked.push(node);
  }

  /** Everybody below is cut off, and only the dead one's own children can do something about it. */
  ended(node: number, by: Ending): void {
    if (!this.wants("reactive")) return;
    const { trace, reference, elapsedMs } = this.facts;
    const at = elapsedMs();
    const seen = new Set<number>();
    for (const head of trace.childrenOf(node, at - parentMs)) {
      const outageMs = this.drawOutageMs(head, by === "leave");
      const below = [head];
      for (let child = below.pop(); child !== undefined; child = below.pop()) {
        if (seen.has(child)) continue;
        seen.add(child);
        if (reference.partOf(child) !== "relay") this.cuts.push({ node: child, outageMs, at });
        below.push(...trace.childrenOf(child, at - parentMs));
      }
    }
  }

  /** What came out; call when the run is over. */
  compare(): Comparison {
    const { meters } = this.facts;
    const figures = meters.figures();
    const population = this.population();
    const delayOf = (place: (from: Population) => Placement): number | null =>
      this.delayP95(population, place(population));
    const own = this.wants("greedy") || this.wants("random") ? delayOf((from) => this.ownTree(from)) : null;
    const when = (name: "greedy" | "random" | "reactive" | "gossip", sides: () => Sides): Sides | undefined =>
      this.wants(name) ? sides() : undefined;
    const { rng } = this.facts;
    return {
      delayToGreedy: when("greedy", () => ({ ours: own, baseline: delayOf(greedyTree) })),
      delayToRandom: when("random", () => ({
        ours: own,
        baseline: delayOf((from) => randomTree(from, rng.fork("random"))),
      })),
      outageToReactive: when("reactive", () => ({ ours: figures.outageMsP95, baseline: this.reactiveMs() })),
      missToNoBackup: when("reactive", () => ({ ours: figures.missShare, baseline: this.missShare(population) })),
      joinToNaive: when("reactive", () => ({ ours: figures.joinMsP95, baseline: this.naiveMs() })),
      duplicatesToGossip: when("gossip", () => ({
        ours: figures.duplicateShare,
        baseline: flood(population, rng.fork("gossip")).duplicateShare,
      })),
    };
  }

  /** Everybody who lives, where our own tree has put them. */
  placed(): { readonly peers: DrawnPeer[]; readonly lost: number } {
    const { trace, topology, elapsedMs } = this.facts;
    const population = this.population();
    const since = elapsedMs() - parentMs;
    const region = (node: number): string => topology.regionName(node);
    const peers = drawnPeers(population, this.ownTree(population), (node) => trace.parentOf(node, since), region);
    const { roots, contributors, leaves } = population;
    return { peers, lost: roots.length + contributors.length + leaves.length - peers.length };
  }

  private wants(name: "greedy" | "random" | "reactive" | "gossip"): boolean {
    const { baseline } = this.facts.options;
    return baseline === "all" || baseline === name;
  }

  /** Who lives now. */
  private population(): Population {
    const { reference, network, topology, options } = this.facts;
    const living = this.ranked.filter((node) => reference.isAlive(node));
    const members = reference.members.filter((node) => reference.isAlive(node) && reference.partOf(node) !== "host");
    const lends = (node: number): boolean => this.slots.has(node);
    return {
      roots: living.slice(0, options.core),
      contributors: [...living.slice(options.core), ...members.filter(lends)],
      leaves: members.filter((node) => !lends(node)),
      slotsOf: (node) => this.slots.get(node) ?? 0,
      wayMs: (parent, child) => (network.connects(child, parent) ? topology.oneWayMs(parent, child) : Infinity),
    };
  }

  private ownTree(population: Population): Placement {
    const { trace, elapsedMs, topology } = this.facts;
    const since = elapsedMs() - parentMs;
    return ownTree(
      population,
      (node) => trace.parentOf(node, since),
      (a, b) => topology.oneWayMs(a, b),
    );
  }

  /** Over members who are in for good: who has no place counts as infinitely far. */
  private delayP95({ contributors, leaves }: Population, { delays }: Placement): number | null {
    const { reference, elapsedMs } = this.facts;
    const isIn = (node: number): boolean =>
      reference.partOf(node) !== "relay" && reference.startedAt(node) < elapsedMs() - 2 * parentMs;
    const p95 = quantile(
      [...contributors, ...leaves].filter(isIn).map((node) => delays[node] ?? Infinity),
      0.95,
    );
    return p95 === Infinity ? null : p95;
  }

  private drawOutageMs(child: number, told: boolean): number {
    return reactiveOutageMs(child, this.drawLender(), told, this.ways, this.facts.rng);
  }

  private drawLender(): number {
    const lenders = [...this.slots.keys()].filter((node) => this.facts.reference.isAlive(node));
    return lenders[this.facts.rng.int(Math.max(1, lenders.length))] ?? this.ranked[0]!;
  }

  /** The very children whose silence was measured, mended after the fact. */
  private reactiveMs(): number | null {
    const outages = this.facts.meters.bereaved.map((child) => this.drawOutageMs(child, false));
    return quantile(outages, 0.95);
  }

  private naiveMs(): number | null {
    const { rng, meters } = this.facts;
    const joins = meters.joiners.map((node) => {
      const contact = this.ranked[rng.int(this.ranked.length)]!;
      return naiveJoinMs(node, contact, this.drawLender(), this.ways);
    });
    return quantile(joins, 0.95);
  }

  /** The same tree and the same deaths and losses, without backups: the cut below a death is as long as a reactive outage. */
  private missShare(population: Population): number | null {
    const { meters, options } = this.facts;
    const { hops } = this.ownTree(population);
    const { from, to } = meters.window;
    const cutMs = new Map<number, number>();
    for (const { node, outageMs, at } of this.cuts) {
      const lost = Math.max(0, Math.min(to, at + outageMs) - Math.max(from, at));
      cutMs.set(node, (cutMs.get(node) ?? 0) + lost);
    }
    const shares = meters.judged.map(({ node, ms }) => {
      // One link more from the speaker to the core.
      const arrives = (1 - options.loss) ** (linksTo(hops[node]) + 1);
      return 1 - arrives * Math.max(0, 1 - (cutMs.get(node) ?? 0) / Math.max(1, ms));
    });
    return shares.length === 0 ? null : shares.reduce((sum, share) => sum + share, 0) / shares.length;
  }
}
