import { describe, expect, it } from "vitest";
import type { VolunteerOptions } from "../../../../p2p/api/engine.ts";
import { millis } from "../../../../p2p/api/ids.ts";
import { Lending } from "../../../../p2p/core/overlay/door/lending.ts";
import { Room } from "../../peer/room.ts";

const mains = { onBattery: false, metered: false };
const lend = (options: VolunteerOptions): Lending => new Lending(options, new Uint8Array(16));
/** On some day, at this minute of it, UTC. */
const at = (minute: number) => millis(20_000 * 86_400_000 + minute * 60_000 + 30_000);

describe("[OV30] what a person lends", () => {
  it("[OV30] is as many children as were allowed, and as the bandwidth allowed can feed", () => {
    expect(lend({}).childrenMax).toBe(60);
    expect(lend({ maxChildren: 5 }).childrenMax).toBe(5);
    expect(lend({ maxChildren: 5, maxKbps: 200 }).childrenMax).toBe(3);
    expect(lend({ maxKbps: 10 }).childrenMax).toBe(0);
  });

  it.each([
    [{ fromMinute: 60, toMinute: 120 }, [false, true, true, false]],
    [{ fromMinute: 1380, toMinute: 90 }, [true, true, false, false]],
    [{ fromMinute: 600, toMinute: 600 }, [true, true, true, true]],
  ])("[OV30] holds in the hours %o of each day, over midnight too", (hours, expected) => {
    const lending = lend({ hours });
    const open = [59, 60, 119, 120].map((minute) => lending.pausedBy(mains, at(minute)) === undefined);
    expect(open).toEqual(expected);
  });

  it("[OV30] pauses on battery and on a metered link only where that was not allowed", () => {
    const away = { onBattery: true, metered: true };
    expect(lend({}).pausedBy(away, at(0))).toBeUndefined();
    expect(lend({ notOnMetered: true }).pausedBy(away, at(0))).toBe("metered");
    expect(lend({ notOnMetered: true, notOnBattery: true }).pausedBy(away, at(0))).toBe("battery");
    expect(lend({ notOnMetered: true, notOnBattery: true }).pausedBy(mains, at(0))).toBeUndefined();
  });
});

describe("[OV30] a relay whose person changes their mind", () => {
  it("[OV30] takes nobody new on battery and keeps who is there; when it ends, they move to another relay", () => {
    const room = new Room("lending");
    const [first, second] = [room.addRelay({ notOnBattery: true }), room.addRelay()];
    const host = room.addPerson();
    room.host(host, [first, second]);
    room.run(2000);
    const guests = Array.from({ length: 6 }, () => room.addPerson());
    for (const guest of guests) room.join(guest, room.invite(host));
    room.run(5000);
    const fed = room.peer(first).lending(room.now).children;
    expect(fed).toBeGreaterThan(0);
    room.command(first, { kind: "power", power: { onBattery: true, metered: false } });
    const late = Array.from({ length: 4 }, () => room.addPerson());
    for (const guest of late) room.join(guest, room.invite(host));
    room.run(5000);
    expect(room.peer(first).lending(room.now)).toMatchObject({ on: true, paused: "battery", children: fed });
    room.command(first, { kind: "stop-lending" });
    room.run(5000);
    expect(room.peer(first).lending(room.now)).toMatchObject({ on: false, children: 0 });
    expect(room.peer(second).lending(room.now).children).toBeGreaterThanOrEqual(guests.length + late.length);
  });
});
