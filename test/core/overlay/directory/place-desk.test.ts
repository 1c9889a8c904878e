import { describe, expect, it } from "vitest";
import { millis, type PeerId } from "../../../../p2p/api/ids.ts";
import { Directory } from "../../../../p2p/core/overlay/directory/directory.ts";
import { PlaceDesk } from "../../../../p2p/core/overlay/directory/place-desk.ts";
import { Edges } from "../../../../p2p/core/overlay/edge.ts";
import { nowhere } from "../../../../p2p/core/overlay/place/coordinate.ts";
import { shortIdOf } from "../../../../p2p/core/overlay/place/path.ts";
import { sampleEdge } from "../edges.ts";
import { sampleCoordinate } from "../place-samples.ts";

const self = `${"ab".repeat(6)}${"0".repeat(52)}` as PeerId;
const id = shortIdOf(self);
const request = {
  kind: "place",
  id: 7,
  passed: 0,
  self: id,
  coordinate: sampleCoordinate,
  parent: id,
  lends: false,
  purpose: "parent",
  belowMs: 0xffff,
  avoids: [],
} as const;

describe("asking for a place", () => {
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
    desk.handlePlace(child.edge, request, millis(0));
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
    for (let ask = 0; ask < 100; ask++) desk.handlePlace(child.edge, request, millis(1000));
    expect(rejected).toHaveLength(80);
    for (let ask = 0; ask < 10; ask++) desk.handlePlace(child.edge, request, millis(2000));
    expect(rejected).toHaveLength(86);
  });
});
