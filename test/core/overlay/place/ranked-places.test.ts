import { describe, expect, it } from "vitest";
import type { PeerId } from "../../../../p2p/api/ids.ts";
import type { Advert } from "../../../../p2p/core/overlay/directory/advert.ts";
import { nowhere } from "../../../../p2p/core/overlay/place/coordinate.ts";
import { shortIdOf } from "../../../../p2p/core/overlay/place/path.ts";
import { rankedPlaces } from "../../../../p2p/core/overlay/place/ranked-places.ts";
import { Rng } from "../../../../p2p/core/rng.ts";
import { sampleAdvert } from "../place-samples.ts";

/** Short ids are the first bytes, so names differ there. */
function relay(rank: number): PeerId {
  return `${rank.toString(16).padStart(12, "0")}${"0".repeat(52)}` as PeerId;
}

const relays = Array.from({ length: 6 }, (_, rank) => relay(rank));
const here = { ...nowhere, error: 0.1 };

/** A relay that hangs below another, so far from here. */
function advert(rank: number, parentRank: number, awayMs: number, rootDelayMs = 0): Advert {
  const coordinate = { ...nowhere, x: awayMs, error: 0.1 };
  const parent = shortIdOf(relay(parentRank));
  return { ...sampleAdvert(new Rng(`${rank}`)), peer: relay(rank), rootDelayMs, coordinate, parent };
}

function places(adverts: readonly Advert[], fanout: number, rank = 3, parent = 0): PeerId[] {
  return rankedPlaces(adverts, { relays, rank, fanout }, relay(parent), here).map(({ peer }) => peer);
}

describe("where a relay below the core may hang", () => {
  const core = [advert(0, 0, 300), advert(1, 1, 20), advert(2, 2, 100)];

  it("[OV2] the nearest of better rank come first, and none of worse rank is among them", () => {
    expect(places([...core, advert(4, 1, 1, 10), advert(5, 1, 1, 10)], 8)).toEqual([relay(1), relay(2)]);
  });

  it("[OV2] nobody hangs where as many relays hang as the fanout allows", () => {
    expect(places([...core, advert(4, 1, 1, 10)], 1)).toEqual([relay(2)]);
    expect(places([...core, advert(4, 1, 1, 10), advert(5, 2, 1, 10)], 1)).toEqual([]);
  });

  it("[OV2] before it knows where its parent is, or itself, it stays where its rank puts it", () => {
    expect(places(core.slice(1), 8)).toEqual([]);
    expect(rankedPlaces(core, { relays, rank: 3, fanout: 8 }, relay(0), nowhere)).toEqual([]);
  });
});
