import { describe, expect, it } from "vitest";
import type { OpenRoom } from "../../p2p/api/room.ts";
import { TeahouseError } from "../../p2p/api/errors.ts";
import { keyOf, roomOfScript } from "./scenes.ts";
import { WindowDouble } from "./window.ts";

const roomOf = (title: string): OpenRoom => ({ room: roomOfScript, title, members: 3, invite: "thi1-abc" });
const looks = ({ engine }: WindowDouble): number => engine.calls.filter((call) => call === "openRooms").length;

describe("open rooms", () => {
  it("are looked for when a person wants it, and shown with clean titles", async () => {
    const window = new WindowDouble();
    const { hall } = window.app;
    expect([looks(window), hall.rooms.get()]).toEqual([0, undefined]);
    window.engine.listed = [roomOf("\u202Eevil\n"), ...Array.from({ length: 60 }, (_, index) => roomOf(keyOf(index)))];
    await hall.look();
    expect([looks(window), hall.isLooking.get(), hall.rooms.get()?.length]).toEqual([1, false, 40]);
    expect(hall.rooms.get()?.[0]?.title).toBe("evil");
  });

  it("are looked for again by an engine that knows nobody yet, and no more than a few times", async () => {
    const window = new WindowDouble();
    const looked = window.app.hall.look();
    for (let look = 1; look <= 6; look += 1) {
      await new Promise(setImmediate);
      window.timers.pass(1500);
    }
    await looked;
    expect([looks(window), window.app.hall.rooms.get()]).toEqual([4, []]);
  });

  it("that cannot be looked for are a sentence, and a wipe puts away what was found", async () => {
    const window = new WindowDouble();
    const { hall } = window.app;
    window.engine.failure = new TeahouseError("internal", "not for people");
    await hall.look();
    expect([hall.problem.get()?.key, hall.rooms.get()]).toEqual(["fault.internal", undefined]);
    // Of a room's connection nothing is said where there is no room.
    window.engine.failure = new TeahouseError("no-network", "not for people");
    await hall.look();
    expect([hall.problem.get(), hall.rooms.get()]).toEqual([undefined, []]);
    window.engine.failure = undefined;
    window.engine.listed = [roomOf("Tea")];
    await hall.look();
    expect([hall.problem.get(), hall.rooms.get()?.length]).toEqual([undefined, 1]);
    window.app.panic();
    expect(hall.rooms.get()).toBeUndefined();
  });

  it("are not shown any more when a wipe came while they were looked for, and can be looked for again", async () => {
    const window = new WindowDouble();
    const { hall } = window.app;
    const settled = (): Promise<void> => new Promise((resolve) => void setImmediate(resolve));
    const looked = hall.look();
    await settled();
    window.app.panic();
    expect([hall.isLooking.get(), hall.rooms.get()]).toEqual([false, undefined]);
    window.engine.listed = [roomOf("Secret")];
    window.timers.pass(1500);
    await looked;
    expect([looks(window), hall.rooms.get()]).toEqual([1, undefined]);
    // Neither does what fails late.
    window.engine.listed = [];
    const failing = hall.look();
    await settled();
    window.app.panic();
    const again = hall.look();
    window.engine.failure = new TeahouseError("internal", "not for people");
    window.timers.pass(1500);
    await failing;
    expect([hall.isLooking.get(), hall.problem.get()]).toEqual([true, undefined]);
    await settled();
    window.timers.pass(1500);
    await again;
    expect([hall.isLooking.get(), hall.problem.get()?.key]).toEqual([false, "fault.internal"]);
  });

  it("are gone into as by a pasted invite", () => {
    const window = new WindowDouble();
    window.start.openText(roomOf("Tea").invite);
    expect(window.app.screen.get().kind).toBe("lobby");
  });
});
