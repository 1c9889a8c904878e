import { describe, expect, it } from "vitest";
import { type Frame, parseFrame } from "../../../p2p/core/session/frames.ts";
import { parsePaper } from "../../../p2p/core/overlay/news/papers.ts";
import { Room } from "./room.ts";

interface Bench {
  readonly room: Room;
  readonly host: number;
  readonly guest: number;
  readonly parent: number;
  readonly reserves: readonly number[];
}

/** A guest below one of four relays, with two others in reserve, in the middle of a talk. */
function bench(seed: string): Bench {
  const room = new Room(seed);
  const relays = Array.from({ length: 4 }, () => room.addRelay());
  const host = room.addPerson();
  room.host(host, relays);
  room.run(1000);
  const guest = room.addPerson();
  room.join(guest, room.invite(host));
  room.run(3000);
  const [first] = room.events(guest, "joined").flatMap(({ parents }) => parents);
  const near = new Set([...room.at(guest).ends.values()].map((end) => end.other?.owner ?? -1));
  const parent = relays.find((relay) => room.at(relay).peer === first) ?? -1;
  const reserves = relays.filter((relay) => near.has(relay) && relay !== parent);
  expect(reserves).toHaveLength(2);
  room.talk(host, 400);
  room.dials.splice(0);
  return { room, host, guest, parent, reserves };
}

/** The longest pause between packets that came to a node, ms. */
function longestPause(room: Room, node: number): number {
  const times = room.at(node).heard.map(({ receivedAt }) => receivedAt);
  return Math.max(...times.slice(1).map((at, index) => at - (times[index] ?? 0)));
}

/** Who was asked to cover, in order. */
function watchCovers({ room, guest }: Bench): number[] {
  const asked: number[] = [];
  room.filter = ({ from, to, bytes }) => {
    const frame = parseFrame(bytes) as Extract<Frame, { kind: "cover" }> | undefined;
    if (from === guest && frame?.kind === "cover" && frame.on && !asked.includes(to)) asked.push(to);
    return true;
  };
  return asked;
}

const all = (count: number): number[] => Array.from({ length: count }, (_, mark) => mark);
const sorted = (marks: readonly number[]): number[] => marks.toSorted((a, b) => a - b);

describe("who is in reserve", () => {
  it("[OV53] a reserve that is dead as well is not waited for: the other covers a round trip later, and nobody is dialed for sound", () => {
    for (const dead of [0, 1]) {
      const b = bench(`dead ${dead}`);
      const { room, host, guest, parent, reserves } = b;
      room.kill(parent, true);
      room.kill(reserves[dead]!, true);
      const asked = watchCovers(b);
      room.talk(host, 3000, 10);
      room.run(200);
      // Two ticks, the patience with the first, and a round trip.
      expect(longestPause(room, guest)).toBeLessThan(230);
      expect(asked).toContain(reserves[1 - dead]);
      expect(sorted(room.marks(guest, host))).toEqual(all(85));
      expect(room.events(guest, "move")).toHaveLength(1);
    }
  });

  it("[OV53] the parent's link is lost: one reserve takes its place and the other covers at once, for the first may be dead too", () => {
    const b = bench("both at once");
    const asked = watchCovers(b);
    b.room.kill(b.parent, false);
    b.room.talk(b.host, 80, 10);
    expect(asked).toHaveLength(1);
    expect(b.reserves).toContain(asked[0]);
    b.room.talk(b.host, 2000, 12);
    b.room.run(200);
    expect(longestPause(b.room, b.guest)).toBeLessThan(120);
    expect(sorted(b.room.marks(b.guest, b.host))).toEqual(all(62));
  });

  it("[OV52] [OV53] a reserve whose slots were taken says so, and is not the first to be asked", () => {
    const b = bench("taken");
    const { room, host, guest, parent, reserves } = b;
    const [full = -1, free = -1] = reserves;
    const promises: boolean[] = [];
    room.filter = ({ from, to, bytes }) => {
      const frame = parseFrame(bytes);
      const paper = frame?.kind === "fragment" && frame.last ? parsePaper(frame.bytes) : undefined;
      if (from === full && to === guest && paper?.kind === "promise") promises.push(paper.kept);
      return true;
    };
    room.command(full, { kind: "volunteer", options: { maxChildren: 0 }, cardSecret: room.at(full).cardSecret });
    room.talk(host, 4000, 10);
    expect(promises).toEqual([false]);
    const asked = watchCovers(b);
    room.kill(parent, true);
    room.talk(host, 2000, 110);
    room.run(200);
    expect(asked[0]).toBe(free);
    expect(longestPause(room, guest)).toBeLessThan(160);
  });
});
