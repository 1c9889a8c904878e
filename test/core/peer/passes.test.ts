import { describe, expect, it } from "vitest";
import type { RoomTag } from "../../../p2p/api/ids.ts";
import { millis } from "../../../p2p/api/ids.ts";
import { toHex } from "../../../p2p/core/bytes.ts";
import { plainWish } from "../../../p2p/core/overlay/media/layers.ts";
import type { GuestCapsule } from "../../../p2p/core/room/keeper/capsule.ts";
import { ownDoor, proveDoor } from "../../../p2p/core/room/rights/doors.ts";
import { createRoomKeys, type KeyPair } from "../../../p2p/core/room/rights/keys.ts";
import { type Pass, signPass } from "../../../p2p/core/room/rights/pass.ts";
import { encodeFrame, type Hello } from "../../../p2p/core/session/frames.ts";
import { seededCrypto } from "../fixtures.ts";
import { come, comeBack, fall, guestCapsule, hears, hostCapsule, outage, whetherIn } from "./coming.ts";
import { KeptRoom } from "./kept-room.ts";

const crypto = seededCrypto("passes");

/** Everybody who is there has been given keys, or will be within these. */
const enrolledMs = 12_000;

function lock(room: KeptRoom, by = room.keeper): void {
  expect(room.act(by, { kind: "set-room", access: "locked" })).toBeUndefined();
  room.run(8000);
}

describe("somebody who was inside a locked room", () => {
  it("[RM58] comes back after 11 minutes in which twelve people were put out, one a minute", () => {
    const room = new KeptRoom("twelve eras", 3);
    const listener = room.enter();
    const rowdies = Array.from({ length: 12 }, () => room.enter());
    const identities = rowdies.map((rowdy) => room.bringOnStage(rowdy));
    room.run(enrolledMs);
    lock(room);
    outage(room, listener, () => {
      for (const identity of identities) {
        room.act(room.keeper, { kind: "kick", identity });
        room.run(55_000);
      }
    });
    expect(whetherIn(room, listener)).toEqual(["in"]);
    expect(hears(room, listener, room.keeper)).toBe(true);
    // Nor did anybody new come in, and the doors of those who were put out are shut.
    expect(come(room, room.invite(room.keeper)).told).toEqual(["locked"]);
    expect(room.viewOf(listener)?.doors?.shut).toHaveLength(12);
  });

  it.each([1000, 6000])("[RM58] comes back when their engine falls %i ms before the next era", (ms) => {
    const room = new KeptRoom(`falls inside ${ms}`, 3);
    const listener = room.enter();
    const identity = room.bringOnStage(room.enter());
    room.run(enrolledMs);
    lock(room);
    const capsule = guestCapsule(room, listener);
    room.kill(listener);
    room.run(ms);
    room.act(room.keeper, { kind: "kick", identity });
    const again = comeBack(room, capsule);
    expect(whetherIn(room, again)).toEqual(["in"]);
    expect(hears(room, again, room.keeper)).toBe(true);
  });

  it("[RM58] comes back when the time of their invite is over", () => {
    const room = new KeptRoom("over", 3);
    room.run(1000);
    const seconds = Math.floor(room.now / 1000);
    const short = room.craftInvite(room.keeper, { notBefore: seconds - 10, expires: seconds + 60 });
    const listener = come(room, short);
    expect(listener.told).toEqual(["in"]);
    lock(room);
    room.run(60_000);
    const capsule = guestCapsule(room, listener.node);
    room.kill(listener.node);
    const again = comeBack(room, capsule);
    expect(whetherIn(room, again)).toEqual(["in"]);
    expect(hears(room, again, room.keeper)).toBe(true);
  });

  it("[RM59] hears a host that comes back from a capsule older than the era", () => {
    const room = new KeptRoom("old capsule", 3);
    const listener = room.enter();
    const [rowdy, speaker] = [room.enter(), room.enter()];
    const identity = room.bringOnStage(rowdy);
    room.bringOnStage(speaker);
    room.run(enrolledMs);
    lock(room);
    const capsule = hostCapsule(room);
    room.act(room.keeper, { kind: "kick", identity });
    room.run(1000);
    room.kill(room.keeper, true);
    room.run(3000);
    const again = comeBack(room, capsule, 30_000);
    expect([hears(room, listener, again), hears(room, speaker, again)]).toEqual([true, true]);
    expect(room.isOut(listener) || room.isOut(speaker)).toBe(false);
  });

  it("[RM59] hears a host that comes back after an heir put somebody out and is gone; who was put out stays out", () => {
    const room = new KeptRoom("heir gone", 3);
    const heir = room.enter("heir");
    const listener = room.enter();
    const rowdy = room.enter();
    const identity = room.bringOnStage(rowdy);
    room.run(enrolledMs);
    lock(room);
    const capsule = hostCapsule(room);
    const kicked = guestCapsule(room, rowdy);
    fall(room);
    expect(room.act(heir, { kind: "ban", identity, branch: false })).toBeUndefined();
    room.run(3000);
    room.kill(heir, true);
    room.run(1000);
    const again = comeBack(room, capsule, 30_000);
    expect(hears(room, listener, again)).toBe(true);
    // It has read what the heir left, by the keys of those who were inside.
    expect(room.seen(again, identity)?.banned).toBe(true);
    const back = comeBack(room, kicked, 30_000);
    expect(whetherIn(room, back)).not.toEqual(["in"]);
    expect(hears(room, back, again)).toBe(false);
  });

  it("[RM59] and is put out by the host stays out with the heir, though they have a pass of the host's", () => {
    const room = new KeptRoom("out with the heir", 3);
    room.enter("heir");
    const listener = room.enter();
    const rowdy = room.enter();
    const identity = room.bringOnStage(rowdy);
    room.run(enrolledMs);
    lock(room);
    const kicked = guestCapsule(room, rowdy);
    room.act(room.keeper, { kind: "kick", identity });
    room.run(1000);
    fall(room);
    const back = comeBack(room, kicked, 30_000);
    expect(whetherIn(room, back)).not.toEqual(["in"]);
    expect(room.events(back, "joined")).toEqual([]);
    expect(room.isOut(listener)).toBe(false);
  });

  it("[RM58] who is made an heir while inside is told what serials are made of, and shuts passes that the host gave", () => {
    const room = new KeptRoom("made an heir", 3);
    const [heir, listener, rowdy] = [room.enter(), room.enter(), room.enter()];
    const [heirIdentity, identity] = [room.bringOnStage(heir), room.bringOnStage(rowdy)];
    room.run(enrolledMs);
    expect(room.act(room.keeper, { kind: "set-role", identity: heirIdentity, role: "heir" })).toBeUndefined();
    lock(room);
    const kicked = guestCapsule(room, rowdy);
    // Who was put out is away when the heir takes over, and has no pass of the heir's.
    room.kill(rowdy);
    fall(room);
    expect(room.act(heir, { kind: "ban", identity, branch: false })).toBeUndefined();
    room.run(2000);
    expect(room.viewOf(listener)?.doors?.shut).toHaveLength(1);
    expect(toHex(room.viewOf(listener)?.doors?.shut[0] ?? new Uint8Array(0))).toBe(
      toHex(kicked.pass?.serial ?? crypto.randomBytes(8)),
    );
    const back = comeBack(room, kicked, 30_000);
    expect(room.events(back, "joined")).toEqual([]);
  });
});

describe("relays that are shown a pass", () => {
  interface Shown {
    readonly door: KeyPair;
    readonly pass: Pass | undefined;
  }

  /** A stranger who knows the room's tag, and what a relay answers to this door and pass. */
  function knock(room: KeptRoom, shown: Shown, said: (hello: Hello) => Hello = (hello) => hello): string | undefined {
    const { node, puppet } = room.addPuppet();
    const [relay = -1] = room.relays;
    const link = room.link(node, relay);
    const tag = toHex(room.invite(room.keeper).tag) as RoomTag;
    const wants = { role: "member", feed: true, wish: plainWish, have: [], proof: undefined } as const;
    const session = crypto.randomBytes(16);
    const context = { tag, relay: room.at(relay).peer, host: room.at(node).peer, session };
    const { door, pass } = shown;
    const hello: Hello = {
      kind: "hello",
      version: 1,
      session,
      tag,
      ...wants,
      pass,
      doors: [proveDoor(crypto, door, context)],
    };
    room.sayRaw(node, link, encodeFrame(said(hello)));
    room.run(100);
    return puppet.frames("welcome").length > 0 ? "welcome" : puppet.frames("refuse").at(-1)?.reason;
  }

  function shownBy(room: KeptRoom, { identitySeed, pass }: GuestCapsule): Shown {
    return { door: ownDoor(crypto, identitySeed, room.invite(room.keeper).tag), pass };
  }

  it("[RM58] let in its owner, and nobody by a forged, borrowed, foreign or overheard one", () => {
    const room = new KeptRoom("shown", 1);
    const [guest, other] = [room.enter(), room.enter()];
    room.run(enrolledMs);
    lock(room);
    const shown = shownBy(room, guestCapsule(room, guest));
    const { pass } = shown;
    if (!pass) throw new Error("no pass");
    expect(knock(room, shown)).toBe("welcome");
    expect(knock(room, { ...shown, pass: undefined })).toBe("locked");
    // Somebody else's pass, and one's own with somebody else's door.
    const theirs = shownBy(room, guestCapsule(room, other));
    expect(knock(room, { ...theirs, pass })).toBe("locked");
    // With another name or a longer time; signed by who never spoke for the room; of another room.
    expect(knock(room, { ...shown, pass: { ...pass, serial: crypto.randomBytes(8) } })).toBe("locked");
    expect(knock(room, { ...shown, pass: { ...pass, expires: pass.expires + 1 } })).toBe("locked");
    const { tag } = room.invite(room.keeper);
    const stranger = createRoomKeys(crypto, millis(room.now));
    const forged = { ...stranger.session, certificate: { ...pass.certificate, key: stranger.session.key } };
    expect(knock(room, { ...shown, pass: signPass(crypto, forged, tag, shown.door.key, pass.serial, room.now) })).toBe(
      "locked",
    );
    const foreign = signPass(crypto, stranger.session, tag, shown.door.key, pass.serial, room.now);
    expect(knock(room, { ...shown, pass: foreign })).toBe("locked");
    // What another said to this relay, said again in another session.
    let overheard: Hello | undefined;
    knock(room, shown, (hello) => (overheard = hello));
    expect(knock(room, shown, (hello) => ({ ...hello, doors: overheard?.doors ?? [] }))).toBe("locked");
  });

  it("[RM58] let in nobody who was put out, nor by the word of an heir who may not speak any more", () => {
    const room = new KeptRoom("shown and out", 1);
    const heir = room.enter("heir");
    const [guest, rowdy] = [room.enter(), room.enter()];
    const identity = room.bringOnStage(rowdy);
    room.run(enrolledMs);
    lock(room);
    const ofRowdy = shownBy(room, guestCapsule(room, rowdy));
    expect(knock(room, ofRowdy)).toBe("welcome");
    room.act(room.keeper, { kind: "kick", identity });
    expect(knock(room, ofRowdy)).toBe("locked");
    const capsule = hostCapsule(room);
    fall(room);
    room.run(enrolledMs);
    const byHeir = shownBy(room, guestCapsule(room, guest));
    expect(byHeir.pass?.certificate.rank).toBe(1);
    expect([knock(room, byHeir), knock(room, ofRowdy)]).toEqual(["welcome", "locked"]);
    const again = comeBack(room, capsule, 20_000);
    expect([knock(room, byHeir), knock(room, ofRowdy)]).toEqual(["welcome", "locked"]);
    expect(room.act(again, { kind: "set-role", identity: room.identity(heir), role: "listener" })).toBeUndefined();
    room.run(1000);
    expect([knock(room, byHeir), knock(room, shownBy(room, guestCapsule(room, guest)))]).toEqual(["locked", "welcome"]);
  });
});
