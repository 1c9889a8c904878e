import { expect, it } from "vitest";
import { millis, type RoomTag } from "../../../../p2p/api/ids.ts";
import { toHex } from "../../../../p2p/core/bytes.ts";
import { Edges } from "../../../../p2p/core/overlay/edge.ts";
import { Notices } from "../../../../p2p/core/overlay/news/notices.ts";
import { sampleRoom, testNow } from "../../fixtures.ts";
import { sampleEdge } from "../edges.ts";

it("[OV10] who says again and again that it lacks something is shown everything once in two seconds", () => {
  const { crypto, keys, view } = sampleRoom("notices");
  const edges = new Edges();
  const child = sampleEdge(4, "down", { feed: false });
  edges.add(child.edge);
  const rejected: string[] = [];
  const notices = new Notices(toHex(keys.carriage.key) as RoomTag, crypto, edges, {
    viewTaken: () => undefined,
    time: (now) => now,
    resident: () => undefined,
    keys: () => undefined,
    fault: () => undefined,
    reject: (reason) => void rejected.push(reason),
    end: () => undefined,
  });
  notices.view = view;
  const shown = (): number => child.papers().filter((paper) => paper.kind === "view").length;
  for (let at = 0; at < 2000; at += 10) notices.showAgain(child.edge, millis(testNow + at));
  expect([shown(), rejected.length]).toEqual([1, 199]);
  notices.showAgain(child.edge, millis(testNow + 2000));
  expect(shown()).toBe(2);
});
