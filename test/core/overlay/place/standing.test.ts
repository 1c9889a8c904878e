import { describe, expect, it } from "vitest";
import { millis } from "../../../../p2p/api/ids.ts";
import { nowhere } from "../../../../p2p/core/overlay/place/coordinate.ts";
import { type Edge, Edges } from "../../../../p2p/core/overlay/edge.ts";
import { HandOffs } from "../../../../p2p/core/overlay/door/hand-off.ts";
import type { Paper } from "../../../../p2p/core/overlay/news/papers.ts";
import { depthMax, shortIdOf } from "../../../../p2p/core/overlay/place/path.ts";
import { Standing } from "../../../../p2p/core/overlay/place/standing.ts";
import { peerName, type SampleEdge, sampleEdge } from "../edges.ts";

const self = `${"ab".repeat(6)}${"0".repeat(52)}` as ReturnType<typeof peerName>;

interface Bench {
  readonly standing: Standing;
  readonly looped: Edge[];
}

function bench(edges: readonly SampleEdge[], isCore = false): Bench {
  const all = new Edges();
  for (const { edge } of edges) all.add(edge);
  const looped: Edge[] = [];
  const wires = { self, isCore: () => isCore, random: () => 0.5, looped: (edge: Edge) => void looped.push(edge) };
  return { standing: new Standing(all, wires), looped };
}

function standing(rootDelayMs: number, ...path: string[]): Extract<Paper, { kind: "standing" }> {
  return { kind: "standing", rootDelayMs, coordinate: nowhere, path };
}

function told({ papers }: SampleEdge): unknown[] {
  return papers().filter((paper) => paper.kind === "standing");
}

describe("where somebody stands", () => {
  it("[OV24] the core is its own way; below it root delays and paths add up, and are told down", () => {
    expect(bench([], true).standing.own).toEqual({ rootDelayMs: 0, path: [shortIdOf(self)] });
    const [up, down] = [sampleEdge(1, "up"), sampleEdge(2, "down")];
    up.edge.session.roundTrip.learn(60);
    const { standing: own } = bench([up, down]);
    expect(own.own.path).toEqual([]);
    own.handle(up.edge, standing(40, "000000000001"), millis(10));
    expect(own.own).toEqual({ rootDelayMs: 40 + 30 + 4, path: ["000000000001", shortIdOf(self)] });
    expect(told(down)).toMatchObject([{ rootDelayMs: 74, path: ["000000000001", shortIdOf(self)] }]);
  });

  it("[OV24] another way is told at once, a small change of the delay not at all, a great one after 5 s", () => {
    const [up, down] = [sampleEdge(1, "up"), sampleEdge(2, "down")];
    up.edge.session.roundTrip.learn(60);
    const { standing: own } = bench([up, down]);
    // Until it knows where it is.
    for (let at = 10; at < 100_000; at += 5000) own.handle(up.edge, standing(40, "000000000001"), millis(at));
    const before = told(down).length;
    own.handle(up.edge, standing(44, "000000000001"), millis(105_000));
    expect(own.deadline()).toBeUndefined();
    own.handle(up.edge, standing(90, "000000000001"), millis(105_010));
    expect(told(down)).toHaveLength(before + 1);
    own.handle(up.edge, standing(40, "000000000001"), millis(105_020));
    expect(own.deadline()?.at).toBe(110_010);
    own.handleTimeout(millis(110_010));
    expect(told(down)).toHaveLength(before + 2);
    own.handle(up.edge, standing(40, "000000000009", "000000000001"), millis(110_020));
    expect(told(down)).toHaveLength(before + 3);
  });

  it("[OV24] whoever is on its parent's path, or deeper than trees get, is no child of it", () => {
    const up = sampleEdge(1, "up");
    const { standing: own, looped } = bench([up]);
    own.handle(up.edge, standing(10, "000000000002", shortIdOf(self), "000000000001"), millis(1));
    expect(looped).toEqual([up.edge]);
    own.handle(
      up.edge,
      standing(10, ...Array.from({ length: depthMax }, (_, at) => `00000000000${at % 9}`)),
      millis(2),
    );
    expect(looped).toHaveLength(2);
  });

  it("[OV24] nobody below says where the core is", () => {
    const down = sampleEdge(2, "down");
    const { standing: own } = bench([down]);
    own.handle(down.edge, standing(0, "000000000002"), millis(1));
    expect(down.edge.path).toEqual([]);
    expect(own.own.path).toEqual([]);
  });
});

describe("a word for somebody", () => {
  it("[OV22] counts from the parent alone, for that peer, once, and not for long", () => {
    const [up, other] = [sampleEdge(1, "up"), sampleEdge(2, "up", { feed: false })];
    const edges = new Edges();
    for (const { edge } of [up, other]) edges.add(edge);
    const rejected: string[] = [];
    const hands = new HandOffs(edges, {
      slots: () => ({ used: 0, max: 8 }),
      guests: () => 0,
      placeFor: () => undefined,
      random: () => 0.5,
      reject: (reason) => void rejected.push(reason),
    });
    hands.expect(other.edge, peerName(7), millis(0));
    expect(rejected).toEqual(["expect"]);
    expect(hands.redeem(peerName(7), millis(1))).toBe(false);
    hands.expect(up.edge, peerName(7), millis(0));
    expect(hands.redeem(peerName(8), millis(1))).toBe(false);
    expect(hands.redeem(peerName(7), millis(1))).toBe(true);
    expect(hands.redeem(peerName(7), millis(1))).toBe(false);
    hands.expect(up.edge, peerName(7), millis(0));
    expect(hands.redeem(peerName(7), millis(10_000))).toBe(false);
    for (let number = 0; number < 100; number++) hands.expect(up.edge, peerName(number), millis(0));
    expect(hands.redeem(peerName(0), millis(1))).toBe(false);
    expect(hands.redeem(peerName(99), millis(1))).toBe(true);
  });
});
