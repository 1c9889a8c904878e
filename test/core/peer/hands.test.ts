import { describe, expect, it } from "vitest";
import type { Hand, StagePerson } from "../../../p2p/api/engine.ts";
import { Room } from "./room.ts";

/** A room whose host decides who speaks, with guests in it. */
function bench(seed: string, guests = 2): { room: Room; host: number; guests: number[] } {
  const room = new Room(seed);
  const relay = room.addRelay();
  const host = room.addPerson();
  room.host(host, [relay], { letEverybodySpeak: false, title: "tea", name: "host" });
  room.run(500);
  const invite = room.invite(host);
  const people = Array.from({ length: guests }, () => room.addPerson());
  for (const guest of people) room.join(guest, invite);
  room.run(500);
  return { room, host, guests: people };
}

function hands(room: Room, node: number): readonly Hand[] {
  return room.events(node, "stage").at(-1)?.hands ?? [];
}

function people(room: Room, node: number): readonly StagePerson[] {
  return room.events(node, "stage").at(-1)?.people ?? [];
}

function raise(room: Room, host: number, guest: number): string {
  room.command(guest, { kind: "raise-hand" });
  room.run(500);
  const hand = hands(room, host).find(({ name }) => name === `person ${guest}`);
  if (!hand) throw new Error("no hand is up");
  return hand.id;
}

/** Petitions that this node sends from now on. */
function countPetitions(room: Room, node: number): () => number {
  let sent = 0;
  room.filter = ({ from, bytes }) => {
    if (from === node && bytes[0] === 7 && bytes[6] === 3) sent++;
    return true;
  };
  return () => sent;
}

describe("hands that wait for the host", () => {
  it("[RM22] everybody sees whose hand is up, and only its owner that it is theirs", () => {
    const { room, host, guests } = bench("waiting");
    const [one, two] = guests as [number, number];
    const id = raise(room, host, one);
    const hand = { id, name: `person ${one}` };
    expect(hands(room, host)).toEqual([{ ...hand, self: false }]);
    expect(hands(room, one)).toEqual([{ ...hand, self: true }]);
    expect(hands(room, two)).toEqual([{ ...hand, self: false }]);
    room.run(10_000);
    expect(room.events(one, "role")).toEqual([]);
  });

  it("[RM27] admitted, a guest is on stage and heard; removed, it is neither; the host stays", () => {
    const { room, host, guests } = bench("admitted");
    const [one, two] = guests as [number, number];
    room.command(host, { kind: "admit", hand: raise(room, host, one) });
    room.run(500);
    expect(room.events(one, "role").at(-1)).toMatchObject({ role: "speaker" });
    expect(people(room, two).map(({ name, role, self }) => ({ name, role, self }))).toEqual([
      { name: "host", role: "host", self: false },
      { name: `person ${one}`, role: "speaker", self: false },
    ]);
    expect(people(room, one).map(({ self }) => self)).toEqual([false, true]);
    expect(hands(room, two)).toEqual([]);
    room.talk(one, 200);
    room.run(100);
    expect(room.marks(two, one)).toHaveLength(5);
    for (const { voice } of people(room, host)) room.command(host, { kind: "remove-from-stage", voice });
    room.run(500);
    expect(room.events(one, "role").at(-1)).toMatchObject({ role: "listener" });
    expect(people(room, two)).toMatchObject([{ role: "host" }]);
    room.talk(one, 200, 100);
    room.talk(host, 200);
    room.run(100);
    expect(room.marks(two, one)).toHaveLength(5);
    expect(room.marks(two, host)).toHaveLength(5);
  });

  it("[RM22] dismissed, a hand is down for everybody, its owner asks no more, and may ask again", () => {
    const { room, host, guests } = bench("dismissed");
    const [one] = guests as [number];
    const first = raise(room, host, one);
    room.command(host, { kind: "dismiss", hand: first });
    room.run(500);
    for (const node of [host, ...guests]) expect(hands(room, node)).toEqual([]);
    const sent = countPetitions(room, one);
    room.run(20_000);
    expect(sent()).toBe(0);
    expect(room.events(one, "role")).toEqual([]);
    expect(raise(room, host, one)).not.toBe(first);
    expect(hands(room, host)).toHaveLength(1);
  });

  it("[RM22] a guest lowers its own hand, and what it said before does not raise it again", () => {
    const { room, host, guests } = bench("lowered");
    const [one, two] = guests as [number, number];
    const hand = raise(room, host, one);
    room.command(one, { kind: "lower-hand" });
    room.run(500);
    for (const node of [host, one, two]) expect(hands(room, node)).toEqual([]);
    // The host answers a moment too late: nobody is there.
    room.command(host, { kind: "admit", hand });
    const sent = countPetitions(room, one);
    room.run(20_000);
    expect(sent()).toBe(0);
    expect(people(room, two)).toHaveLength(1);
    expect(room.events(one, "role")).toEqual([]);
  });

  it("[RM22] a hand that is lowered while the host is out of reach is lowered when it is back", () => {
    const { room, host, guests } = bench("lowered late");
    const [one] = guests as [number];
    raise(room, host, one);
    const relay = 0;
    room.unreachable.add(relay);
    room.cut(host, relay);
    room.command(one, { kind: "lower-hand" });
    // The relay has nobody to pass it on to.
    room.run(5000);
    expect(hands(room, host)).toHaveLength(1);
    room.unreachable.clear();
    room.run(30_000);
    expect(hands(room, host)).toEqual([]);
    const sent = countPetitions(room, one);
    room.run(20_000);
    expect(sent()).toBe(0);
  });

  it("the hand of somebody who is gone can be dismissed, or admitted and removed, and hurts nobody", () => {
    const { room, host, guests } = bench("gone", 3);
    const [one, two, three] = guests as [number, number, number];
    const [first, second] = [raise(room, host, one), raise(room, host, two)];
    room.kill(one);
    room.command(two, { kind: "leave" });
    room.run(20_000);
    room.command(host, { kind: "admit", hand: first });
    room.command(host, { kind: "dismiss", hand: second });
    room.run(500);
    expect(people(room, three)).toHaveLength(2);
    expect(hands(room, three)).toEqual([]);
    const ghost = people(room, host).find(({ role }) => role !== "host");
    room.command(host, { kind: "remove-from-stage", voice: ghost!.voice });
    room.run(500);
    expect(people(room, three)).toMatchObject([{ role: "host" }]);
    room.talk(host, 200);
    room.run(100);
    expect(room.marks(three, host)).toHaveLength(5);
  });

  it("[RM27] nobody but the host rules", () => {
    const { room, host, guests } = bench("usurper");
    const [one, two] = guests as [number, number];
    const hand = raise(room, host, one);
    const [ruler] = people(room, two);
    room.command(two, { kind: "admit", hand });
    room.command(two, { kind: "dismiss", hand });
    room.command(two, { kind: "remove-from-stage", voice: ruler!.voice });
    room.run(5000);
    expect(hands(room, two)).toHaveLength(1);
    expect(people(room, two)).toMatchObject([{ role: "host" }]);
    expect(room.events(one, "role")).toEqual([]);
  });
});

describe("what a person sees while joining", () => {
  function steps(room: Room, node: number): string[] {
    return room.at(node).events.flatMap((event) => {
      if (event.event === "step") return [event.step];
      return event.event === "joined" || event.event === "left" ? [event.event.toUpperCase()] : [];
    });
  }

  it("relays are asked, papers come, and the last step is the joining itself", () => {
    const { room, host, guests } = bench("steps", 1);
    for (const node of [host, ...guests]) {
      expect(steps(room, node)).toEqual(["asking-relays", "waiting-for-papers", "joined", "JOINED"]);
    }
  });

  it("the DHT is asked when the relays of the invite are gone", () => {
    const room = new Room("steps by dht");
    const [relay, gone] = [room.addRelay(), room.addRelay()];
    const host = room.addPerson({ discovery: true });
    room.host(host, [relay]);
    room.run(1000);
    room.kill(gone);
    const guest = room.addPerson({ discovery: true });
    room.join(guest, { ...room.invite(host), hints: [room.at(gone).address] });
    room.run(15_000);
    const wanted = ["asking-relays", "asking-dht", "waiting-for-papers", "joined", "JOINED"];
    expect(steps(room, guest)).toEqual(wanted);
  });

  it("[RM26] who never got in is told so once, is out, and begins anew with the next try", () => {
    const { room, host } = bench("steps to nowhere", 0);
    const [lost, relay] = [room.addPerson(), 0];
    room.unreachable.add(relay);
    room.join(lost, room.invite(host));
    room.run(25_000);
    expect(steps(room, lost)).toEqual(["asking-relays", "LEFT"]);
    expect(room.peer(lost).capsule()).toBeUndefined();
    let dials = 0;
    room.filter = ({ from }) => {
      if (from === lost) dials++;
      return true;
    };
    room.unreachable.clear();
    room.run(60_000);
    expect(dials).toBe(0);
    room.join(lost, room.invite(host));
    room.run(1000);
    expect(steps(room, lost).slice(2)).toEqual(["asking-relays", "waiting-for-papers", "joined", "JOINED"]);
  });

  it("the place in the tree is told, once for each change", () => {
    const { room, guests } = bench("place", 1);
    const [guest] = guests as [number];
    room.run(20_000);
    const relays = [{ peer: room.at(0).peer, kind: "stream", feeds: true }];
    expect(room.events(guest, "place")).toEqual([{ event: "place", hops: 0, relays, below: [] }]);
  });
});
