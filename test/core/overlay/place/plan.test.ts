import { describe, expect, it } from "vitest";
import type { PeerId } from "../../../../p2p/api/ids.ts";
import { coreOf, planMember, planRelay, type RelayPlan } from "../../../../p2p/core/overlay/place/plan.ts";
import { Rng } from "../../../../p2p/core/rng.ts";

const seeds = Array.from({ length: 30 }, (_, index) => `plan ${index}`);

interface Sample {
  readonly relays: readonly PeerId[];
  readonly coreSize: number;
  readonly fanout: number;
  readonly dead: ReadonlySet<PeerId>;
}

function sample(rng: Rng, anyDead: boolean): Sample {
  const relays = Array.from({ length: 1 + rng.int(24) }, (_, rank) => `relay ${rank}` as PeerId);
  const dead = new Set(relays.filter(() => anyDead && rng.int(3) === 0));
  return { relays, coreSize: 1 + rng.int(12), fanout: 1 + rng.int(8), dead };
}

function plans({ relays, coreSize, fanout, dead }: Sample): Map<PeerId, RelayPlan> {
  const alive = relays.filter((peer) => !dead.has(peer));
  return new Map(
    alive.map((peer) => [peer, planRelay(relays, relays.indexOf(peer), coreSize, fanout, (other) => dead.has(other))]),
  );
}

describe("a relay's place", () => {
  it.each(seeds)(
    "[OV1] the first that live are the core, each dialing those before it: fully meshed once (%s)",
    (seed) => {
      const chosen = sample(new Rng(seed), true);
      const alive = chosen.relays.filter((peer) => !chosen.dead.has(peer));
      const core = alive.slice(0, chosen.coreSize);
      const edges: string[] = [];
      for (const [peer, plan] of plans(chosen)) {
        expect(plan.core).toBe(core.includes(peer));
        if (plan.core) expect(plan.parents).toEqual([]);
        else expect(plan.siblings).toEqual([]);
        for (const sibling of plan.siblings) edges.push(`${sibling} < ${peer}`);
      }
      const wanted = core.flatMap((left, index) => core.slice(index + 1).map((right) => `${left} < ${right}`));
      expect(edges.toSorted()).toEqual(wanted.toSorted());
      expect(coreOf(chosen.relays, chosen.coreSize, (peer) => chosen.dead.has(peer))).toEqual(core);
    },
  );

  it.each(seeds)("[OV2] every parent has a better rank and everybody reaches the core (%s)", (seed) => {
    const rng = new Rng(seed);
    const chosen = sample(rng, true);
    const all = plans(chosen);
    for (const [peer, plan] of all) {
      const rank = chosen.relays.indexOf(peer);
      const better = chosen.relays.slice(0, rank).filter((other) => !chosen.dead.has(other));
      if (!plan.core) expect([...plan.parents].toSorted()).toEqual(better.toSorted());
      // Whatever parent of the list one takes, one gets nearer to the core.
      let at = peer;
      for (let step = 0; !(all.get(at)?.core ?? true); step++) {
        expect(step).toBeLessThan(chosen.relays.length);
        const { parents } = all.get(at) ?? { parents: [] };
        const next = parents[rng.int(parents.length)];
        if (next === undefined) throw new Error("no way up");
        expect(chosen.relays.indexOf(next)).toBeLessThan(chosen.relays.indexOf(at));
        at = next;
      }
    }
  });

  it.each(seeds)(
    "[OV2] the relay n after the core has parent n / fan-out, so that nobody carries more than that (%s)",
    (seed) => {
      for (const anyDead of [false, true]) {
        const chosen = sample(new Rng(seed), anyDead);
        const alive = chosen.relays.filter((peer) => !chosen.dead.has(peer));
        const children = new Map<PeerId, number>();
        for (const [peer, plan] of plans(chosen)) {
          const parent = plan.parents[0];
          if (plan.core || parent === undefined) continue;
          const position = alive.indexOf(peer) - chosen.coreSize;
          expect(parent).toBe(alive[Math.floor(position / chosen.fanout)]);
          children.set(parent, (children.get(parent) ?? 0) + 1);
        }
        for (const count of children.values()) expect(count).toBeLessThanOrEqual(chosen.fanout);
      }
    },
  );

  it("[OV2] the standby is a neighbour of the parent, and never the parent itself", () => {
    const relays = Array.from({ length: 20 }, (_, rank) => `relay ${rank}` as PeerId);
    for (let rank = 4; rank < relays.length; rank++) {
      const { parents } = planRelay(relays, rank, 3, 2, () => false);
      const [first, second] = [relays.indexOf(parents[0] ?? relays[0]!), relays.indexOf(parents[1] ?? relays[0]!)];
      expect(Math.abs(first - second)).toBe(1);
    }
  });

  it("[OV3] when one of the core is gone the next in rank takes its place, and gives it back", () => {
    const relays = ["a", "b", "c", "d"] as PeerId[];
    const isCore = (rank: number, ...gone: string[]): boolean =>
      planRelay(relays, rank, 2, 8, (peer) => gone.includes(peer)).core;
    expect([0, 1, 2, 3].map((rank) => isCore(rank))).toEqual([true, true, false, false]);
    expect([1, 2, 3].map((rank) => isCore(rank, "a"))).toEqual([true, true, false]);
    expect([2, 3].map((rank) => isCore(rank, "a", "b"))).toEqual([true, true]);
    expect(isCore(2)).toBe(false);
  });
});

describe("a member's parents", () => {
  const relays = Array.from({ length: 10 }, (_, rank) => `relay ${rank}` as PeerId);

  it("[OV4] are in the order of its own draw, those that live, each once", () => {
    const rng = new Rng("draws");
    const counts = new Map<PeerId, number>();
    for (let run = 0; run < 2000; run++) {
      const draws = new Map(relays.map((peer) => [peer, rng.next()]));
      const order = planMember(
        relays,
        2,
        false,
        (peer) => peer === relays[3],
        (peer) => draws.get(peer) ?? 0,
      );
      expect(order).toHaveLength(9);
      expect(order).not.toContain(relays[3]);
      const sorted = order.map((peer) => draws.get(peer) ?? 0);
      expect(sorted).toEqual(sorted.toSorted((a, b) => a - b));
      const first = order[0]!;
      counts.set(first, (counts.get(first) ?? 0) + 1);
    }
    // Evenly: 2000 / 9 = 222, give or take five standard deviations.
    for (const count of counts.values()) expect(Math.abs(count - 222)).toBeLessThan(5 * 15);
    expect(counts.size).toBe(9);
  });

  it("[OV4] of who speaks are of the core first, as it is alive", () => {
    const order = planMember(
      relays,
      3,
      true,
      (peer) => peer === relays[1],
      () => 0.5,
    );
    expect(order.slice(0, 3)).toEqual([relays[0], relays[2], relays[3]]);
  });
});
