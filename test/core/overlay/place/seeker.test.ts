import { describe, expect, it } from "vitest";
import { millis, type PeerId } from "../../../../p2p/api/ids.ts";
import type { Advert } from "../../../../p2p/core/overlay/directory/advert.ts";
import { Adverts } from "../../../../p2p/core/overlay/directory/adverts.ts";
import { Directory } from "../../../../p2p/core/overlay/directory/directory.ts";
import { type Edge, Edges } from "../../../../p2p/core/overlay/edge.ts";
import { nowhere } from "../../../../p2p/core/overlay/place/coordinate.ts";
import { shortIdOf } from "../../../../p2p/core/overlay/place/path.ts";
import { PlaceDesk } from "../../../../p2p/core/overlay/directory/place-desk.ts";
import { Seeker } from "../../../../p2p/core/overlay/place/seeker.ts";
import { Standing } from "../../../../p2p/core/overlay/place/standing.ts";
import { Rng } from "../../../../p2p/core/rng.ts";
import { type SampleEdge, sampleEdge } from "../edges.ts";
import { sampleAdvert, sampleCoordinate } from "../place-samples.ts";

const self = `${"ab".repeat(6)}${"0".repeat(52)}` as PeerId;

interface Bench {
  readonly seeker: Seeker;
  readonly edges: Edges;
  readonly asked: { readonly edge: Edge; readonly on: boolean }[];
  readonly ended: Edge[];
  readonly dialed: PeerId[];
}

/** Somebody below a parent that is 100 ms from the core. */
function bench(parent: SampleEdge): Bench {
  const edges = new Edges();
  edges.add(parent.edge);
  stand(parent, 60, 36);
  const standing = new Standing(edges, { self, isCore: () => false, random: () => 0.5, looped: () => undefined });
  const asked: Bench["asked"] = [];
  const ended: Edge[] = [];
  const dialed: PeerId[] = [];
  let id = 1;
  const seeker = new Seeker(edges, standing, {
    self,
    isFree: () => true,
    lends: () => false,
    offersHere: () => undefined,
    tryOut: ({ peer }) => void dialed.push(peer),
    feed: (edge, on) => {
      asked.push({ edge, on });
      edge.feed = on;
    },
    end: (edge) => {
      ended.push(edge);
      edges.remove(edge);
    },
    takeId: () => id++,
    random: () => 0.5,
  });
  return { seeker, edges, asked, ended, dialed };
}

/** Where a neighbour says that it stands, and how far it is. */
function stand({ edge }: SampleEdge, rootDelayMs: number, halfRoundTripMs: number): void {
  edge.session.roundTrip.learn(2 * halfRoundTripMs);
  edge.rootDelayMs = rootDelayMs;
  edge.path = [edge.peer.slice(0, 12)];
}

function advertOf(peer: PeerId): Advert {
  return { ...sampleAdvert(new Rng(peer)), peer };
}

/** Offers a place, and lets it be measured. */
function offer(b: Bench, candidate: SampleEdge, rootDelayMs: number, halfRoundTripMs: number, at: number): void {
  b.seeker.review(millis(at));
  b.seeker.handleOffers(b.edges.parent!, 1, [advertOf(candidate.edge.peer)], millis(at + 10));
  expect(b.dialed).toEqual([candidate.edge.peer]);
  b.edges.add(candidate.edge);
  stand(candidate, rootDelayMs, halfRoundTripMs);
  b.seeker.stood(candidate.edge, millis(at + 100));
}

describe("looking for a better place", () => {
  it("[OV21] the new parent feeds before the old one is told to stop, and the old one stays in reserve", () => {
    const [old, next] = [sampleEdge(1, "up"), sampleEdge(2, "up", { feed: false })];
    const b = bench(old);
    offer(b, next, 40, 10, 0);
    expect(b.asked).toEqual([{ edge: next.edge, on: true }]);
    for (let packet = 0; packet < 4; packet++) b.seeker.heard(next.edge, true, millis(200 + packet));
    expect(b.asked).toHaveLength(1);
    b.seeker.heard(next.edge, true, millis(210));
    expect(b.asked[1]).toEqual({ edge: old.edge, on: false });
    expect(b.ended).toEqual([]);
  });

  it("[OV21] nobody moves for what is no gain", () => {
    const [old, next] = [sampleEdge(1, "up"), sampleEdge(2, "up", { feed: false })];
    const b = bench(old);
    offer(b, next, 62, 32, 0);
    expect(b.asked).toEqual([]);
  });

  it("[OV21] when the best has no slot any more, the other that was measured is asked", () => {
    const old = sampleEdge(1, "up");
    const [best, other] = [sampleEdge(2, "up", { feed: false }), sampleEdge(3, "up", { feed: false })];
    const b = bench(old);
    b.seeker.review(millis(0));
    b.seeker.handleOffers(
      old.edge,
      1,
      [best, other].map(({ edge }) => advertOf(edge.peer)),
      millis(10),
    );
    for (const [candidate, rootDelayMs] of [
      [best, 20],
      [other, 40],
    ] as const) {
      b.edges.add(candidate.edge);
      stand(candidate, rootDelayMs, 10);
      b.seeker.stood(candidate.edge, millis(100));
    }
    expect(b.asked).toEqual([{ edge: best.edge, on: true }]);
    best.edge.feed = false;
    b.seeker.refused(best.edge, millis(200));
    expect(b.asked.slice(1)).toEqual([{ edge: other.edge, on: true }]);
    b.seeker.refused(other.edge, millis(300));
    expect(b.asked).toHaveLength(2);
  });

  it("[OV21] a parent that claimed to be near the core and is not is left, and not believed again", () => {
    const [old, liar] = [sampleEdge(1, "up"), sampleEdge(2, "up", { feed: false })];
    const b = bench(old);
    offer(b, liar, 0, 10, 0);
    for (let packet = 0; packet < 5; packet++) b.seeker.heard(liar.edge, false, millis(200 + packet));
    expect(b.ended).toEqual([liar.edge]);
    expect(b.asked).toHaveLength(1);
    expect(b.seeker.isDisbelieved(liar.edge.peer, millis(300_000))).toBe(true);
    expect(b.seeker.isDisbelieved(liar.edge.peer, millis(300_300))).toBe(false);
  });

  it("[OV22] a hand-off that led nowhere in time is over: who was meant is later chosen like anybody", () => {
    const [old, next] = [sampleEdge(1, "up"), sampleEdge(2, "up", { feed: false })];
    const b = bench(old);
    b.seeker.handOff(advertOf(next.edge.peer), millis(0));
    b.seeker.handleTimeout(millis(3000));
    expect(b.dialed.splice(0)).toEqual([next.edge.peer]);
    b.seeker.review(millis(3000));
    b.seeker.handleOffers(b.edges.parent!, 1, [advertOf(next.edge.peer)], millis(3010));
    b.edges.add(next.edge);
    stand(next, 62, 32);
    b.seeker.stood(next.edge, millis(3100));
    // It is no gain, and nobody's word for it holds any more.
    expect(b.asked).toEqual([]);
  });

  it("[OV20] an answer that was not asked for, or comes twice, leads nobody anywhere", () => {
    const b = bench(sampleEdge(1, "up"));
    b.seeker.handleOffers(b.edges.parent!, 1, [advertOf(sampleEdge(2, "up").edge.peer)], millis(0));
    expect(b.dialed).toEqual([]);
    b.seeker.review(millis(0));
    const other = sampleEdge(4, "up", { feed: false });
    b.edges.add(other.edge);
    b.seeker.handleOffers(other.edge, 1, [advertOf(sampleEdge(2, "up").edge.peer)], millis(10));
    expect(b.dialed).toEqual([]);
  });
});

describe("who lends", () => {
  it("[OV19] takes its advert back once lending is paused, and has nothing to renew", () => {
    let max = 8;
    const wires = {
      self,
      address: sampleAdvert(new Rng("own")).address,
      slots: () => ({ used: 0, max }),
      isRanked: () => true,
      isCore: () => true,
      isShort: () => false,
      holds: () => 0,
      gone: () => undefined,
      reject: () => undefined,
    };
    const edges = new Edges();
    const sibling = sampleEdge(7, "mesh");
    edges.add(sibling.edge);
    const standing = new Standing(edges, { self, isCore: () => true, random: () => 0.5, looped: () => undefined });
    const adverts = new Adverts(edges, standing, wires, millis(0));
    adverts.review(millis(0));
    adverts.handleTimeout(millis(500));
    expect(adverts.deadline()?.at).toBe(30_000);
    max = 0;
    adverts.review(millis(5000));
    adverts.handleTimeout(millis(5500));
    expect(sibling.papers().at(-1)).toMatchObject({ kind: "adverts", adverts: [], gone: [shortIdOf(self)] });
    expect(adverts.directory.size).toBe(0);
    expect(adverts.deadline()).toBeUndefined();
  });

  it("[OV19] who lends no more is in no directory a moment later, and is still no leaf", () => {
    const edges = new Edges();
    const child = sampleEdge(3, "down");
    edges.add(child.edge);
    const wires = {
      self,
      address: undefined,
      slots: () => ({ used: 0, max: 8 }),
      isRanked: () => true,
      isCore: () => true,
      isShort: () => false,
      holds: () => 0,
      gone: () => undefined,
      reject: () => undefined,
    };
    const standing = new Standing(edges, { self, isCore: () => true, random: () => 0.5, looped: () => undefined });
    const adverts = new Adverts(edges, standing, wires, millis(0));
    const about = { kind: "about", coordinate: nowhere, holds: 0 } as const;
    adverts.handleAbout(child.edge, { ...about, advert: { ...advertOf(child.edge.peer), free: 4 } }, millis(10));
    expect(adverts.directory.all()).toMatchObject([{ free: 4 }]);
    adverts.handleAbout(child.edge, { ...about, advert: undefined }, millis(20));
    expect(adverts.directory.size).toBe(0);
    expect(child.edge.advert).toMatchObject({ free: 0 });
  });
});

describe("hostile neighbours", () => {
  it("[OV19] nobody lends in another's name, and a leaf brings no adverts", () => {
    const rejected: string[] = [];
    const edges = new Edges();
    const child = sampleEdge(3, "down");
    edges.add(child.edge);
    const wires = {
      self,
      address: undefined,
      slots: () => ({ used: 0, max: 8 }),
      isRanked: () => true,
      isCore: () => true,
      isShort: () => false,
      holds: () => 0,
      gone: () => undefined,
      reject: (reason: string) => void rejected.push(reason),
    };
    const standing = new Standing(edges, { self, isCore: () => true, random: () => 0.5, looped: () => undefined });
    const adverts = new Adverts(edges, standing, wires, millis(0));
    const advert = sampleAdvert(new Rng("forged"));
    adverts.handleAbout(child.edge, { kind: "about", coordinate: sampleCoordinate, holds: 0, advert }, millis(1));
    adverts.handleAdverts(child.edge, { kind: "adverts", adverts: [advert], news: [], gone: [] }, millis(1));
    expect(rejected).toEqual(["advert", "advert"]);
    expect(adverts.directory.size).toBe(0);
  });

  it("[OV20] only who was asked for places answers whoever is below", () => {
    const edges = new Edges();
    const [parent, other] = [sampleEdge(1, "up"), sampleEdge(2, "up", { feed: false })];
    const child = sampleEdge(3, "down");
    for (const { edge } of [parent, other, child]) edges.add(edge);
    const desk = new PlaceDesk(new Directory(), edges, {
      isRanked: () => false,
      here: () => nowhere,
      random: () => 0.5,
      reject: () => undefined,
    });
    const id = shortIdOf(self);
    const head = {
      kind: "place",
      id: 7,
      passed: 0,
      self: id,
      parent: id,
      lends: false,
      purpose: "parent",
      belowMs: 0xffff,
      avoids: [],
    } as const;
    desk.handlePlace(child.edge, { ...head, coordinate: sampleCoordinate }, millis(0));
    const [asked] = parent.papers();
    if (asked?.kind !== "place") throw new Error("nobody was asked");
    const offers = { kind: "offers", id: asked.id, adverts: [] } as const;
    expect(desk.handleOffers(other.edge, offers, millis(10))).toBe(false);
    expect(child.papers()).toEqual([]);
    expect(desk.handleOffers(parent.edge, offers, millis(20))).toBe(true);
    expect(child.papers()).toEqual([{ ...offers, id: 7 }]);
  });

  it("[OV20] who asks for places without end is answered 20 times, and 4 times a second", () => {
    const rejected: string[] = [];
    const edges = new Edges();
    const child = sampleEdge(3, "down");
    edges.add(child.edge);
    const wires = {
      here: () => nowhere,
      isRanked: () => true,
      random: () => 0.5,
      reject: (reason: string) => void rejected.push(reason),
    };
    const desk = new PlaceDesk(new Directory(), edges, wires);
    const id = shortIdOf(self);
    const head = {
      kind: "place",
      id: 1,
      passed: 0,
      self: id,
      parent: id,
      lends: false,
      purpose: "parent",
      belowMs: 0xffff,
      avoids: [],
    } as const;
    for (let ask = 0; ask < 100; ask++)
      desk.handlePlace(child.edge, { ...head, coordinate: sampleCoordinate }, millis(1000));
    expect(rejected).toHaveLength(80);
    for (let ask = 0; ask < 10; ask++)
      desk.handlePlace(child.edge, { ...head, coordinate: sampleCoordinate }, millis(2000));
    expect(rejected).toHaveLength(86);
  });
});
