import { describe, expect, it } from "vitest";
import { linkId, millis, type PeerId } from "../../../../p2p/api/ids.ts";
import { CensusTaker, type CensusFacts } from "../../../../p2p/core/overlay/news/census.ts";
import { Edges } from "../../../../p2p/core/overlay/edge.ts";
import type { Census } from "../../../../p2p/core/overlay/news/papers.ts";
import { Rng } from "../../../../p2p/core/rng.ts";
import { peerName, type SampleEdge, sampleEdge } from "../edges.ts";
import { sampleAdvert } from "../place-samples.ts";

const seeds = Array.from({ length: 20 }, (_, index) => `census ${index}`);
const relays = Array.from({ length: 6 }, (_, rank) => peerName(100 + rank));

function facts(changes: Partial<CensusFacts> = {}): CensusFacts {
  return {
    slots: { used: 2, max: 16 },
    relays,
    self: relays[0] as PeerId,
    resident: undefined,
    mayAct: false,
    ...changes,
  };
}

function census(listeners: number, count: number, room: Census["room"] = []): Census {
  return { listeners, relays: count, lossy: 0, narrow: 0, free: 0, kept: false, room };
}

function bench(...edges: SampleEdge[]): CensusTaker {
  const all = new Edges();
  for (const { edge } of edges) all.add(edge);
  return new CensusTaker(all, millis(0));
}

/** The census that an edge was told last. */
function told({ papers }: SampleEdge): Census | undefined {
  const last = papers().findLast((paper) => paper.kind === "census");
  return last?.kind === "census" ? last.census : undefined;
}

/** A tree of relays with members below each, kept as plain numbers. */
interface Relay {
  readonly members: number;
  readonly standbys: number;
  readonly below: readonly Relay[];
}

function randomTree(rng: Rng, depth: number): Relay {
  const below = depth === 0 ? [] : Array.from({ length: rng.int(4) }, () => randomTree(rng, depth - 1));
  return { members: rng.int(20), standbys: rng.int(5), below };
}

function count(tree: Relay): { listeners: number; relays: number } {
  const below = tree.below.map(count);
  const listeners = below.reduce((sum, each) => sum + each.listeners, tree.members);
  return { listeners, relays: below.reduce((sum, each) => sum + each.relays, 1) };
}

/** What a relay tells upwards when every relay below it has told it the same way. */
function tellUp(tree: Relay): Census {
  const up = sampleEdge(1, "up", { role: "relay" });
  let number = 10;
  const edges = [up];
  const children: [SampleEdge, Relay][] = tree.below.map((each) => [
    sampleEdge(number++, "down", { role: "relay" }),
    each,
  ]);
  edges.push(...children.map(([edge]) => edge));
  for (let member = 0; member < tree.members; member++) edges.push(sampleEdge(number++, "down"));
  for (let standby = 0; standby < tree.standbys; standby++) edges.push(sampleEdge(number++, "down", { feed: false }));
  const taker = bench(...edges);
  for (const [{ edge }, each] of children) taker.learn(edge, tellUp(each), facts());
  expect(taker.tell(facts(), millis(1000))).toBe(true);
  const sent = told(up);
  if (!sent) throw new Error("told nothing");
  return sent;
}

describe("the census", () => {
  it.each(seeds)("[OV9] sums go up: what the top is told is what a direct count gives (%s)", (seed) => {
    const tree = randomTree(new Rng(seed), 3);
    expect(tellUp(tree)).toMatchObject(count(tree));
  });

  it("[OV9] a member of our own counts where the node carries", () => {
    expect(bench(sampleEdge(1, "down")).total(facts({ resident: { lossy: false } }))).toMatchObject({
      listeners: 2,
      relays: 1,
    });
  });

  it("[OV9] totals come down: the core adds its siblings, everybody below repeats the parent", () => {
    const mesh = sampleEdge(1, "mesh");
    const child = sampleEdge(2, "down");
    const core = bench(mesh, child);
    core.learn(mesh.edge, census(70, 3), facts());
    core.tell(facts(), millis(1000));
    expect(told(child)).toMatchObject({ listeners: 71, relays: 4 });
    // To a sibling goes the sum alone, or both would count each other for ever.
    expect(told(mesh)).toMatchObject({ listeners: 1, relays: 1 });
    const up = sampleEdge(3, "up", { role: "relay" });
    const grandchild = sampleEdge(4, "down");
    const below = bench(up, grandchild);
    expect(below.learn(up.edge, census(500, 9), facts())).toBe(true);
    below.tell(facts(), millis(9999));
    expect(told(grandchild)).toBeUndefined();
    below.tell(facts(), millis(10_000));
    expect(told(grandchild)).toMatchObject({ listeners: 500, relays: 9 });
  });

  it("[OV9] whoever has been away for longer than a place is kept counts no more, nor do those below", () => {
    const [gone, member] = [sampleEdge(1, "down", { role: "relay" }), sampleEdge(2, "down")];
    const taker = bench(gone, member);
    taker.learn(gone.edge, census(7, 1), facts());
    expect(taker.total(facts())).toMatchObject({ listeners: 8, relays: 2 });
    gone.edge.session.release(linkId(1));
    gone.edge.session.handleTimeout(millis(1000));
    expect(taker.total(facts())).toMatchObject({ listeners: 8, relays: 2 });
    gone.edge.session.handleTimeout(millis(5000));
    expect(taker.total(facts())).toMatchObject({ listeners: 1, relays: 1 });
  });

  it("[OV9] a standby's count is not the room's", () => {
    const standby = sampleEdge(1, "up", { role: "relay", feed: false });
    expect(bench(standby).learn(standby.edge, census(500, 9), facts())).toBe(false);
  });

  it("[OV9] at most once a second, and only what changed", () => {
    const child = sampleEdge(1, "down");
    const taker = bench(child);
    expect(taker.deadline(() => true)).toMatchObject({ at: 1000 });
    expect(taker.tell(facts(), millis(999))).toBe(false);
    expect(taker.tell(facts(), millis(1000))).toBe(true);
    expect(taker.deadline(() => true)).toBeUndefined();
    taker.tell(facts(), millis(5000));
    expect(child.papers()).toHaveLength(1);
    expect(taker.tell(facts({ slots: undefined }), millis(9000))).toBe(false);
  });

  it("[OV9] of a relay's free slots the newest word holds, whichever way it came", () => {
    const mesh = sampleEdge(1, "mesh");
    const relay = sampleEdge(2, "down", { role: "relay" });
    const taker = bench(mesh, relay);
    const say = ({ edge }: SampleEdge, version: number, slots: number): void =>
      void taker.learn(edge, census(0, 1, [{ rank: 2, slots, version }]), facts());
    say(mesh, 5, 3);
    expect(taker.withRoom(facts())).toEqual([relays[2]]);
    say(relay, 4, 9);
    taker.learn(mesh.edge, census(0, 1, [{ rank: 3, slots: 4, version: 1 }]), facts());
    expect(taker.withRoom(facts())).toEqual([relays[3], relays[2]]);
    say(relay, 6, 0);
    expect(taker.withRoom(facts())).toEqual([relays[3]]);
  });

  it("[OV9] of our own slots nobody tells us, and of those of no relay nobody tells anything", () => {
    const mesh = sampleEdge(1, "mesh");
    const taker = bench(mesh);
    const entries = [0, 6, 255].map((rank) => ({ rank, slots: 500, version: 0xffffffff }));
    taker.learn(mesh.edge, census(0, 1, entries), facts());
    expect(taker.withRoom(facts())).toEqual([]);
    taker.tell(facts(), millis(1000));
    expect(told(mesh)?.room).toEqual([{ rank: 0, slots: 12, version: 1 }]);
  });

  it("[OV9] members are no relays: what one says of slots and of others is not passed on", () => {
    const member = sampleEdge(1, "down");
    const up = sampleEdge(2, "up", { role: "relay" });
    const taker = bench(member, up);
    taker.learn(member.edge, census(9999, 99, [{ rank: 2, slots: 9, version: 0xffffffff }]), facts());
    expect(taker.withRoom(facts())).toEqual([]);
    taker.tell(facts(), millis(1000));
    expect(told(up)).toMatchObject({ listeners: 1, relays: 1 });
  });

  it("[OV9] lies about the largest counts are carried like any number and break nothing", () => {
    const liars = [1, 2].map((number) => sampleEdge(number, "down", { role: "relay" }));
    const mesh = sampleEdge(3, "mesh");
    const taker = bench(...liars, mesh);
    for (const { edge } of [...liars, mesh]) taker.learn(edge, census(0xffffffff, 0xffffffff), facts());
    taker.tell(facts(), millis(1000));
    expect(told(mesh)).toMatchObject({ listeners: 0xffffffff, relays: 0xffffffff });
    expect(told(liars[0]!)).toMatchObject({ listeners: 0xffffffff });
  });

  it("[OV50] counts who loses much and who is short of room, and believes of neither more than there are listeners", () => {
    const up = sampleEdge(1, "up", { role: "relay" });
    const relay = sampleEdge(2, "down", { role: "relay" });
    const members = [3, 4, 5].map((number) => sampleEdge(number, "down"));
    members[0]!.edge.wish = { layers: "normal", prompt: false, lossy: true };
    members[1]!.edge.lowOnly = true;
    const taker = bench(up, relay, ...members);
    taker.learn(relay.edge, { ...census(10, 2), lossy: 4, narrow: 99 }, facts());
    taker.tell(facts({ resident: { lossy: true } }), millis(1000));
    expect(told(up)).toMatchObject({ listeners: 14, lossy: 1 + 4 + 1, narrow: 1 + 10 });
  });

  it("[OV50] one that lends and makes numbers up moves nothing, nor do a few; and honest ones all together are heard", () => {
    const lending = (number: number): SampleEdge => {
      const one = sampleEdge(number, "down");
      one.edge.advert = sampleAdvert(new Rng(number));
      return one;
    };
    const counted = (claims: readonly number[], lossyMembers: number): unknown => {
      const up = sampleEdge(1, "up", { role: "relay" });
      const lenders = claims.map((_, index) => lending(100 + index));
      const members = Array.from({ length: 10 }, (_, index) => sampleEdge(10 + index, "down"));
      members.slice(0, lossyMembers).forEach(({ edge }) => (edge.wish = { ...edge.wish, lossy: true }));
      const taker = bench(up, ...lenders, ...members);
      for (const [index, claim] of claims.entries())
        taker.learn(lenders[index]!.edge, { ...census(5000, 1), lossy: claim, narrow: claim }, facts());
      taker.tell(facts(), millis(1000));
      const { lossy, narrow } = told(up)!;
      return [lossy, narrow];
    };
    expect(counted([5000], 0)).toEqual([1, 1]);
    expect(counted([5000], 3)).toEqual([6, 1]);
    expect(counted([5000, 5000, 2, 3, 1], 0)).toEqual([9, 9]);
    expect(counted([40, 60, 50], 0)).toEqual([120, 120]);
    expect(counted([0, 0, 0, 5000], 0)).toEqual([1, 1]);
  });

  it("[OV25] free slots are summed up the tree, and few of them open the way for whoever has just come", () => {
    const [relay, up] = [sampleEdge(1, "down", { role: "relay" }), sampleEdge(2, "up")];
    const taker = bench(relay, up);
    expect(taker.isShort).toBe(true);
    taker.learn(relay.edge, { ...census(10, 2), free: 5 }, facts());
    taker.tell(facts(), millis(2000));
    expect(told(up)).toMatchObject({ listeners: 10, free: 5 + 12 });
    taker.learn(up.edge, { ...census(100, 5), free: 26 }, facts());
    expect(taker.isShort).toBe(false);
    taker.learn(up.edge, { ...census(100, 5), free: 25 }, facts());
    expect(taker.isShort).toBe(true);
  });
});
