import { describe, expect, it } from "vitest";
import { millis, type PeerId } from "../../../../p2p/api/ids.ts";
import type { Advert } from "../../../../p2p/core/overlay/directory/advert.ts";
import { type Edge, Edges } from "../../../../p2p/core/overlay/edge.ts";
import { Seeker } from "../../../../p2p/core/overlay/place/seeker.ts";
import { Standing } from "../../../../p2p/core/overlay/place/standing.ts";
import { Rng } from "../../../../p2p/core/rng.ts";
import { type SampleEdge, sampleEdge } from "../edges.ts";
import { sampleAdvert } from "../place-samples.ts";

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
