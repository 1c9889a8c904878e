import { describe, expect, it } from "vitest";
import { come, comeBack, fall, guestCapsule, hears, hostCapsule, issue, outage, whetherIn } from "./coming.ts";
import { KeptRoom } from "./kept-room.ts";

describe("who came by an invite for one", () => {
  it("[RM56] comes back after an outage of 40 s by their own door, where keys are not given, and nobody else does by that invite", () => {
    const room = new KeptRoom("one outage", 4);
    const plain = room.enter();
    room.run(12_000);
    const once = issue(room, room.keeper, true);
    const first = come(room, once);
    const epoch = room.viewOf(plain)?.epoch;
    expect([first.told, epoch]).toEqual([["in"], 0]);
    outage(room, first.node, () => room.run(40_000));
    expect(room.troubles(first.node)).toEqual(["stalled"]);
    expect(hears(room, first.node, room.keeper)).toBe(true);
    expect(come(room, once).told).toEqual(["invite-used"]);
    expect(room.viewOf(plain)?.epoch).toBe(epoch);
  });

  it.each([200, 1000, 6000])(
    "[RM56] comes back when the engine falls %i ms after joining, and the room was locked meanwhile",
    (ms) => {
      const room = new KeptRoom(`one crash ${ms}`, 2);
      room.enter();
      room.run(12_000);
      const once = issue(room, room.keeper, true);
      const first = room.addPerson();
      room.join(first, once);
      for (let waited = 0; waited < 5000 && room.events(first, "joined").length === 0; waited += 10) room.run(10);
      room.run(ms);
      const capsule = guestCapsule(room, first);
      room.kill(first);
      expect(room.act(room.keeper, { kind: "set-room", access: "locked" })).toBeUndefined();
      const again = comeBack(room, capsule);
      expect(whetherIn(room, again)).toEqual(["in"]);
      expect(room.troubles(again)).toEqual([]);
    },
  );

  it("[RM56] where keys are given, has used it with the first wish for them, and who comes second gets none", () => {
    const room = new KeptRoom("one of two", 2);
    const rowdy = room.enter();
    const identity = room.bringOnStage(rowdy);
    room.run(12_000);
    room.act(room.keeper, { kind: "kick", identity });
    const once = issue(room, room.keeper, true);
    const pair = [room.addPerson(), room.addPerson()];
    for (const node of pair) room.join(node, once);
    room.run(20_000);
    const [joined, refused] = pair.toSorted((left, right) => Number(room.isOut(left)) - Number(room.isOut(right)));
    expect(room.events(joined ?? -1, "joined")).toHaveLength(1);
    expect(room.events(refused ?? -1, "joined")).toHaveLength(0);
    expect(room.troubles(refused ?? -1)).toEqual(["invite-used"]);
    expect(room.peer(refused ?? -1).capsule()?.history).toBeUndefined();
  });

  it("[RM56] and is put out comes in no more by that door", () => {
    const room = new KeptRoom("one out", 2);
    room.run(2000);
    const first = come(room, issue(room, room.keeper, true));
    const own = (): number | undefined => room.viewOf(room.relays[0] ?? -1)?.doors?.own.length;
    expect(own()).toBe(1);
    const identity = room.bringOnStage(first.node);
    room.act(room.keeper, { kind: "kick", identity });
    expect(own()).toBe(0);
    expect(room.viewOf(room.relays[0] ?? -1)?.epoch).toBe(1);
  });
});

describe("a room's doors when another keeps it", () => {
  it("[RM57] an heir's invite, and its new link, let people in when the host is back, and the link before it does not", () => {
    const room = new KeptRoom("given by an heir", 3);
    const [heir, listener] = [room.enter("heir"), room.enter()];
    room.run(6000);
    const first = room.invite(room.keeper);
    const capsule = hostCapsule(room);
    fall(room);
    const invite = issue(room, heir);
    const once = issue(room, heir, true);
    const again = comeBack(room, capsule);
    expect(come(room, invite).told).toEqual(["in"]);
    expect(come(room, once).told).toEqual(["in"]);
    expect(come(room, first).told).toEqual(["in"]);
    fall(room, again);
    expect(room.act(heir, { kind: "replace-link" })).toBeUndefined();
    room.run(2000);
    const link = room.events(listener, "link-replaced").at(-1)?.invite;
    if (!link) throw new Error("no link");
    comeBack(room, capsule);
    expect(come(room, link).told).toEqual(["in"]);
    expect(come(room, first).told).toEqual(["invite-revoked"]);
  });

  it("[RM57] a room that the host locked and an heir unlocked opens to the first link, also when the host is back", () => {
    const room = new KeptRoom("unlocked by an heir", 3);
    const heir = room.enter("heir");
    room.enter();
    room.run(6000);
    const first = room.invite(room.keeper);
    room.act(room.keeper, { kind: "set-room", access: "locked" });
    room.run(3000);
    const capsule = hostCapsule(room);
    expect(come(room, first).told).toEqual(["locked"]);
    fall(room);
    expect(come(room, first).told).toEqual(["locked"]);
    expect(room.act(heir, { kind: "set-room", access: "link-only" })).toBeUndefined();
    room.run(3000);
    expect(come(room, first).told).toEqual(["in"]);
    comeBack(room, capsule);
    expect(come(room, first).told).toEqual(["in"]);
  });

  it("[RM57] with 600 invites open everybody comes in, whoever keeps the room; when it is locked nobody new does", () => {
    const room = new KeptRoom("600 invites", 3);
    const [heir, listener] = [room.enter("heir"), room.enter()];
    room.run(6000);
    const terms = { role: "listener", expiresInMs: 3_600_000, singleUse: false } as const;
    for (let id = 20_000; id < 20_600; id++) room.command(room.keeper, { kind: "invite", id, terms });
    room.run(3000);
    const [first, last] = [room.invite(room.keeper), room.events(room.keeper, "answered").at(-1)?.invite];
    if (!last) throw new Error("no invite");
    const capsule = hostCapsule(room);
    fall(room);
    expect(room.viewOf(listener)?.doors).toMatchObject({ unlisted: true });
    expect([come(room, first).told, come(room, last).told]).toEqual([["in"], ["in"]]);
    const again = comeBack(room, capsule);
    expect([come(room, first).told, come(room, last).told]).toEqual([["in"], ["in"]]);
    expect(room.act(again, { kind: "set-room", access: "locked" })).toBeUndefined();
    fall(room, again);
    expect([come(room, first).told, come(room, last).told]).toEqual([["locked"], ["locked"]]);
    expect(room.act(heir, { kind: "replace-link" })).toBeUndefined();
    expect(room.act(heir, { kind: "set-room", access: "link-only" })).toBeUndefined();
    room.run(2000);
    expect(room.viewOf(listener)?.doors).toMatchObject({ unlisted: false });
    expect([come(room, first).told, come(room, last).told]).toEqual([["invite-revoked"], ["invite-revoked"]]);
  });
});
