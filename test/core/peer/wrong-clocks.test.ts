import { describe, expect, it } from "vitest";
import { KeptRoom } from "./kept-room.ts";

const hourMs = 3_600_000;

describe("keepers and guests by other clocks", () => {
  it.each([-2 * hourMs, 2 * hourMs])("[RM23] [RM34] a keeper and a guest %i ms off act like any other", (skewMs) => {
    const room = new KeptRoom(`off ${skewMs}`);
    const [moderator, guest] = [room.addPerson({ skewMs }), room.addPerson({ skewMs })];
    room.join(moderator, room.invite(room.keeper, "moderator"));
    room.join(guest, room.invite(room.keeper));
    room.run(3000);
    const identity = room.bringOnStage(guest, moderator);
    expect(room.events(guest, "role").at(-1)).toMatchObject({ role: "speaker" });
    expect(room.act(moderator, { kind: "ban", identity, branch: false })).toBeUndefined();
    expect(room.seen(room.keeper, identity)?.banned).toBe(true);
    expect(room.troubles(guest)).toEqual(["banned"]);
    expect(room.troubles(room.keeper)).toEqual([]);
  });

  it.each([0, -2 * hourMs, 2 * hourMs])(
    "[RM22] who asks by an invite that is over gets nothing, %i ms off",
    (skewMs) => {
      const room = new KeptRoom(`over ${skewMs}`);
      const seconds = Math.floor(room.now / 1000);
      const guest = room.addPerson({ skewMs });
      room.join(guest, room.craftInvite(room.keeper, { notBefore: seconds - 60, expires: seconds + 30 }));
      room.run(3000);
      expect(room.events(guest, "joined")).toHaveLength(1);
      room.run(40_000);
      room.command(guest, { kind: "raise-hand" });
      room.run(5000);
      expect(room.facts(room.keeper).hands).toEqual([]);
      expect(room.stage(room.keeper)).toEqual(["Host"]);
    },
  );

  it.each([0, -2 * hourMs, 2 * hourMs])(
    "[RM22] whose invite ends keeps what the room gave, is given nothing more, and is told so, %i ms off",
    (skewMs) => {
      const room = new KeptRoom(`ends ${skewMs}`);
      const seconds = Math.floor(room.now / 1000);
      const [guest, listener] = [room.addPerson({ skewMs }), room.enter()];
      room.join(guest, room.craftInvite(room.keeper, { notBefore: seconds - 60, expires: seconds + 30 }));
      room.run(3000);
      const identity = room.bringOnStage(guest);
      room.run(60_000);
      expect(room.stage(listener)).toHaveLength(2);
      room.talk(guest, 400);
      expect(room.marks(listener, guest).length).toBeGreaterThan(5);
      expect(room.act(guest, { kind: "mute", identity })).toBeUndefined();
      room.run(1000);
      expect(room.seen(listener, identity)?.muted).toBe("self");
      room.command(guest, { kind: "lower-hand" });
      room.run(3000);
      expect(room.stage(listener)).toEqual(["Host"]);
      expect(room.troubles(guest)).toEqual([]);
      room.command(guest, { kind: "raise-hand" });
      room.run(3000);
      expect(room.troubles(guest)).toEqual(["invite-expired"]);
      expect(room.facts(room.keeper).hands).toEqual([]);
      expect(room.peer(guest).stats(room.now).packetsRejected["act-invite-expired"]).toBe(1);
    },
  );

  it.each([-2 * hourMs, 2 * hourMs])(
    "[RM36] [RM45] an heir %i ms off acts and gives the room back, and each of them can put somebody out",
    (skewMs) => {
      const room = new KeptRoom(`heir off ${skewMs}`, 3);
      const heir = room.addPerson({ skewMs });
      room.join(heir, room.invite(room.keeper, "heir"));
      const [first, second, listener] = [room.enter(), room.enter(), room.enter()];
      const [one, two] = [room.bringOnStage(first), room.bringOnStage(second)];
      room.bringOnStage(heir);
      room.run(12_000);
      const capsule = room.peer(room.keeper).capsule()!;
      room.kill(room.keeper, true);
      room.run(8_000);
      expect(room.facts(listener).keptBy).toBe(room.identity(heir));
      expect(room.act(heir, { kind: "kick", identity: one })).toBeUndefined();
      room.run(3_000);
      const before = room.marks(listener, heir).length;
      room.talk(heir, 400);
      expect(room.marks(listener, heir).length).toBeGreaterThan(before + 5);
      const again = room.addPerson();
      room.command(again, { kind: "resume", capsule });
      room.run(10_000);
      expect(room.facts(listener).keptBy).not.toBe(room.identity(heir));
      expect(room.act(again, { kind: "kick", identity: two })).toBeUndefined();
      room.run(3_000);
      const heard = [room.marks(listener, again).length, room.marks(first, again).length] as const;
      room.talk(again, 400);
      expect(room.marks(listener, again).length).toBeGreaterThan(heard[0] + 5);
      expect(room.marks(first, again)).toHaveLength(heard[1]);
      expect(room.troubles(listener)).toEqual([]);
    },
  );
});
