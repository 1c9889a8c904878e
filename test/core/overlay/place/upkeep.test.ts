import { describe, expect, it } from "vitest";
import { dialId, type DialId, linkId, millis, type PeerId } from "../../../../p2p/api/ids.ts";
import { fromHex } from "../../../../p2p/core/bytes.ts";
import { type Edge, Edges } from "../../../../p2p/core/overlay/edge.ts";
import { Upkeep, type UpkeepFacts } from "../../../../p2p/core/overlay/place/upkeep.ts";
import { peerOf } from "../../../../p2p/core/session/frames.ts";
import { peerName, sampleEdge } from "../edges.ts";

const relays = Array.from({ length: 8 }, (_, rank) => peerName(1 + rank));

interface Bench {
  readonly upkeep: Upkeep;
  readonly edges: Edges;
  readonly dials: { readonly id: DialId; readonly peer: PeerId; readonly fresh: boolean }[];
  readonly cancelled: DialId[];
  readonly promoted: Edge[];
  readonly ended: Edge[];
  run(at: number, changes?: Partial<UpkeepFacts>): void;
}

/** Upkeep of a member whose draws are all the same, so that relays are taken in rank order. */
function bench(): Bench {
  const edges = new Edges();
  const dials: Bench["dials"] = [];
  const cancelled: DialId[] = [];
  const promoted: Edge[] = [];
  const ended: Edge[] = [];
  const upkeep = new Upkeep(edges, {
    dial: (target, fresh) => {
      dials.push({ id: dialId(dials.length + 1), peer: peerOf(target), fresh });
      return dialId(dials.length);
    },
    cancel: (dial) => void cancelled.push(dial),
    promote: (edge) => {
      edge.feed = true;
      promoted.push(edge);
    },
    end: (edge) => {
      edges.remove(edge);
      ended.push(edge);
    },
    random: () => 0.5,
  });
  upkeep.learn(relays.map((peer) => ({ key: fromHex(peer), token: new Uint8Array(16), addresses: [] })));
  const base = {
    relays,
    rank: undefined,
    coreSize: 2,
    fanout: 2,
    speaks: false,
    wanted: [],
    placing: false,
    cover: { by: undefined, isAlone: false },
    muted: false,
    froze: () => false,
  };
  return {
    upkeep,
    edges,
    dials,
    cancelled,
    promoted,
    ended,
    run: (at, changes) => upkeep.run({ ...base, ...changes }, millis(at)),
  };
}

function fail({ upkeep, dials }: Bench, at: number): void {
  const last = dials.at(-1);
  expect(last && upkeep.takeErrand(last.id)?.peer).toBe(last?.peer);
  if (last) upkeep.failed(last.peer, millis(at));
}

describe("keeping connected", () => {
  it("[OV7] three dials race at first, each to another relay", () => {
    const b = bench();
    b.run(0);
    b.run(10);
    expect(b.dials.map(({ peer }) => peer)).toEqual(relays.slice(0, 3));
    expect(b.upkeep.dialing).toBe(3);
  });

  it("[OV7] a relay that does not answer is dialed again soon, and at most three times in any minute", () => {
    const b = bench();
    const only = { relays: relays.slice(0, 1) };
    let at = 0;
    const dialedAt: number[] = [];
    for (let round = 0; round < 8; round++) {
      b.run(at, only);
      const count = b.dials.length;
      expect(count).toBe(round + 1);
      fail(b, at);
      const until = b.upkeep.deadline()?.at ?? at;
      dialedAt.push(at);
      b.upkeep.handleTimeout(millis(until - 1));
      b.run(until - 1, only);
      expect(b.dials).toHaveLength(count);
      at = until;
      b.upkeep.handleTimeout(millis(at));
    }
    expect(dialedAt[1]).toBeLessThan(2000);
    dialedAt.forEach((dialed, index) =>
      expect(dialed - (dialedAt[index - 3] ?? -60_000)).toBeGreaterThanOrEqual(60_000),
    );
    const gaps = dialedAt.map((dialed, index) => dialed - (dialedAt[index - 1] ?? 0));
    expect(Math.max(...gaps)).toBeLessThanOrEqual(50_000);
    b.upkeep.welcomed(relays[0] as PeerId);
    b.run(at, only);
    fail(b, at);
    expect((b.upkeep.deadline()?.at ?? 0) - at).toBeLessThan(2000);
  });

  it("[OV7] a dial that came too soon is made again when the budget says", () => {
    const b = bench();
    b.run(0, { relays: relays.slice(0, 1) });
    const first = b.dials[0];
    expect(first && b.upkeep.takeErrand(first.id)).toBeDefined();
    b.upkeep.failed(relays[0] as PeerId, millis(0), 17_000);
    expect(b.upkeep.deadline()?.at).toBe(17_000);
  });

  it("[OV7] a dial that has taken 150 ms no longer keeps the next from starting, and eight in the air are enough", () => {
    const b = bench();
    b.run(0);
    expect(b.dials).toHaveLength(3);
    b.upkeep.handleTimeout(millis(149));
    b.run(149);
    expect(b.dials).toHaveLength(3);
    expect(b.upkeep.deadline()?.at).toBe(150);
    for (let at = 150; at <= 1500; at += 150) {
      b.upkeep.handleTimeout(millis(at));
      b.run(at);
    }
    expect(b.dials.map(({ peer }) => peer)).toEqual(relays.slice(0, 8));
  });

  it("[OV7] whoever names relays without end fills no memory, and the room's own are not forgotten for them", () => {
    const b = bench();
    b.run(0);
    const named = Array.from({ length: 400 }, (_, index) => peerName(1000 + index));
    for (const peer of named) b.upkeep.learn([{ key: fromHex(peer), token: new Uint8Array(16), addresses: [] }]);
    expect(b.upkeep.addressesKnown).toBe(160);
    for (const { id } of b.dials) b.upkeep.takeErrand(id);
    b.run(10);
    expect(b.dials.slice(3).map(({ peer }) => peer)).toEqual(relays.slice(0, 3));
  });

  it("[OV7] dials that lost the race are called off, but for one that becomes the backup", () => {
    const b = bench();
    b.run(0);
    const [won, second, third] = b.dials;
    b.upkeep.takeErrand(won!.id);
    b.edges.add(sampleEdge(1, "up", { feed: true }).edge);
    b.run(90);
    expect(b.cancelled).toEqual([]);
    b.upkeep.handleTimeout(millis(190));
    b.run(190);
    expect(b.cancelled).toEqual([third!.id]);
    b.upkeep.takeErrand(second!.id);
    b.edges.add(sampleEdge(2, "up").edge);
    b.run(200);
    expect(b.upkeep.dialing).toBe(0);
  });

  it("[SS10] [SS11] an edge that lost its stream is dialed for at once, for the same session, three times a minute", () => {
    const b = bench();
    const { edge } = sampleEdge(1, "up");
    b.edges.add(edge);
    const times: number[] = [];
    for (let at = 0; at <= 130_000; at += 500) {
      if (at % 10_000 === 0) {
        edge.session.removeLink(edge.session.linkIds[0] ?? linkId(1), millis(at));
        edge.away = true;
        b.upkeep.streamLost(edge, millis(at));
      }
      const before = b.dials.length;
      b.run(at, { relays: relays.slice(0, 1) });
      const errand = b.dials.length > before ? b.upkeep.takeErrand(b.dials.at(-1)!.id) : undefined;
      if (!errand) continue;
      expect(errand.resumes).toBe(edge);
      times.push(at);
      edge.session.addLink(linkId(1), "stream", true, millis(at));
      edge.away = false;
    }
    expect(times).toEqual([0, 10_000, 20_000, 60_000, 70_000, 80_000, 120_000, 130_000]);
  });

  it("[OV7] a parent that fell out of the view is left, for nobody feeds it any more", () => {
    const b = bench();
    const stranger = sampleEdge(9, "up").edge;
    b.edges.add(stranger);
    b.run(0, { wanted: [stranger.peer] });
    expect(b.ended).toEqual([]);
    b.run(0);
    expect(b.ended).toEqual([stranger]);
  });

  it("[OV16] without media one edge is kept, the one heard last, and another is dialed only when it is gone", () => {
    const b = bench();
    const [first, second] = [sampleEdge(1, "up", { feed: false }).edge, sampleEdge(2, "up", { feed: false }).edge];
    for (const edge of [first, second]) b.edges.add(edge);
    second.session.handleFrame(linkId(2), { kind: "tick", nextMs: 200, stalled: false, passing: false }, millis(50));
    b.run(100, { muted: true });
    expect(b.ended).toEqual([first]);
    expect([b.promoted, b.dials]).toEqual([[], []]);
    b.edges.remove(second);
    b.run(200, { muted: true });
    b.run(300, { muted: true });
    expect(b.dials).toHaveLength(1);
    expect(b.upkeep.takeErrand(b.dials[0]!.id)).toMatchObject({ feed: false });
  });

  it("[SS12] a relay to which a stream froze is taken after the others", () => {
    const b = bench();
    b.run(0, { froze: (peer) => peer !== relays[4] });
    expect(b.dials[0]?.peer).toBe(relays[4]);
  });

  it("[SS12] who fell silent or did not answer is dialed on a connection of its own, until it lets us in", () => {
    const b = bench();
    const one = [relays[0] as PeerId];
    const dialed = (at: number): boolean | undefined => {
      b.run(at, { relays: one });
      const last = b.dials.at(-1);
      if (last) b.upkeep.takeErrand(last.id);
      return last?.fresh;
    };
    expect(dialed(0)).toBe(false);
    b.upkeep.silent(one[0] as PeerId);
    expect(dialed(10)).toBe(true);
    b.upkeep.welcomed(one[0] as PeerId);
    expect(dialed(20)).toBe(false);
    b.upkeep.failed(one[0] as PeerId, millis(30));
    expect(dialed(60_000)).toBe(true);
    expect(b.dials).toHaveLength(4);
  });

  it("[OV4] with a parent there is one more, without media; with that, nothing more", () => {
    const b = bench();
    const parent = sampleEdge(1, "up").edge;
    b.edges.add(parent);
    b.run(0);
    expect(b.dials).toHaveLength(1);
    expect(b.upkeep.takeErrand(b.dials[0]!.id)).toMatchObject({ peer: relays[1], feed: false, role: "member" });
    b.edges.add(sampleEdge(2, "up", { feed: false }).edge);
    b.run(1);
    expect(b.dials).toHaveLength(1);
  });

  it("[OV4] the dial that lost the race is the standby, also while its answer is on the way", () => {
    const b = bench();
    b.edges.add(sampleEdge(1, "up").edge);
    const { edge } = sampleEdge(2, "up");
    edge.welcomed = false;
    b.edges.add(edge);
    b.run(0);
    expect(b.dials).toEqual([]);
  });

  it("[OV7] when the parent is gone the standby is asked at once, one that said no is not", () => {
    const b = bench();
    const [refuser, standby] = [sampleEdge(1, "up", { feed: false }).edge, sampleEdge(2, "up", { feed: false }).edge];
    b.edges.add(refuser);
    b.edges.add(standby);
    b.upkeep.noFeed(refuser.peer, millis(0));
    b.run(0);
    expect(b.promoted).toEqual([standby]);
  });

  it("[OV8] relays that were named as having room are tried first, once", () => {
    const b = bench();
    const named = [relays[4], relays[3], relays[2]] as PeerId[];
    b.upkeep.prefer(named);
    b.run(0);
    expect(b.dials.map(({ peer }) => peer)).toEqual(named);
    for (const { id } of b.dials) b.upkeep.takeErrand(id);
    for (const peer of named) b.upkeep.welcomed(peer);
    b.run(1);
    expect(b.dials.slice(3).map(({ peer }) => peer)).toEqual(relays.slice(0, 3));
  });

  it("[OV1] a relay of the core dials its betters as siblings and gives up what it hung below", () => {
    const b = bench();
    const up = sampleEdge(5, "up", { role: "relay" }).edge;
    b.edges.add(up);
    b.run(0, { rank: 1 });
    expect(b.ended).toEqual([up]);
    expect(b.dials.map(({ peer }) => peer)).toEqual([relays[0]]);
    expect(b.upkeep.takeErrand(b.dials[0]!.id)).toMatchObject({ role: "core", feed: true });
  });

  it("[OV3] one that rose for another stays in the core until that one answers, though it is dialed again", () => {
    const b = bench();
    const third = { rank: 2 };
    b.upkeep.failed(relays[0]!, millis(0));
    b.run(0, third);
    expect(b.upkeep.isCore).toBe(true);
    expect(b.dials.map(({ peer }) => peer)).toEqual([relays[1]]);
    b.upkeep.handleTimeout(millis(2000));
    b.run(2000, third);
    expect(b.upkeep.isCore).toBe(true);
    expect(b.dials.map(({ peer }) => peer)).toEqual([relays[1], relays[0]]);
    b.upkeep.welcomed(relays[0]!);
    b.run(2100, third);
    expect(b.upkeep.isCore).toBe(false);
  });

  it("[OV2] [OV3] one below the core hangs below its parent, and is of the core when its betters are dead", () => {
    const b = bench();
    b.run(0, { rank: 2 });
    expect(b.dials[0]?.peer).toBe(relays[0]);
    const late = bench();
    late.upkeep.failed(relays[0] as PeerId, millis(0));
    late.run(0, { rank: 2 });
    expect(late.dials.map(({ peer }) => peer)).toEqual([relays[1]]);
    expect(late.upkeep.takeErrand(late.dials[0]!.id)?.role).toBe("core");
  });

  it("a host keeps an edge to every relay that it asked, whatever the plan", () => {
    const b = bench();
    b.edges.add(sampleEdge(1, "up").edge);
    b.run(0, { wanted: relays });
    expect(b.dials.map(({ peer }) => peer).toSorted()).toEqual(relays.slice(1));
  });

  it("[RM26] every relay is tried twice before a search is over, or once when it said no for good", () => {
    const b = bench();
    const two = relays.slice(0, 2);
    expect(b.upkeep.exhausted(two)).toBe(false);
    b.upkeep.refused(two[0] as PeerId, true, millis(0));
    b.upkeep.failed(two[1] as PeerId, millis(0));
    expect(b.upkeep.exhausted(two)).toBe(false);
    b.upkeep.refused(two[1] as PeerId, false, millis(0));
    expect(b.upkeep.exhausted(two)).toBe(true);
    b.run(100_000);
    expect(b.upkeep.exhausted(two)).toBe(false);
  });
});
