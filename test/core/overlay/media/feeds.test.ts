import { expect, it } from "vitest";
import { millis } from "../../../../p2p/api/ids.ts";
import { Edges } from "../../../../p2p/core/overlay/edge.ts";
import { Feeds } from "../../../../p2p/core/overlay/media/feeds.ts";
import { plainWish } from "../../../../p2p/core/overlay/media/layers.ts";
import { Spread } from "../../../../p2p/core/overlay/media/spread.ts";
import { seededCrypto, testNow } from "../../fixtures.ts";
import { sampleEdge } from "../edges.ts";

it("[OV8] who asks a full relay again and again is told of others once a second", () => {
  const edges = new Edges();
  const child = sampleEdge(4, "down", { feed: false });
  edges.add(child.edge);
  let draws = 0;
  const feeds = new Feeds(
    new Spread(seededCrypto("feeds"), edges, { fault: () => undefined, isRetired: () => false }),
    {
      slots: () => ({ used: 8, max: 8 }),
      alternatives: () => {
        draws++;
        return [];
      },
      mayFeed: () => true,
      wish: () => plainWish,
    },
  );
  const feed = { kind: "feed", on: true, quiet: false, wish: plainWish, have: [] } as const;
  const cover = { kind: "cover", on: true, wish: plainWish, have: [] } as const;
  for (let at = 0; at < 2000; at += 10) {
    feeds.change(child.edge, feed, millis(testNow + at));
    feeds.lend(child.edge, cover, millis(testNow + at));
  }
  expect(draws).toBe(2);
  expect(child.edge.feed).toBe(false);
});
