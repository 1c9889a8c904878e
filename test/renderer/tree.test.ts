import { describe, expect, it } from "vitest";
import { treeOf } from "../../renderer/model/room/tree.ts";
import { belowOf, errorEvent, placeEvent } from "./scenes.ts";
import { WindowDouble } from "./window.ts";

async function entered(): Promise<WindowDouble> {
  const window = new WindowDouble();
  window.app.open("thi1-abc");
  await window.lobby.enter();
  return window;
}

const cover = { event: "cover", reason: "silent", gapMs: 80, packetsRecovered: 2 } as const;
const move = { event: "move", reason: "silent", gapMs: 0, packetsRecovered: 0 } as const;

describe("the picture of the tree", () => {
  it("has the parent that feeds us, the reserves, and as many relays between as can be told apart", () => {
    const above = [
      { kind: "stream", feeds: false },
      { kind: "webrtc", feeds: true },
    ] as const;
    const tree = treeOf(placeEvent(4, ...above));
    expect([tree.parent?.kind, tree.between, tree.backups.map(({ kind }) => kind)]).toEqual(["webrtc", 2, ["stream"]]);
    expect(treeOf(placeEvent(40, ...above)).between).toBe(5);
  });

  it("draws nothing between while nobody feeds us", () => {
    const tree = treeOf(placeEvent(0, { kind: "stream", feeds: false }));
    expect([tree.parent, tree.between, tree.backups.length]).toEqual([undefined, 0, 1]);
  });

  it("draws those below that get sound first, and counts the others", () => {
    const below = Array.from({ length: 30 }, (_, number) => belowOf(number, number >= 25));
    const tree = treeOf({ hops: 3, relays: [], below });
    expect([tree.below.length, tree.belowMore]).toEqual([9, 21]);
    expect(tree.below.map(({ feeds }) => feeds)).toEqual([true, true, true, true, true, false, false, false, false]);
  });

  it("calls a relay by the end of its key: libp2p's keys begin alike", () => {
    const { parent } = treeOf({ hops: 2, relays: [{ ...belowOf(1, true), peer: "12D3KooWabcd" as never }], below: [] });
    expect(parent?.name).toBe("abcd");
  });
});

describe("what happens on the way of the sound", () => {
  it("is kept, the newest 20, and forgotten with the room", async () => {
    const { app, engine, room } = await entered();
    for (let number = 0; number < 30; number++) engine.emit({ ...cover, gapMs: number });
    engine.emit(move);
    const kept = app.session.happenings.get();
    expect([kept.length, kept.at(-1)?.kind, kept.at(0)?.gapMs]).toEqual([20, "move", 11]);
    room.leave();
    app.open("thi1-abc");
    await app.session.enter(() => Promise.resolve());
    expect(app.session.happenings.get()).toEqual([]);
  });

  it("lights the reserve that stepped in for a while, or until another relay is the parent", async () => {
    const { room, engine, timers } = await entered();
    expect(room.covering.isShown.get()).toBe(false);
    engine.emit(cover);
    expect(room.covering.isShown.get()).toBe(true);
    timers.pass(10_000);
    expect(room.covering.isShown.get()).toBe(false);
    engine.emit(cover);
    engine.emit(move);
    expect(room.covering.isShown.get()).toBe(false);
    engine.emit(errorEvent("stalled"));
  });

  it("says that another way was found after a move, and nothing after a cover that nobody noticed", async () => {
    const { room, engine } = await entered();
    engine.emit(placeEvent(3, { kind: "webrtc", feeds: true }));
    engine.emit(cover);
    expect(room.connection.get().sentence.key).toBe("link.good");
    engine.emit(move);
    expect(room.connection.get().sentence.key).toBe("link.moving");
  });

  it("bounds what is taken over of a neighbourhood", async () => {
    const { app, engine } = await entered();
    const below = Array.from({ length: 500 }, (_, number) => belowOf(number, true));
    engine.emit({ ...placeEvent(2), relays: below, below });
    expect([app.session.place.get().relays.length, app.session.place.get().below.length]).toEqual([8, 64]);
  });
});
