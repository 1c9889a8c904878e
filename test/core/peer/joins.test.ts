import { describe, expect, it } from "vitest";
import { Room } from "./room.ts";

describe("coming into a room", () => {
  it("[OV12] a relay takes on a room when its host proves itself, and members join and hear", () => {
    const room = new Room("joins");
    const relay = room.addRelay();
    const host = room.addPerson();
    const guest = room.addPerson();
    room.host(host, [relay]);
    room.run(500);
    expect(room.events(host, "joined")).toHaveLength(1);
    room.join(guest, room.invite(host));
    room.run(500);
    expect(room.events(guest, "joined")).toMatchObject([{ role: "listener", hops: 1 }]);
    room.talk(host, 400);
    room.run(100);
    expect(room.marks(guest, host)).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
  });
});
