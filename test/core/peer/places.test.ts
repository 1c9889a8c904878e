import { describe, expect, it } from "vitest";
import { parsePaper } from "../../../p2p/core/overlay/news/papers.ts";
import { parseFrame } from "../../../p2p/core/session/frames.ts";
import { isMedia } from "./packets.ts";
import { Room } from "./room.ts";

/** Somebody who sits in a room and lends so many slots. */
function addLender(room: Room, maxChildren: number): number {
  const node = room.addPerson({ listens: true });
  room.command(node, { kind: "volunteer", options: { maxChildren }, cardSecret: room.at(node).cardSecret });
  return node;
}

function openRoom(room: Room, relays: readonly number[]): number {
  const host = room.addPerson();
  room.host(host, relays);
  room.run(1000);
  return host;
}

/** Who sends media to whom, as it was seen lately. */
function watchFeeds(room: Room): Map<number, number> {
  const parents = new Map<number, number>();
  room.filter = ({ from, to, bytes }) => {
    if (isMedia(bytes)) parents.set(to, from);
    return true;
  };
  return parents;
}

/** Whether the way up from somebody ends at one of these. */
function reaches(node: number, parents: ReadonlyMap<number, number>, relays: readonly number[]): boolean {
  let at = node;
  for (let depth = 0; depth < 20 && !relays.includes(at); depth++) at = parents.get(at) ?? -1;
  return relays.includes(at);
}

describe("places in the tree", () => {
  it("[OV19] [OV21] members who lend carry others, and everybody hears everything once", () => {
    const room = new Room("places");
    const relays = [room.addRelay({ maxChildren: 4 }), room.addRelay({ maxChildren: 4 })];
    const host = openRoom(room, relays);
    const lenders = Array.from({ length: 5 }, () => addLender(room, 6));
    for (const lender of lenders) {
      room.join(lender, room.invite(host));
      room.run(400);
    }
    room.run(8000);
    const leaves = Array.from({ length: 14 }, () => room.addPerson());
    for (const leaf of leaves) {
      room.join(leaf, room.invite(host));
      room.run(300);
    }
    room.run(12_000);
    const parents = watchFeeds(room);
    room.talk(host, 2000);
    room.run(200);
    for (const node of [...lenders, ...leaves]) {
      expect(room.marks(node, host), `node ${node}`).toEqual(Array.from({ length: 50 }, (_, mark) => mark));
      expect(reaches(node, parents, relays), `node ${node}`).toBe(true);
    }
    const carried = leaves.filter((leaf) => lenders.includes(parents.get(leaf) ?? -1));
    expect(carried.length).toBeGreaterThanOrEqual(6);
    // Who is moving is counted by both parents for a moment.
    room.run(4000);
    expect(room.events(host, "members").at(-1)).toMatchObject({ listeners: 19 });
  });

  it("[OV22] who lends is let in where leaves hang, and one of them is handed on without losing a packet", () => {
    const room = new Room("hand-off");
    const relay = room.addRelay({ maxChildren: 8 });
    const host = openRoom(room, [relay]);
    const leaves = Array.from({ length: 6 }, () => room.addPerson());
    for (const leaf of leaves) {
      room.join(leaf, room.invite(host));
      room.run(300);
    }
    room.run(2000);
    const handed: number[] = [];
    const parents = watchFeeds(room);
    const watched = room.filter;
    room.filter = (passing) => {
      const frame = parseFrame(passing.bytes);
      const paper = frame?.kind === "fragment" ? parsePaper(frame.bytes) : undefined;
      if (paper?.kind === "hand-off") handed.push(passing.to);
      return watched(passing);
    };
    const lender = addLender(room, 5);
    room.join(lender, room.invite(host));
    room.talk(host, 16_000);
    room.run(200);
    expect(handed.length).toBeGreaterThan(0);
    expect(parents.get(handed[0] ?? -1)).toBe(lender);
    for (const leaf of leaves) expect(room.marks(leaf, host), `leaf ${leaf}`).toHaveLength(400);
  });
});
