import { describe, expect, it } from "vitest";
import { millis, type PeerId } from "../../../../p2p/api/ids.ts";
import { fromHex } from "../../../../p2p/core/bytes.ts";
import type { Advert } from "../../../../p2p/core/overlay/directory/advert.ts";
import { Adverts, type AdvertWires } from "../../../../p2p/core/overlay/directory/adverts.ts";
import { Edges } from "../../../../p2p/core/overlay/edge.ts";
import { nowhere } from "../../../../p2p/core/overlay/place/coordinate.ts";
import { shortIdOf } from "../../../../p2p/core/overlay/place/path.ts";
import { Standing } from "../../../../p2p/core/overlay/place/standing.ts";
import { Rng } from "../../../../p2p/core/rng.ts";
import { peerName, type SampleEdge, sampleEdge } from "../edges.ts";
import { sampleAdvert, sampleCoordinate } from "../place-samples.ts";

const self = `${"ab".repeat(6)}${"0".repeat(52)}` as PeerId;
const about = { kind: "about", coordinate: nowhere, holds: 0 } as const;

interface Bench {
  readonly adverts: Adverts;
  readonly edges: Edges;
  readonly rejected: string[];
}

/** A relay of the core with eight slots, or whoever `changes` make of it. */
function bench(neighbours: readonly SampleEdge[], changes: Partial<AdvertWires> = {}): Bench {
  const rejected: string[] = [];
  const wires: AdvertWires = {
    self,
    address: undefined,
    slots: () => ({ used: 0, max: 8 }),
    isRanked: () => true,
    isCore: () => true,
    isShort: () => false,
    holds: () => 0,
    gone: () => undefined,
    reject: (reason) => void rejected.push(reason),
    ...changes,
  };
  const edges = new Edges();
  for (const { edge } of neighbours) edges.add(edge);
  const isCore = (): boolean => wires.isCore();
  const standing = new Standing(edges, { self, isCore, random: () => 0.5, looped: () => undefined });
  return { adverts: new Adverts(edges, standing, wires, millis(0)), edges, rejected };
}

function advertOf(peer: PeerId, changes: Partial<Advert> = {}): Advert {
  const advert = sampleAdvert(new Rng(peer));
  return { ...advert, peer, address: { ...advert.address, key: fromHex(peer) }, version: 1, ...changes };
}

describe("who lends", () => {
  it("[OV19] takes its advert back once lending is paused, and has nothing to renew", () => {
    let max = 8;
    const sibling = sampleEdge(7, "mesh");
    const { address } = sampleAdvert(new Rng("own"));
    const { adverts } = bench([sibling], { address, slots: () => ({ used: 0, max }) });
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
    const child = sampleEdge(3, "down");
    const { adverts } = bench([child]);
    adverts.handleAbout(child.edge, { ...about, advert: advertOf(child.edge.peer, { free: 4 }) }, millis(10));
    expect(adverts.directory.all()).toMatchObject([{ free: 4 }]);
    adverts.handleAbout(child.edge, { ...about, advert: undefined }, millis(20));
    expect(adverts.directory.size).toBe(0);
    expect(child.edge.advert).toMatchObject({ free: 0 });
  });

  it("[OV19] a parent that was left, and is taken again, is told the whole of what hangs below", () => {
    const [above, other] = [sampleEdge(1, "up"), sampleEdge(2, "up", { feed: false })];
    const below = sampleEdge(3, "down");
    const { adverts } = bench([above, other, below], { isRanked: () => false, isCore: () => false });
    // The same link, seen from the parent.
    const here = sampleEdge(4, "down");
    const parent = bench([here]);
    const said = (): void => {
      for (const paper of above.papers()) {
        if (paper.kind === "adverts") parent.adverts.handleAdverts(here.edge, paper, millis(1));
      }
      above.frames.length = 0;
    };
    here.edge.advert = advertOf(here.edge.peer);
    const lent = (version: number, free: number): void => {
      const advert = advertOf(below.edge.peer, { version, free });
      adverts.handleAbout(below.edge, { ...about, advert }, millis(1000 * version));
      adverts.review(millis(1000 * version + 500));
    };
    lent(1, 4);
    said();
    expect(parent.adverts.directory.all()).toMatchObject([{ peer: below.edge.peer, free: 4 }]);
    [above.edge.feed, other.edge.feed] = [false, true];
    parent.adverts.feedChanged(Object.assign(here.edge, { feed: false }), millis(1500));
    expect(parent.adverts.directory.size).toBe(0);
    lent(2, 3);
    [above.edge.feed, other.edge.feed] = [true, false];
    parent.adverts.feedChanged(Object.assign(here.edge, { feed: true }), millis(2900));
    lent(3, 2);
    said();
    expect(parent.adverts.directory.all()).toContainEqual(expect.objectContaining({ peer: below.edge.peer, free: 2 }));
  });
});

describe("hostile neighbours", () => {
  it("[OV19] nobody lends in another's name, and a leaf brings no adverts", () => {
    const child = sampleEdge(3, "down");
    const { adverts, rejected } = bench([child]);
    const advert = sampleAdvert(new Rng("forged"));
    adverts.handleAbout(child.edge, { kind: "about", coordinate: sampleCoordinate, holds: 0, advert }, millis(1));
    adverts.handleAdverts(child.edge, { kind: "adverts", adverts: [advert], news: [], gone: [] }, millis(1));
    expect(rejected).toEqual(["advert", "advert"]);
    expect(adverts.directory.size).toBe(0);
  });

  it("[OV19] who brings ever other lenders does not fill the memory of what neighbours were told", () => {
    const [liar, sibling] = [sampleEdge(1, "mesh"), sampleEdge(2, "mesh")];
    const { adverts } = bench([liar, sibling]);
    for (let second = 1; second <= 600; second++) {
      for (let each = 0; each < 20; each++) {
        const peer = peerName(second * 20 + each)
          .slice(-12)
          .padEnd(64, "0") as PeerId;
        const paper = { kind: "adverts", adverts: [advertOf(peer)], news: [], gone: [] } as const;
        adverts.handleAdverts(liar.edge, paper, millis(1000 * second));
      }
      adverts.review(millis(1000 * second + 600));
      sibling.frames.length = 0;
      expect(adverts.remembered).toBeLessThan(3 * 2048);
    }
  });
});
