import { describe, expect, it } from "vitest";
import { type Millis, millis, type PeerId } from "../../../../p2p/api/ids.ts";
import { fromHex } from "../../../../p2p/core/bytes.ts";
import { type Advert, newsOf } from "../../../../p2p/core/overlay/directory/advert.ts";
import { nowhere } from "../../../../p2p/core/overlay/place/coordinate.ts";
import { advertLifeMs, advertsOfOneMax, Directory } from "../../../../p2p/core/overlay/directory/directory.ts";
import { anyMs, type PlaceRequest } from "../../../../p2p/core/overlay/directory/place-papers.ts";
import { shortIdOf } from "../../../../p2p/core/overlay/place/path.ts";
import { Rng } from "../../../../p2p/core/rng.ts";

const now = millis(1000);
const [left, right] = [peer(900_001), peer(900_002)];
const random = (): number => 0.5;

/** A peer whose short id differs from that of others. */
function peer(number: number): PeerId {
  return number.toString(16).padStart(12, "0").padEnd(64, "0") as PeerId;
}

function advert(number: number, changes: Partial<Advert> = {}): Advert {
  const address = { key: fromHex(peer(number)), token: new Uint8Array(16), addresses: [Uint8Array.of(4, 10, 0, 0, 1)] };
  return {
    peer: peer(number),
    address,
    rootDelayMs: 50,
    coordinate: { ...nowhere, error: 0.1 },
    free: 4,
    leaves: 0,
    depth: 2,
    parent: shortIdOf(peer(800_000)),
    version: 1,
    ...changes,
  };
}

function ask(changes: Partial<PlaceRequest> = {}): PlaceRequest {
  return {
    id: 1,
    passed: 0,
    self: shortIdOf(peer(700_000)),
    coordinate: { ...nowhere, error: 0.1 },
    lends: false,
    purpose: "parent",
    parent: shortIdOf(peer(700_001)),
    belowMs: anyMs,
    avoids: [],
    ...changes,
  };
}

function offered(directory: Directory, request: PlaceRequest, at: Millis = now): PeerId[] {
  return directory.offer(request, nowhere, random, at).map((each) => each.peer);
}

describe("the directory of those who lend", () => {
  it("[OV19] takes what is newer, and lets only the neighbour that brought it take it back", () => {
    const directory = new Directory();
    expect(directory.learn(advert(1, { version: 7 }), left, now)).toBe(true);
    expect(directory.learn(advert(1, { version: 6 }), right, now)).toBe(false);
    expect(directory.forget(shortIdOf(peer(1)), right)).toBe(false);
    expect(directory.size).toBe(1);
    // Versions wrap: who claims the last of all does not have the last word.
    expect(directory.learn(advert(2, { version: 0xffff_ffff }), left, now)).toBe(true);
    expect(directory.learn(advert(2, { version: 3 }), left, now)).toBe(true);
    expect(directory.forgetAllOf(left)).toHaveLength(2);
    expect(directory.size).toBe(0);
  });

  it("[OV19] of an advert that is known only what changed need be said", () => {
    const directory = new Directory();
    directory.learn(advert(1, { version: 250 }), left, now);
    const later = advert(1, { version: 258, free: 9, parent: "0123456789ab" });
    const news = newsOf(later, advert(1, { version: 250 }));
    expect(Object.keys(news).toSorted()).toEqual(["depth", "free", "id", "leaves", "parent", "versionLow"]);
    expect(directory.complete({ ...news, id: shortIdOf(peer(2)) })).toBeUndefined();
    expect(directory.complete(news)).toEqual(later);
    expect(newsOf(later, later)).toEqual({ id: shortIdOf(peer(1)), versionLow: 2 });
  });

  it("[OV19] one that came over to another part of the tree is known by the way it hangs now", () => {
    const directory = new Directory();
    directory.learn(advert(1), left, now);
    expect(directory.learn(advert(1), right, now)).toBe(true);
    expect(directory.forget(shortIdOf(peer(1)), left)).toBe(false);
    expect(directory.learn(advert(1), right, now)).toBe(false);
  });

  it("[OV19] no neighbour brings in more than its share, all together no more than are kept, and none for ever", () => {
    const directory = new Directory();
    for (let number = 1; number <= advertsOfOneMax + 10; number++) directory.learn(advert(number), left, now);
    expect(directory.size).toBe(advertsOfOneMax);
    for (let neighbour = 0; neighbour < 6; neighbour++) {
      for (let number = 0; number < advertsOfOneMax; number++)
        directory.learn(advert(1_000_000 * (neighbour + 1) + number), peer(600_000 + neighbour), now);
    }
    expect(directory.size).toBe(2048);
    directory.expire(millis(now + advertLifeMs - 1));
    expect(directory.size).toBe(2048);
    directory.expire(millis(now + advertLifeMs));
    expect(directory.size).toBe(0);
  });

  it("[OV20] offers two: least root delay and way there, with room, and never who asks nor who hangs below it", () => {
    const directory = new Directory();
    const rng = new Rng("offers");
    for (let number = 1; number <= 60; number++) {
      const coordinate = { ...nowhere, x: 200 * rng.next(), error: 0.1 };
      directory.learn(advert(number, { coordinate, rootDelayMs: 200 * rng.next(), free: number % 3 }), left, now);
    }
    directory.learn(advert(101, { rootDelayMs: 0 }), left, now);
    directory.learn(advert(102, { rootDelayMs: 0, parent: shortIdOf(peer(101)) }), left, now);
    const request = ask({ self: shortIdOf(peer(101)) });
    const best = directory
      .all()
      .filter((each) => each.free > 0 && each.peer !== peer(101) && each.peer !== peer(102))
      .toSorted((a, b) => a.rootDelayMs + a.coordinate.x / 2 - b.rootDelayMs - b.coordinate.x / 2);
    const found = offered(directory, request);
    expect(found[0]).toBe(best[0]?.peer);
    expect(found).toHaveLength(2);
    for (const each of found) expect(best.slice(0, 6).map((known) => known.peer)).toContain(each);
  });

  it("[OV20] what was offered counts as taken for a moment, so that not all are sent to one", () => {
    const directory = new Directory();
    directory.learn(advert(1, { free: 2, rootDelayMs: 1 }), left, now);
    directory.learn(advert(2, { free: 9, rootDelayMs: 30 }), left, now);
    const first = Array.from({ length: 4 }, () => offered(directory, ask())[0]);
    expect(first).toEqual([peer(1), peer(1), peer(2), peer(2)]);
    expect(offered(directory, ask(), millis(now + 4000))[0]).toBe(peer(1));
  });

  it("[OV20] [OV22] who lends is offered places of those who do not", () => {
    const directory = new Directory();
    directory.learn(advert(1, { free: 0, leaves: 2 }), left, now);
    expect(offered(directory, ask())).toEqual([]);
    expect(offered(directory, ask({ lends: true }))).toEqual([peer(1)]);
  });

  it("[OV20] who does not know where it is gets places near the core and far from each other", () => {
    const directory = new Directory();
    for (let number = 1; number <= 30; number++) {
      const coordinate = { ...nowhere, x: (number % 3) * 100, error: 0.1 };
      directory.learn(advert(number, { coordinate, rootDelayMs: number <= 6 ? 0 : 300 }), left, now);
    }
    const found = directory.offer(ask({ coordinate: nowhere }), nowhere, random, now);
    expect(new Set(found.map(({ coordinate }) => coordinate.x))).toEqual(new Set([0, 100, 200]));
  });

  it("[OV20] offers nothing that is not better than what the asker has, nor whom it could not dial", () => {
    const directory = new Directory();
    directory.learn(advert(1, { rootDelayMs: 20 }), left, now);
    directory.learn(advert(2, { rootDelayMs: 40 }), left, now);
    expect(offered(directory, ask({ belowMs: 30 }))).toEqual([peer(1)]);
    expect(offered(directory, ask({ belowMs: 10 }))).toEqual([]);
    expect(offered(directory, ask({ avoids: [shortIdOf(peer(1))] }))).toEqual([peer(2)]);
  });

  it("[OV20] who is refused a slot is named three that have one near who refuses", () => {
    const directory = new Directory();
    for (let number = 1; number <= 40; number++) {
      const coordinate = { ...nowhere, x: 10 * number, error: 0.1 };
      directory.learn(advert(number, { coordinate, free: number <= 4 ? 0 : 2 }), left, now);
    }
    const named = directory.draw({ ...nowhere, error: 0.1 }, random, now).map((each) => each.peer);
    expect(named).toHaveLength(3);
    const near = Array.from({ length: 12 }, (_, index) => peer(5 + index));
    for (const each of named) expect(near).toContain(each);
  });

  it("[OV23] a backup neither is the parent nor hangs where the parent is, nor below it", () => {
    const directory = new Directory();
    const parent = shortIdOf(peer(1));
    directory.learn(advert(1), left, now);
    directory.learn(advert(2, { parent }), left, now);
    directory.learn(advert(3, { free: 0 }), left, now);
    expect(offered(directory, ask({ purpose: "backup", parent }))).toEqual([peer(3)]);
  });
});
