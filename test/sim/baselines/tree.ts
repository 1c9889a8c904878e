import type { Rng } from "../../../p2p/core/rng.ts";

/** What forwarding costs at each link beside the way, ms: what the real relay takes on a busy core (performance.md, section 1). */
export const forwardMs = 1.5;

/** Links of our own tree that are followed up: more would be a loop, which checkers find. */
const linksMax = 64;

/** Everybody who lived at one moment of a real run: a baseline places the same peers, with the same uplinks and ways. */
export interface Population {
  /** The core: packets start at every one of these. */
  readonly roots: readonly number[];
  /** Everybody else who lends. */
  readonly contributors: readonly number[];
  readonly leaves: readonly number[];
  /** Children that a peer allows. */
  slotsOf(node: number): number;
  /** One way in ms; infinite where no link can be had from the second to the first. */
  wayMs(parent: number, child: number): number;
}

/** By number of peer: ms and links from the core; infinite for who found no place. */
export interface Placement {
  readonly delays: Float64Array;
  readonly hops: Float64Array;
}

/** A tree as it grows: who has room, and how far each is from the core. */
class Growing {
  readonly placement: Placement;
  /** Those who have room, in the order in which they came. */
  readonly open: number[] = [];
  /** Slots that are free, of all together. */
  slots = 0;
  private readonly free: Int32Array;
  private readonly population: Population;

  constructor(population: Population) {
    this.placement = nowhere(population);
    this.free = new Int32Array(this.placement.delays.length);
    this.population = population;
    for (const root of population.roots) this.settle(root, 0, 0);
  }

  delayBelow(parent: number, child: number): number {
    return this.placement.delays[parent]! + this.population.wayMs(parent, child) + forwardMs;
  }

  hasRoom(parent: number): boolean {
    return (this.free[parent] ?? 0) > 0;
  }

  hang(child: number, parent: number): void {
    this.settle(child, this.delayBelow(parent, child), this.placement.hops[parent]! + 1);
    const left = this.free[parent]! - 1;
    this.free[parent] = left;
    this.slots--;
    if (left === 0) this.open.splice(this.open.indexOf(parent), 1);
  }

  /** The nearest to the core of all places that this child can have. */
  best(child: number): { readonly parent: number; readonly delay: number } | undefined {
    let parent = -1;
    let delay = Infinity;
    for (const candidate of this.open) {
      const found = this.delayBelow(candidate, child);
      if (found < delay) [parent, delay] = [candidate, found];
    }
    return parent < 0 ? undefined : { parent, delay };
  }

  private settle(node: number, delay: number, hops: number): void {
    this.placement.delays[node] = delay;
    this.placement.hops[node] = hops;
    const slots = this.population.slotsOf(node);
    this.free[node] = slots;
    this.slots += slots;
    if (slots > 0) this.open.push(node);
  }
}

function nowhere({ roots, contributors, leaves }: Population): Placement {
  const count = 1 + [...roots, ...contributors, ...leaves].reduce((most, node) => Math.max(most, node), -1);
  return { delays: new Float64Array(count).fill(Infinity), hops: new Float64Array(count).fill(Infinity) };
}

/** The tree as it really is, by who is whose parent. */
export function ownTree(
  population: Population,
  parentOf: (node: number) => number | undefined,
  wayMs: (from: number, to: number) => number,
): Placement {
  const placement = nowhere(population);
  const { delays, hops } = placement;
  for (const root of population.roots) [delays[root], hops[root]] = [0, 0];
  for (const node of [...population.contributors, ...population.leaves]) {
    const way = [node];
    for (let at = node; delays[at] === Infinity && way.length < linksMax;) {
      const parent = parentOf(at);
      if (parent === undefined || delays[parent] === undefined) break;
      way.push((at = parent));
    }
    for (let at = way.pop()!, below = way.pop(); below !== undefined; at = below, below = way.pop()) {
      delays[below] = delays[at]! + wayMs(at, below) + forwardMs;
      hops[below] = hops[at]! + 1;
    }
  }
  return placement;
}

/**
 * What somebody who knows everything would do: whoever can be nearest to the core is placed next, those who lend before those
 * who do not (the compact tree of Shi and Turner 2002, under each peer's own bound of children).
 */
export function greedyTree(population: Population): Placement {
  const growing = new Growing(population);
  placeNearestFirst(growing, population.contributors);
  placeNearestFirst(growing, population.leaves);
  return growing.placement;
}

function placeNearestFirst(growing: Growing, nodes: readonly number[]): void {
  const waiting = nodes.flatMap((node) => {
    const found = growing.best(node);
    return found ? [{ node, ...found }] : [];
  });
  // A place taken by another, or a nearer one that a newcomer brings, changes what is best: both are looked at again.
  while (waiting.length > 0) {
    let next = 0;
    for (let index = 1; index < waiting.length; index++) {
      if (waiting[index]!.delay < waiting[next]!.delay) next = index;
    }
    const { node, parent } = waiting[next]!;
    if (!growing.hasRoom(parent)) {
      const found = growing.best(node);
      if (found) waiting[next] = { node, ...found };
      else waiting.splice(next, 1);
      continue;
    }
    growing.hang(node, parent);
    waiting[next] = waiting.at(-1)!;
    waiting.pop();
    if (!growing.hasRoom(node)) continue;
    for (let index = 0; index < waiting.length; index++) {
      const delay = growing.delayBelow(node, waiting[index]!.node);
      if (delay < waiting[index]!.delay) waiting[index] = { node: waiting[index]!.node, parent: node, delay };
    }
  }
}

/**
 * Everybody comes in some order and takes a slot of somebody who has one, whoever that is. Only the last slot of all is
 * kept for somebody who brings more: without that rule most of such trees close long before everybody is in.
 */
export function randomTree(population: Population, rng: Rng): Placement {
  const growing = new Growing(population);
  const coming = [...population.contributors, ...population.leaves];
  for (let left = coming.length; left > 1; left--) {
    const index = rng.int(left);
    [coming[index], coming[left - 1]] = [coming[left - 1]!, coming[index]!];
  }
  const lends = (node: number): boolean => population.slotsOf(node) > 0;
  for (let index = 0; index < coming.length; index++) {
    const lender = growing.slots === 1 ? coming.findIndex((node, at) => at >= index && lends(node)) : -1;
    if (lender > index) [coming[index], coming[lender]] = [coming[lender]!, coming[index]!];
    const parent = drawParent(growing, population, coming[index]!, rng);
    if (parent !== undefined) growing.hang(coming[index]!, parent);
  }
  return growing.placement;
}

/** Tries like a person's machine does: whom it cannot connect to it leaves, and asks for another. */
function drawParent(growing: Growing, population: Population, node: number, rng: Rng): number | undefined {
  const triesMax = 20;
  for (let tries = 0; tries < triesMax && growing.open.length > 0; tries++) {
    const parent = growing.open[rng.int(growing.open.length)]!;
    if (population.wayMs(parent, node) < Infinity) return parent;
  }
  return undefined;
}
