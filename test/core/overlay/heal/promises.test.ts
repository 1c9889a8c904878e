import { describe, expect, it } from "vitest";
import { millis } from "../../../../p2p/api/ids.ts";
import { Edges } from "../../../../p2p/core/overlay/edge.ts";
import { Promises } from "../../../../p2p/core/overlay/heal/promises.ts";
import { shortIdOf } from "../../../../p2p/core/overlay/place/path.ts";
import { peerName, type SampleEdge, sampleEdge } from "../edges.ts";

/** Peers whose short ids differ. */
const [oneNumber, otherNumber] = [2 ** 250, 2 ** 251];
const [one, other] = [shortIdOf(peerName(oneNumber)), shortIdOf(peerName(otherNumber))];

/** A relay with so many slots, and some who wait at it in reserve. */
function bench(max: number, waiting: number) {
  const edges = new Edges();
  const rejected: string[] = [];
  const slots = { used: 0, max };
  const promises = new Promises(edges, { slots: () => slots, reject: (reason) => void rejected.push(reason) });
  const samples = Array.from({ length: waiting }, (_, index) => sampleEdge(index + 1, "down", { feed: false }));
  for (const { edge } of samples) edges.add(edge);
  const reserve = (index: number, parent: string, at: number): void =>
    promises.handleReserve(samples[index]!.edge, { kind: "reserve", parent }, millis(at));
  return { edges, promises, samples, slots, rejected, reserve };
}

/** What it was told, in order. */
function told({ papers }: SampleEdge): boolean[] {
  return papers().flatMap((paper) => (paper.kind === "promise" ? [paper.kept] : []));
}

describe("slots for who loses its parent", () => {
  it("[OV52] of those below one parent no more are told yes than there are slots; those of another may have the same", () => {
    const b = bench(2, 5);
    for (const index of [0, 1, 2]) b.reserve(index, one, 0);
    for (const index of [3, 4]) b.reserve(index, other, 0);
    expect(b.samples.map(told)).toEqual([[true], [true], [false], [true], [true]]);
  });

  it("[OV52] when a slot is taken the last to come is told no, once a second at most; when it is free again, yes", () => {
    const b = bench(2, 2);
    b.reserve(0, one, 0);
    b.reserve(1, one, 0);
    b.slots.used = 1;
    b.promises.review(millis(10));
    expect(b.samples.map(told)).toEqual([[true], [true, false]]);
    b.slots.used = 0;
    b.promises.review(millis(500));
    expect(told(b.samples[1]!)).toEqual([true, false]);
    expect(b.promises.deadline()?.at).toBe(1010);
    b.promises.review(millis(1010));
    expect(told(b.samples[1]!)).toEqual([true, false, true]);
    expect(b.promises.deadline()).toBeUndefined();
  });

  it("[OV52] who hangs elsewhere now says so, and is counted there", () => {
    const b = bench(1, 2);
    b.reserve(0, one, 0);
    b.reserve(1, one, 0);
    b.reserve(0, other, 100);
    b.promises.review(millis(2000));
    expect(b.samples.map(told)).toEqual([
      [true, true],
      [false, true],
    ]);
  });

  it("[OV52] who is in reserve above is told below whom we hang, once, and again when it is another", () => {
    const edges = new Edges();
    const [parent, reserve] = [sampleEdge(oneNumber, "up"), sampleEdge(2, "up", { feed: false })];
    edges.add(parent.edge);
    edges.add(reserve.edge);
    const promises = new Promises(edges, { slots: () => undefined, reject: () => undefined });
    const said = (): string[] => reserve.papers().flatMap((paper) => (paper.kind === "reserve" ? [paper.parent] : []));
    for (const at of [0, 10]) promises.review(millis(at));
    expect(said()).toEqual([one]);
    edges.remove(parent.edge);
    const next = sampleEdge(otherNumber, "up");
    edges.add(next.edge);
    promises.review(millis(20));
    expect(said()).toEqual([one, other]);
    expect(parent.papers()).toEqual([]);
  });

  it("[OV52] from whom no promise can come, none counts", () => {
    const b = bench(1, 1);
    b.promises.handlePromise(b.samples[0]!.edge, { kind: "promise", kept: true });
    expect(b.samples[0]!.edge.kept).toBeUndefined();
    const up = sampleEdge(9, "up");
    b.promises.handleReserve(up.edge, { kind: "reserve", parent: one }, millis(0));
    expect(up.papers()).toEqual([]);
    expect(b.rejected).toEqual(["promise", "reserve"]);
  });
});
