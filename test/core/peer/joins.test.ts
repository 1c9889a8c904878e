import { describe, expect, it } from "vitest";
import { isMedia } from "./packets.ts";
import { Room } from "./room.ts";

/** A host on these relays, in the room. */
function openRoom(room: Room, relays: readonly number[], options: Parameters<Room["host"]>[2] = {}): number {
  const host = room.addPerson();
  room.host(host, relays, options);
  room.run(1000);
  const names = room.at(host).events.map((event) => event.event);
  expect(names.filter((name) => name === "hosting" || name === "joined")).toEqual(["hosting", "joined"]);
  return host;
}

function troubles(room: Room, node: number): string[] {
  return room.events(node, "trouble").map((event) => event.code);
}

describe("coming into a room", () => {
  it("[OV12] a relay takes on a room when its host proves itself; members join and hear every packet once", () => {
    const room = new Room("joins");
    const relay = room.addRelay();
    const host = openRoom(room, [relay]);
    const guests = [1, 2, 3].map(() => room.addPerson());
    for (const guest of guests) room.join(guest, room.invite(host));
    room.run(500);
    for (const guest of guests) {
      expect(room.events(guest, "joined")).toMatchObject([
        { role: "listener", hops: 1, parents: [room.at(relay).peer] },
      ]);
    }
    room.talk(host, 400);
    room.run(100);
    for (const guest of guests) expect(room.marks(guest, host)).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
    expect(room.peer(relay).stats(room.now).packetsRejected).toEqual({});
    room.run(2000);
    expect(room.events(guests[0] ?? -1, "members").at(-1)).toMatchObject({ speakers: 1, listeners: 3, relays: 1 });
  });

  it("[OV4] a member hangs below one relay and keeps two standbys at others, without media", () => {
    const room = new Room("standby");
    const relays = [room.addRelay(), room.addRelay(), room.addRelay()];
    const host = openRoom(room, relays);
    const guest = room.addPerson();
    room.join(guest, room.invite(host));
    room.run(1000);
    const fed: number[] = [];
    room.filter = ({ from, to, bytes }) => {
      if (to === guest && isMedia(bytes)) fed.push(from);
      return true;
    };
    room.talk(host, 1000);
    room.run(100);
    expect(room.marks(guest, host)).toHaveLength(25);
    expect(new Set(fed).size).toBe(1);
    const neighbours = new Set([...room.at(guest).ends.values()].map((end) => end.other?.owner));
    expect(neighbours.size).toBe(3);
  });

  it("[OV4] [OV5] who speaks hands its voice to two of the core, and everybody still hears it once", () => {
    const room = new Room("speaker3");
    const relays = [room.addRelay(), room.addRelay(), room.addRelay(), room.addRelay()];
    const host = openRoom(room, relays, { coreSize: 2 });
    const [guest, speaker] = [room.addPerson(), room.addPerson()];
    room.join(guest, room.invite(host));
    room.join(speaker, room.invite(host));
    room.run(500);
    room.command(speaker, { kind: "raise-hand" });
    room.run(3000);
    expect(room.events(speaker, "role")).toMatchObject([{ role: "speaker" }]);
    const handed = new Set<number>();
    room.filter = ({ from, to, bytes }) => {
      if (from === speaker && isMedia(bytes)) handed.add(to);
      return true;
    };
    room.talk(speaker, 400);
    room.run(200);
    expect(room.marks(guest, speaker)).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
    expect(room.marks(host, speaker)).toHaveLength(10);
    expect(handed.size).toBe(2);
    for (const relay of handed) expect(relays.slice(0, 2)).toContain(relay);
  });

  it("[OV8] who is refused for want of a slot is told of relays that have one, and gets in there", () => {
    const room = new Room("redirect");
    const [small, large] = [room.addRelay({ maxChildren: 2 }), room.addRelay({ maxChildren: 50 })];
    const host = openRoom(room, [small, large]);
    room.run(3000);
    const hint = { ...room.invite(host), hints: [room.at(small).address] };
    const guests = Array.from({ length: 6 }, () => room.addPerson());
    for (const guest of guests) {
      room.join(guest, hint);
      room.run(2000);
    }
    for (const guest of guests) expect(room.events(guest, "joined")).toHaveLength(1);
    expect(room.peer(small).stats(room.now).children).toBeLessThanOrEqual(2);
    expect(room.peer(small).stats(room.now).packetsRejected).toHaveProperty("refused-full");
  });

  it("[RM26] [OV8] a room without a slot anywhere says so, after every relay was tried twice", () => {
    const room = new Room("full");
    const relays = [room.addRelay({ maxChildren: 1 }), room.addRelay({ maxChildren: 1 })];
    const host = openRoom(room, relays);
    room.run(2000);
    const guests = Array.from({ length: 4 }, () => room.addPerson());
    for (const guest of guests) room.join(guest, room.invite(host));
    room.run(25_000);
    const outside = guests.filter((guest) => room.events(guest, "joined").length === 0);
    expect(outside.length).toBeGreaterThanOrEqual(2);
    for (const guest of outside) expect(troubles(room, guest)).toEqual(["refused-relay-full"]);
  });

  it("[OV12] with `only`, an invite's hint is not enough to be carried; the card is", () => {
    const room = new Room("only");
    const relay = room.addRelay({ only: true });
    const stranger = room.addPerson();
    const { address } = room.at(relay);
    const options = { via: [], letEverybodySpeak: true };
    room.command(stranger, { kind: "host", options, relays: [{ address, secret: new Uint8Array(16) }] });
    room.run(25_000);
    expect(troubles(room, stranger)).toEqual(["refused-only-own"]);
    openRoom(room, [relay]);
  });

  it("[OV12] a relay whose volunteer allows no children, and a peer that is no volunteer, carry nothing", () => {
    const room = new Room("unwilling");
    const none = room.addRelay({ maxChildren: 0 });
    const slow = room.addRelay({ maxKbps: 60 });
    const guest = room.addPerson({ listens: true });
    for (const [relay, code] of [
      [none, "refused-relay-full"],
      [slow, "refused-relay-full"],
      [guest, "refused-by-relay"],
    ] as const) {
      const host = room.addPerson();
      room.host(host, [relay]);
      room.run(25_000);
      expect(troubles(room, host)).toEqual([code]);
    }
  });

  it("[OV12] a room without an edge is forgotten after ten minutes, and not before", () => {
    const room = new Room("forgotten");
    const relay = room.addRelay();
    const host = openRoom(room, [relay]);
    const [early, late] = [room.addPerson(), room.addPerson()];
    room.kill(host);
    room.run(9 * 60_000);
    room.join(early, room.invite(host));
    room.run(1000);
    expect(room.events(early, "joined")).toHaveLength(1);
    room.kill(early);
    room.run(10 * 60_000 + 1000);
    room.join(late, room.invite(host));
    room.run(25_000);
    expect(troubles(room, late)).toEqual(["room-not-found"]);
  });

  it("[RM26] nobody there, a room nobody knows: each has its reason, within 20 s", () => {
    const room = new Room("nobody");
    const relay = room.addRelay();
    const host = openRoom(room, [relay]);
    const other = room.addRelay();
    const [lost, astray] = [room.addPerson(), room.addPerson()];
    room.join(astray, { ...room.invite(host), hints: [room.at(other).address] });
    const startedAt = room.world.elapsedMs;
    while (troubles(room, astray).length === 0) room.run(100);
    expect(room.world.elapsedMs - startedAt).toBeLessThanOrEqual(20_000);
    expect(troubles(room, astray)).toEqual(["room-not-found"]);
    expect(room.peer(other).stats(room.now).packetsRejected["refused-unknown-room"]).toBeGreaterThanOrEqual(2);
    room.unreachable.add(relay);
    room.join(lost, room.invite(host));
    room.run(20_100);
    expect(troubles(room, lost)).toEqual(["no-network"]);
  });

  it("[RM26] [RM24] with hints that are dead, the record leads in", () => {
    const room = new Room("record");
    const [relay, gone] = [room.addRelay(), room.addRelay()];
    const host = room.addPerson({ discovery: true });
    room.host(host, [relay]);
    room.run(1000);
    // This hour and the next, three replicas each.
    expect(room.records.size).toBe(6);
    room.kill(gone);
    const guest = room.addPerson({ discovery: true });
    room.join(guest, { ...room.invite(host), hints: [room.at(gone).address] });
    room.run(15_000);
    expect(room.lookups).toBeGreaterThan(0);
    expect(room.events(guest, "joined")).toHaveLength(1);
  });

  it("[RM26] a computer that believes it is 1970 asks the DHT all the same, and is told what is wrong", () => {
    const room = new Room("1970");
    const relay = room.addRelay();
    const host = openRoom(room, [relay]);
    const guest = room.addPerson({ discovery: true, skewMs: 0 - room.now });
    room.unreachable.add(relay);
    room.join(guest, room.invite(host));
    room.run(25_000);
    expect(room.lookups).toBeGreaterThan(0);
    expect(room.events(guest, "trouble")).toMatchObject([{ fatal: true }]);
  });

  it("[RM24] records are put again every 10 minutes, and at once when the relays change", () => {
    const room = new Room("publishing");
    const relays = [room.addRelay(), room.addRelay()];
    const host = room.addPerson({ discovery: true });
    room.unreachable.add(relays[1] ?? -1);
    room.host(host, relays);
    room.run(6000);
    const first = new Map(room.records);
    room.unreachable.clear();
    room.run(60_000);
    const changed = [...room.records].filter(([key, value]) => first.get(key) !== value);
    expect(changed).toHaveLength(6);
    const second = new Map(room.records);
    room.run(9 * 60_000 - 6000);
    expect([...room.records].filter(([key, value]) => second.get(key) !== value)).toEqual([]);
    room.run(2 * 60_000);
    expect([...room.records].filter(([key, value]) => second.get(key) !== value).length).toBeGreaterThanOrEqual(6);
  });

  it("leaves with a goodbye, comes again, and a second room takes the place of the first", () => {
    const room = new Room("again");
    const relay = room.addRelay();
    const host = openRoom(room, [relay]);
    const other = openRoom(room, [relay]);
    const guest = room.addPerson();
    const children = (): number => room.peer(relay).stats(room.now).children;
    const before = children();
    room.join(guest, room.invite(host));
    room.run(500);
    expect(children()).toBe(before + 1);
    room.command(guest, { kind: "leave" });
    room.run(100);
    expect(children()).toBe(before);
    room.join(guest, room.invite(host));
    room.run(500);
    expect(room.events(guest, "joined")).toHaveLength(2);
    room.join(guest, room.invite(other));
    room.run(500);
    expect(room.events(guest, "joined")).toHaveLength(3);
    room.talk(other, 200);
    room.talk(host, 200);
    room.run(100);
    expect(room.marks(guest, other)).toHaveLength(5);
    expect(room.marks(guest, host)).toHaveLength(0);
  });

  it("a host without cards is the room's relay itself", () => {
    const room = new Room("own relay");
    const host = room.addPerson({ listens: true });
    const secret = room.at(host).cardSecret;
    room.command(host, { kind: "volunteer", options: {}, cardSecret: secret });
    room.host(host, []);
    room.run(500);
    expect(room.events(host, "joined")).toMatchObject([{ role: "host", hops: 0, parents: [] }]);
    const guests = [room.addPerson(), room.addPerson()];
    for (const guest of guests) room.join(guest, room.invite(host));
    room.run(500);
    room.talk(host, 200);
    room.run(100);
    for (const guest of guests) expect(room.marks(guest, host)).toHaveLength(5);
  });
});
