import { describe, expect, it } from "vitest";
import { Rng } from "../../p2p/core/rng.ts";
import { flood } from "./baselines/flood.ts";
import { naiveJoinMs, reactiveOutageMs } from "./baselines/reactive.ts";
import { forwardMs, greedyTree, ownTree, randomTree } from "./baselines/tree.ts";
import type { Population } from "./baselines/tree.ts";

/** Peers on a line, so many ms apart: 0 is the core; some lend two slots, the rest none. */
function onALine(at: readonly number[], lenders: readonly number[], slots = 2): Population {
  const others = at.map((_, node) => node).slice(1);
  return {
    roots: [0],
    contributors: others.filter((node) => lenders.includes(node)),
    leaves: others.filter((node) => !lenders.includes(node)),
    slotsOf: (node) => (node === 0 || lenders.includes(node) ? slots : 0),
    wayMs: (parent, child) => Math.abs(at[parent]! - at[child]!),
  };
}

/** Every way to hang everybody somewhere, tried one after the other: the least p100 delay there is. */
function bestByTrying(population: Population): number {
  const nodes = [...population.contributors, ...population.leaves];
  const hang = (index: number, delays: ReadonlyMap<number, number>, free: ReadonlyMap<number, number>): number => {
    const node = nodes[index];
    if (node === undefined) return Math.max(...delays.values());
    let best = Infinity;
    for (const [parent, left] of free) {
      if (left === 0) continue;
      const delay = delays.get(parent)! + population.wayMs(parent, node) + forwardMs;
      const room = new Map(free).set(parent, left - 1).set(node, population.slotsOf(node));
      best = Math.min(best, hang(index + 1, new Map(delays).set(node, delay), room));
    }
    return best;
  };
  return hang(0, new Map([[0, 0]]), new Map([[0, population.slotsOf(0)]]));
}

describe("the all-knowing tree", () => {
  it("keeps everybody's bound, and hangs everybody while there is room", () => {
    const rng = new Rng("greedy");
    const at = Array.from({ length: 60 }, () => rng.int(200));
    const population = onALine(
      at,
      [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30],
    );
    const { delays, hops } = greedyTree(population);
    expect([...delays].every(Number.isFinite)).toBe(true);
    // Of a tree whose peers have two children each, no more than 2^n are n links from the core.
    for (let depth = 1; depth < 6; depth++) {
      expect([...hops].filter((links) => links === depth).length).toBeLessThanOrEqual(2 ** depth);
    }
  });

  it("is about as good as the best of all trees, where those can be tried", () => {
    const rng = new Rng("trees");
    for (let round = 0; round < 5; round++) {
      const at = [0, ...Array.from({ length: 5 }, () => rng.int(100))];
      const population = onALine(at, [1, 2]);
      const { delays } = greedyTree(population);
      expect(Math.max(...delays)).toBeLessThanOrEqual(1.6 * bestByTrying(population));
    }
  });

  it("leaves out who finds no place, as the random one does", () => {
    const population = onALine([0, 10, 20, 30], []);
    for (const { delays } of [greedyTree(population), randomTree(population, new Rng(1))]) {
      expect([...delays].filter(Number.isFinite)).toHaveLength(3);
    }
  });
});

describe("other trees", () => {
  it("the random one hangs everybody too, and is worse", () => {
    const rng = new Rng("random");
    const at = Array.from({ length: 400 }, () => rng.int(200));
    const population = onALine(
      at,
      Array.from({ length: 150 }, (_, index) => index + 1),
      4,
    );
    const [greedy, random] = [greedyTree(population), randomTree(population, rng)];
    expect([...random.delays].every(Number.isFinite)).toBe(true);
    const sum = (delays: Float64Array): number => delays.reduce((total, delay) => total + delay, 0);
    expect(sum(random.delays)).toBeGreaterThan(1.5 * sum(greedy.delays));
  });

  it("our own adds up the ways and the forwarding, and who hangs nowhere or in a loop is infinitely far", () => {
    const population = onALine([0, 10, 25, 5, 6, 7], [1, 4, 5]);
    const parents: (number | undefined)[] = [undefined, 0, 1, undefined, 5, 4];
    const { delays, hops } = ownTree(
      population,
      (node) => parents[node],
      (a, b) => population.wayMs(a, b),
    );
    expect([...delays]).toEqual([0, 10 + forwardMs, 25 + 2 * forwardMs, Infinity, Infinity, Infinity]);
    expect([...hops]).toEqual([0, 1, 2, Infinity, Infinity, Infinity]);
  });

  it("flooding reaches everybody and sends most packets for nothing", () => {
    const population = onALine(
      Array.from({ length: 300 }, (_, index) => index),
      [],
    );
    const { duplicateShare, delays } = flood(population, new Rng("flood"));
    expect(delays.length).toBeGreaterThan(295);
    expect(duplicateShare).toBeGreaterThan(0.7);
    expect(duplicateShare).toBeLessThan(0.9);
  });
});

describe("mending after the fact", () => {
  const ways = { lookUpMs: 200, rttMs: () => 100 };

  it("takes two to three seconds to notice, a look-up, six round trips and one for the media", () => {
    const rng = new Rng("reactive");
    const outages = Array.from({ length: 100 }, () => reactiveOutageMs(1, 2, false, ways, rng));
    expect(Math.min(...outages)).toBeGreaterThan(2000 + 200 + 700);
    expect(Math.max(...outages)).toBeLessThan(3000 + 200 + 700);
    expect(reactiveOutageMs(1, 2, true, ways, rng)).toBe(900);
  });

  it("a naive join takes each step after the other", () => {
    expect(naiveJoinMs(1, 2, 3, ways)).toBe(200 + 600 + 800);
  });
});
