import { describe, expect, it } from "vitest";
import { millis } from "../../../p2p/api/ids.ts";
import type { PeerOutput } from "../../../p2p/core/peer-io.ts";
import { encodeFrame, type Frame, parseFrame } from "../../../p2p/core/session/frames.ts";
import { isMedia } from "./packets.ts";
import { type Passing, Room } from "./room.ts";

interface Bench {
  readonly room: Room;
  readonly host: number;
  readonly guest: number;
  /** The relay that feeds the guest, and the one that waits. */
  readonly parent: number;
  readonly backup: number;
  /** Frames of this kind that the guest sent, or that were sent to it. */
  count(kind: Frame["kind"], from: number): number;
}

/** A guest below one of two relays, with the other as its backup, in the middle of a talk. */
function bench(seed: string): Bench {
  const room = new Room(seed);
  const relays = [room.addRelay(), room.addRelay()];
  const host = room.addPerson();
  room.host(host, relays);
  room.run(1000);
  const guest = room.addPerson();
  room.join(guest, room.invite(host));
  room.run(2000);
  const [first] = room.events(guest, "joined").flatMap(({ parents }) => parents);
  const parent = relays.find((relay) => room.at(relay).peer === first) ?? -1;
  const backup = relays.find((relay) => relay !== parent) ?? -1;
  const counts = new Map<string, number>();
  const bench = { room, host, guest, parent, backup };
  watch(room, ({ from, to, bytes }) => {
    if (from !== guest && to !== guest) return true;
    const name = `${parseFrame(bytes)?.kind} ${from}`;
    counts.set(name, (counts.get(name) ?? 0) + 1);
    return true;
  });
  room.talk(host, 400);
  return { ...bench, count: (kind, from) => counts.get(`${kind} ${from}`) ?? 0 };
}

/** Adds a filter to those that are there. */
function watch(room: Room, more: (passing: Passing) => boolean): void {
  const before = room.filter;
  room.filter = (passing) => before(passing) && more(passing);
}

/** The longest pause between packets that came to a node, ms. */
function longestPause(room: Room, node: number): number {
  const times = room.at(node).heard.map(({ receivedAt }) => receivedAt);
  return Math.max(...times.slice(1).map((at, index) => at - (times[index] ?? 0)));
}

const all = (count: number): number[] => Array.from({ length: count }, (_, mark) => mark);
const sorted = (marks: readonly number[]): number[] => marks.toSorted((a, b) => a - b);

describe("cover", () => {
  it("[OV40] two ticks missing: the backup replays the hole and goes on until the parent is back; nobody moves", () => {
    const b = bench("short hole");
    const from = b.room.now;
    watch(b.room, (passing) => passing.from !== b.parent || passing.to !== b.guest || b.room.now >= from + 200);
    b.room.talk(b.host, 2000, 10);
    b.room.run(200);
    expect(sorted(b.room.marks(b.guest, b.host))).toEqual(all(60));
    expect(b.room.events(b.guest, "move")).toEqual([]);
    expect(b.room.events(b.guest, "cover")).toMatchObject([{ reason: "its relay fell silent" }]);
    expect(b.room.events(b.guest, "cover")[0]?.packetsRecovered).toBeGreaterThanOrEqual(2);
    expect(longestPause(b.room, b.guest)).toBeLessThan(160);
    // It came to an end: what the backup sends now is ticks.
    const before = b.count("media", b.backup);
    b.room.talk(b.host, 400, 60);
    expect(b.room.peer(b.guest).stats(b.room.now).framesDuplicate).toBeLessThan(10);
    expect(b.count("media", b.backup) - before).toBe(0);
  });

  it("[OV40] a parent that stays silent is left after 300 ms, with nothing missing and no second pause", () => {
    const b = bench("dead");
    b.room.kill(b.parent, true);
    const killedAt = b.room.now;
    b.room.talk(b.host, 3000, 10);
    b.room.run(200);
    expect(sorted(b.room.marks(b.guest, b.host))).toEqual(all(85));
    expect(b.room.events(b.guest, "move")).toMatchObject([{ reason: "its relay fell silent" }]);
    expect(longestPause(b.room, b.guest)).toBeLessThan(160);
    expect(killedAt).toBeLessThan(b.room.now);
  });

  it("[OV40] a microphone that closes is no silence: the parent says at once that it lives, and nobody asks", () => {
    const b = bench("pause");
    b.room.run(20_000);
    b.room.talk(b.host, 400, 10);
    b.room.run(5000);
    expect(b.count("cover", b.guest)).toBe(0);
    expect(b.room.marks(b.guest, b.host)).toEqual(all(20));
  });

  it("[SS8] where media goes on there are no ticks, and a backup ticks once a second", () => {
    const b = bench("ticks");
    const before = [b.count("tick", b.parent), b.count("tick", b.backup)];
    b.room.talk(b.host, 10_000, 10);
    expect(b.count("tick", b.parent) - (before[0] ?? 0)).toBeLessThanOrEqual(2);
    expect(b.count("tick", b.backup) - (before[1] ?? 0)).toBeLessThanOrEqual(22);
    const control = b.room.peer(b.guest).stats(b.room.now).controlBytes;
    expect(control).toBeLessThan(4000);
  });

  it("[OV40] those below a relay that lost its parent are told to wait, and stay", () => {
    const room = new Room("grandchild");
    const relays = [room.addRelay({ maxChildren: 60 }), room.addRelay(), room.addRelay()];
    const [top = -1, below = -1] = relays;
    const host = room.addPerson();
    room.host(host, relays, { coreSize: 2, relayFanout: 1 });
    room.run(2000);
    const rank = room.peer(host).capsule();
    expect(rank).toBeDefined();
    const guests = Array.from({ length: 6 }, () => room.addPerson());
    for (const guest of guests) room.join(guest, room.invite(host));
    room.run(3000);
    const feeds = new Map<number, Set<number>>();
    watch(room, ({ from, to, bytes }) => {
      if (isMedia(bytes)) feeds.set(to, (feeds.get(to) ?? new Set()).add(from));
      return true;
    });
    room.talk(host, 400);
    const covers = (): number[] => guests.filter((guest) => room.events(guest, "move").length > 0);
    const parentOfThird = [...(feeds.get(relays[2] ?? -1) ?? [])][0] ?? top;
    expect([top, below]).toContain(parentOfThird);
    const children = guests.filter((guest) => feeds.get(guest)?.has(parentOfThird) === true);
    room.kill(parentOfThird, true);
    room.talk(host, 2000, 10);
    room.run(200);
    // Only those that hung below it moved.
    expect(covers().filter((guest) => !children.includes(guest))).toEqual([]);
    for (const guest of guests) expect(sorted(room.marks(guest, host))).toEqual(all(60));
  });

  it("[OV40] what we did not hear because our own process stood still is nobody's silence", () => {
    const b = bench("stand still");
    const machine = b.room.peer(b.guest);
    const outputs: PeerOutput[] = [];
    machine.handle({ kind: "timeout" }, millis(b.room.now + 700));
    for (let output = machine.poll(); output; output = machine.poll()) outputs.push(output);
    const kinds = outputs.flatMap((output) => (output.kind === "send" ? [parseFrame(output.bytes)?.kind] : []));
    expect(kinds).not.toContain("cover");
  });

  it("[OV41] a relay that lives and forwards nothing is left for the backup", () => {
    const b = bench("withholds");
    watch(b.room, ({ from, to, bytes }) => from !== b.parent || to !== b.guest || !isMedia(bytes));
    for (let tick = 0; tick < 250; tick++) {
      // It ticks as if nobody spoke.
      const link = [...b.room.at(b.parent).ends.values()].find((end) => end.other?.owner === b.guest);
      const alive = { kind: "tick", nextMs: 200, stalled: false, passing: false } as const;
      if (link) sayTick(b, link.id, alive);
      b.room.talk(b.host, 40, 10 + tick);
    }
    b.room.run(200);
    expect(b.room.events(b.guest, "move")).toMatchObject([{ reason: "its relay sends nothing" }]);
    expect(b.room.marks(b.guest, b.host).slice(-150)).toEqual(all(260).slice(-150));
  });

  it("[OV41] whoever speaks alone is given nothing back, and moves nowhere for that", () => {
    const b = bench("alone on stage");
    b.room.talk(b.host, 8000, 10);
    expect(b.room.events(b.host, "move")).toEqual([]);
    expect(b.room.events(b.host, "cover")).toEqual([]);
  });

  it("[OV53] parent and both reserves fall silent together: the last relay is dialed and takes over within a second", () => {
    const room = new Room("both dead");
    const relays = [room.addRelay(), room.addRelay(), room.addRelay(), room.addRelay()];
    const host = room.addPerson();
    room.host(host, relays);
    room.run(1000);
    const guest = room.addPerson();
    room.join(guest, room.invite(host));
    room.run(3000);
    room.talk(host, 400);
    const near = new Set([...room.at(guest).ends.values()].map((end) => end.other?.owner ?? -1));
    expect(near.size).toBe(3);
    for (const relay of near) room.kill(relay, true);
    room.talk(host, 4000, 10);
    room.run(200);
    expect(longestPause(room, guest)).toBeLessThan(1000);
    expect(room.marks(guest, host).slice(-50)).toEqual(all(110).slice(-50));
  });

  it("[OV40] a cover that is not asked for again ends by itself", () => {
    const b = bench("lease");
    const from = b.room.now;
    watch(b.room, (passing) => {
      const kind = parseFrame(passing.bytes)?.kind;
      if (passing.from === b.parent && passing.to === b.guest) return b.room.now >= from + 200;
      // The request comes through, its end does not.
      return passing.from !== b.guest || kind !== "cover" || b.room.now < from + 180;
    });
    b.room.talk(b.host, 2000, 10);
    const before = b.count("media", b.backup);
    b.room.talk(b.host, 400, 60);
    expect(b.count("media", b.backup) - before).toBe(0);
    expect(sorted(b.room.marks(b.guest, b.host))).toEqual(all(70));
  });
});

function sayTick({ room, parent }: Bench, link: Parameters<Room["say"]>[1], tick: Frame): void {
  room.say(parent, link, encodeFrame(tick));
}
