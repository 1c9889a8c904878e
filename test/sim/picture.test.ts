import { describe, expect, it } from "vitest";
import { draw } from "./picture/draw.ts";
import { layOut } from "./picture/layout.ts";
import type { DrawnPeer, Snapshot } from "./picture/snapshot.ts";

const peer = (node: number, parent: number | undefined, delayMs: number, hops: number, slots = 0): DrawnPeer => ({
  node,
  parent,
  region: node % 2 === 0 ? "europe" : "asia-east",
  delayMs,
  hops,
  slots,
});
const tree = [
  peer(0, undefined, 0, 0, 4),
  peer(1, undefined, 0, 0, 4),
  peer(2, 0, 20, 1, 3),
  peer(3, 2, 50, 2),
  peer(4, 2, 40, 2),
  peer(5, 0, 30, 1),
];
const snapshot: Snapshot = {
  title: "a room with <3 and & in it",
  figures: [["in the tree", "6"]],
  peers: tree,
  lost: 0,
  seconds: [
    { members: 0, onTime: undefined },
    { members: 4, onTime: 1 },
    { members: 4, onTime: 0.97 },
  ],
  blows: [{ second: 1, what: "10 % die" }],
};

describe("the picture of a run", () => {
  it("gives everybody a place, and each subtree a slice of its own", () => {
    const placed = layOut(tree);
    expect(placed).toHaveLength(tree.length);
    const angleOf = (node: number): number => placed.find((each) => each.node === node)!.angle;
    const [low, high] = [Math.min(angleOf(3), angleOf(4)), Math.max(angleOf(3), angleOf(4))];
    expect(angleOf(2)).toBeGreaterThan(low);
    expect(angleOf(2)).toBeLessThan(high);
    expect(angleOf(5) > low && angleOf(5) < high).toBe(false);
    expect(placed.find((each) => each.node === 2)!.children).toBe(2);
  });

  it("is one well-formed SVG with every peer, every blow and no markup from words", () => {
    const svg = draw(snapshot);
    expect(svg.startsWith("<svg ")).toBe(true);
    expect(svg.endsWith("</svg>\n")).toBe(true);
    expect(svg.match(/<path /g)).toHaveLength(4);
    expect(svg).toContain("a room with &lt;3 and &amp; in it");
    expect(svg).toContain("10 % die");
    expect(svg).not.toContain("NaN");
    expect(svg).not.toContain("Infinity");
  });

  it("of an empty room is drawn too", () => {
    expect(draw({ ...snapshot, peers: [], seconds: [], blows: [] })).not.toMatch(/NaN|Infinity/);
  });
});
