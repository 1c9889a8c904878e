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
});
