import { describe, expect, it } from "vitest";
import { linkId, millis, type RoomTag } from "../../../p2p/api/ids.ts";
import { limits } from "../../../p2p/api/limits.ts";
import { toHex } from "../../../p2p/core/bytes.ts";
import { isSolution, puzzleBitsMax, Solver } from "../../../p2p/core/defence/puzzle.ts";
import { type Stranger, Strangers } from "../../../p2p/core/defence/strangers.ts";
import { Rng } from "../../../p2p/core/rng.ts";
import { encodeFrame, parseFrame } from "../../../p2p/core/session/frames.ts";
import { seededCrypto, testNow } from "../fixtures.ts";
import { Room } from "../peer/room.ts";

const crypto = seededCrypto("defence");

function stranger(): Stranger {
  return { remote: "aa" as Stranger["remote"], openedAt: testNow, owner: undefined, bytes: 0, puzzle: undefined };
}

/** So many who ask within ten seconds. */
function rushed(count: number): Strangers {
  const strangers = new Strangers(crypto);
  for (let index = 0; index < count; index++) strangers.demand(stranger(), millis(testNow + (index * 10_000) / count));
  return strangers;
}

describe("strangers at a relay", () => {
  it("[SS21] have nothing to solve while no more come than people do; more bits for each doubling, and never too many", () => {
    expect(rushed(300).bits).toBe(0);
    expect(rushed(400).bits).toBe(12);
    expect(rushed(800).bits).toBe(13);
    expect(rushed(100_000).bits).toBe(puzzleBitsMax);
  });

  it("[SS21] when the rush is over it costs nothing again", () => {
    const strangers = rushed(2_000);
    expect(strangers.demand(stranger(), millis(testNow + 10_500))).toBeDefined();
    expect(strangers.demand(stranger(), millis(testNow + 25_000))).toBeUndefined();
  });

  it("[SS21] a solution is good for one link, once, and for its own puzzle alone", () => {
    const strangers = rushed(2_000);
    const known = stranger();
    const puzzle = strangers.demand(known, millis(testNow + 10_000));
    if (!puzzle) throw new Error("no puzzle");
    const solver = new Solver(crypto);
    const hello = Uint8Array.of(1);
    solver.note(linkId(1), hello);
    expect(solver.take(linkId(2), puzzle)).toBe(false);
    expect(solver.take(linkId(1), puzzle)).toBe(true);
    let solved = solver.work();
    while (solver.isBusy) solved = solver.work();
    const [first] = solved;
    if (!first) throw new Error("not solved");
    expect(first.hello).toBe(hello);
    expect(isSolution(crypto, puzzle.challenge, first.nonce, puzzle.bits)).toBe(true);
    expect(strangers.solve(stranger(), first.nonce)).toBe(false);
    expect(strangers.solve(known, new Uint8Array(8).fill(255))).toBe(false);
    expect(strangers.solve(known, first.nonce)).toBe(true);
    expect(strangers.solve(known, first.nonce)).toBe(false);
    expect(strangers.demand(known, millis(testNow + 10_000))).toBeUndefined();
  });

  it("[SS21] nobody works for a puzzle that is harder than they get", () => {
    const solver = new Solver(crypto);
    solver.note(linkId(1), Uint8Array.of(1));
    expect(solver.take(linkId(1), { challenge: new Uint8Array(16), bits: puzzleBitsMax + 1 })).toBe(false);
  });

  it("[SS20] a link brings 4 KiB before it is an edge, and not a byte more", () => {
    const room = new Room("too much");
    const relay = room.addRelay();
    const { node, puppet } = room.addPuppet();
    const link = room.link(node, relay);
    room.say(node, link, encodeFrame({ kind: "attach", session: new Uint8Array(16) }));
    room.run(50);
    const filler = encodeFrame({ kind: "media", hops: 1, packet: new Uint8Array(1_000) });
    const count = Math.ceil(limits.openingBytesMax / filler.length) + 1;
    for (let index = 0; index < count; index++) room.say(node, link, filler);
    room.run(50);
    expect(puppet.closed).toEqual([link]);
    expect(room.peer(relay).stats(room.now).packetsRejected["opening-bytes"]).toBe(1);
  });

  it("[SS21] in a rush of made-up peers a person still comes in, by its own work, and hears", () => {
    const room = new Room("rush");
    const relay = room.addRelay();
    const host = room.addPerson();
    room.host(host, [relay]);
    room.run(500);
    const tag = toHex(room.invite(host).tag) as RoomTag;
    const rng = new Rng("rush");
    const wish = { layers: "normal", prompt: false, lossy: false } as const;
    const base = {
      kind: "hello",
      version: 1,
      tag,
      role: "member",
      feed: false,
      wish,
      have: [],
      proof: undefined,
    } as const;
    const puppets = Array.from({ length: 500 }, () => room.addPuppet());
    for (const { node } of puppets) {
      const link = room.link(node, relay);
      room.say(node, link, encodeFrame({ ...base, session: rng.bytes(16) }));
      room.run(10);
    }
    const asked = puppets.filter(({ puppet }) => puppet.frames("puzzle").length > 0).length;
    expect(asked).toBeGreaterThan(100);
    const guest = room.addPerson();
    let said = 0;
    room.filter = ({ from, bytes }) => {
      if (from === guest && parseFrame(bytes)?.kind === "solution") said++;
      return true;
    };
    room.join(guest, room.invite(host));
    room.run(1_000);
    expect([said, room.events(guest, "joined").length]).toEqual([1, 1]);
    room.talk(host, 400);
    room.run(100);
    expect(room.marks(guest, host).length).toBeGreaterThan(8);
  });
});
