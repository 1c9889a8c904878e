import { describe, expect, it } from "vitest";
import { millis } from "../../p2p/api/ids.ts";
import type { Millis } from "../../p2p/api/ids.ts";
import type { Deadline, Machine } from "../../p2p/core/machine.ts";
import { Rng } from "../../p2p/core/rng.ts";
import { OccurrenceHeap } from "./heap.ts";
import { World, worldStart } from "./world.ts";

type BellInput = { readonly kind: "set"; readonly at: number } | { readonly kind: "timeout" };
interface BellOutput {
  readonly kind: "rang";
  readonly at: Millis;
}

/** Rings at the times it was told; as lazy about deadlines as a machine may be. */
class Bell implements Machine<BellInput, BellOutput> {
  stuck = false;
  private times: number[] = [];
  private readonly rung: BellOutput[] = [];

  handle(input: BellInput, now: Millis): void {
    if (input.kind === "set") this.times.push(input.at);
    else if (!this.stuck) {
      const due = this.times.filter((at) => at <= now);
      this.times = this.times.filter((at) => at > now);
      for (const _ of due) this.rung.push({ kind: "rang", at: now });
    }
  }

  poll(): BellOutput | undefined {
    return this.rung.shift();
  }

  deadline(): Deadline | undefined {
    const at = Math.min(...this.times);
    return Number.isFinite(at) ? { at: millis(at), reason: "a bell" } : undefined;
  }
}

function makeWorld(): { world: World<BellInput, BellOutput>; rings: (readonly [number, number])[] } {
  const rings: (readonly [number, number])[] = [];
  const world = new World<BellInput, BellOutput>({ kind: "timeout" }, (node, { at }) => {
    rings.push([node, at - worldStart]);
  });
  return { world, rings };
}

describe("the heap", () => {
  it("gives occurrences by time and, at one time, in the order of planning, as sorting would", () => {
    const rng = new Rng("heap");
    const heap = new OccurrenceHeap();
    const items = Array.from({ length: 2000 }, (_, order) => ({ at: rng.int(300), order }));
    const popped: number[] = [];
    for (const { at, order } of items) heap.push(at, () => undefined, order);
    // Half are taken out while others are put in, so that sinking and rising mix.
    for (let taken = 0; taken < 1000; taken++) {
      expect(heap.soonestAt).toBeLessThanOrEqual(300);
      popped.push(heap.pop()!.payload as number);
      heap.push(1000 + rng.int(300), () => undefined, -1);
    }
    for (let next = heap.pop(); next !== undefined; next = heap.pop()) {
      if (next.payload !== -1) popped.push(next.payload as number);
    }
    expect([heap.size, heap.soonestAt]).toEqual([0, Infinity]);
    const sorted = items.toSorted((a, b) => a.at - b.at || a.order - b.order);
    expect(popped).toEqual(sorted.map((item) => item.order));
  });
});

describe("the world", () => {
  it("wakes a machine at its deadline, also when the deadline moves nearer or farther", () => {
    const { world, rings } = makeWorld();
    const node = world.add(new Bell());
    world.input(node, { kind: "set", at: worldStart + 50 });
    world.input(node, { kind: "set", at: worldStart + 20 });
    world.run(30);
    expect(rings).toEqual([[node, 20]]);
    world.input(node, { kind: "set", at: worldStart + 90 });
    world.run(100);
    expect(rings.map(([, at]) => at)).toEqual([20, 50, 90]);
    expect(world.elapsedMs).toBe(100);
  });

  it("does what is planned in order, and what lies in the past at once", () => {
    const { world } = makeWorld();
    const done: string[] = [];
    const note = (what: string): void => void done.push(`${what}@${world.elapsedMs}`);
    world.planIn(10, note, "second");
    world.planIn(10, note, "third");
    world.planIn(5, () => world.plan(0, note, "first"), undefined);
    world.run(10);
    expect(done).toEqual(["first@5", "second@10", "third@10"]);
  });

  it("gives a removed node nothing more", () => {
    const { world, rings } = makeWorld();
    const node = world.add(new Bell());
    world.input(node, { kind: "set", at: worldStart + 5 });
    world.remove(node);
    world.input(node, { kind: "set", at: worldStart + 6 });
    world.run(10);
    expect(rings).toEqual([]);
    expect(world.inputs).toBe(1);
  });

  it("stops a machine that wakes without end, and names its reason", () => {
    const { world } = makeWorld();
    const bell = new Bell();
    bell.stuck = true;
    world.input(world.add(bell), { kind: "set", at: worldStart + 5 });
    expect(() => world.run(10)).toThrow(/wakes without end: a bell/);
  });

  it("has a fingerprint that a single different input changes", () => {
    const play = (at: number): string => {
      const { world } = makeWorld();
      const node = world.add(new Bell());
      world.input(node, { kind: "set", at: worldStart + 7 });
      world.input(node, { kind: "set", at: worldStart + at });
      world.run(100);
      return world.trace.digest();
    };
    expect(play(30)).toBe(play(30));
    expect(play(30)).not.toBe(play(31));
  });
});
