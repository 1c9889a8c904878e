import { expect, it } from "vitest";
import { millis, type RoomTag } from "../../../../p2p/api/ids.ts";
import { toHex } from "../../../../p2p/core/bytes.ts";
import { Edges } from "../../../../p2p/core/overlay/edge.ts";
import { Notices } from "../../../../p2p/core/overlay/news/notices.ts";
import type { RelayView } from "../../../../p2p/core/room/state/view.ts";
import { sampleRoom, testNow } from "../../fixtures.ts";
import { sampleEdge } from "../edges.ts";

/** What is posted for a sample room with these edges. */
function bench(edges: Edges, rejected: string[] = []): { readonly notices: Notices; readonly view: RelayView } {
  const { crypto, keys, view } = sampleRoom("notices");
  const notices = new Notices(toHex(keys.carriage.key) as RoomTag, crypto, edges, {
    viewTaken: () => undefined,
    time: (now) => now,
    resident: () => undefined,
    keys: () => undefined,
    fault: () => undefined,
    reject: (reason) => void rejected.push(reason),
    end: () => undefined,
  });
  return { notices, view };
}

it("[OV11] [OV23] a view is passed on to whoever is fed and across, not to those kept in reserve", () => {
  const parent = sampleEdge(1, "up");
  const backup = sampleEdge(2, "up", { feed: false });
  const mesh = sampleEdge(3, "mesh");
  const child = sampleEdge(4, "down");
  const reserve = sampleEdge(5, "down", { feed: false });
  const relay = sampleEdge(6, "down", { feed: false, role: "relay" });
  const host = sampleEdge(7, "down", { feed: false, authority: true });
  const samples = [parent, backup, mesh, child, reserve, relay, host];
  const told = (): number[] => samples.map((each) => each.papers().filter((paper) => paper.kind === "view").length);
  const edges = new Edges();
  for (const { edge } of samples) edges.add(edge);
  const { notices, view } = bench(edges);
  notices.adoptView(view, millis(testNow), parent.edge);
  expect(told()).toEqual([0, 0, 1, 1, 0, 1, 1]);
  // What begins here goes every way.
  notices.adoptView(view, millis(testNow));
  expect(told()).toEqual([1, 1, 2, 2, 1, 2, 2]);
});

it("[OV10] who says again and again that it lacks something is shown everything once in two seconds", () => {
  const edges = new Edges();
  const child = sampleEdge(4, "down", { feed: false });
  edges.add(child.edge);
  const rejected: string[] = [];
  const { notices, view } = bench(edges, rejected);
  notices.view = view;
  const shown = (): number => child.papers().filter((paper) => paper.kind === "view").length;
  for (let at = 0; at < 2000; at += 10) notices.showAgain(child.edge, millis(testNow + at));
  expect([shown(), rejected.length]).toEqual([1, 199]);
  notices.showAgain(child.edge, millis(testNow + 2000));
  expect(shown()).toBe(2);
});
