import type { RoomTag } from "../../../p2p/api/ids.ts";
import { toHex } from "../../../p2p/core/bytes.ts";
import { describe, expect, it } from "vitest";
import { parsePaper } from "../../../p2p/core/overlay/news/papers.ts";
import { openNote } from "../../../p2p/core/room/asking/note.ts";
import { openPetition } from "../../../p2p/core/room/asking/petition.ts";
import { openEvent } from "../../../p2p/core/room/chain/chain.ts";
import type { KnownSecrets } from "../../../p2p/core/room/epoch/secrets.ts";
import type { Invite } from "../../../p2p/core/room/invite/invite.ts";
import { createPair, firstEpoch } from "../../../p2p/core/room/rights/keys.ts";
import { openState } from "../../../p2p/core/room/state/sealed-state.ts";
import { plainWish } from "../../../p2p/core/overlay/media/layers.ts";
import { proveDoor } from "../../../p2p/core/room/rights/doors.ts";
import { type DoorProof, encodeFrame, type Hello, parseFrame } from "../../../p2p/core/session/frames.ts";
import { seededCrypto } from "../fixtures.ts";
import { KeptRoom } from "./kept-room.ts";

const crypto = seededCrypto("put out");

/** A kind of paper on the wire, and whether these secrets open it, whatever epoch it shows. */
function readBy(secrets: KnownSecrets, { roomKey, tag }: Invite, message: Uint8Array, now: number): string | undefined {
  const frame = parseFrame(message);
  const paper = frame?.kind === "fragment" && frame.last ? parsePaper(frame.bytes) : undefined;
  switch (paper?.kind) {
    case "state":
      return said(paper.kind, openState(crypto, secrets, tag, paper.bytes));
    case "act":
      return said(paper.kind, openEvent(crypto, secrets, tag, paper.bytes));
    case "note":
      return said(paper.kind, openNote(crypto, secrets, roomKey, paper.bytes));
    case "petition":
      return said(paper.kind, openPetition(crypto, secrets, roomKey, paper.bytes, now as never));
    default:
      return undefined;
  }
}

function said(kind: string, opened: object | "closed" | undefined): string {
  return `${kind} ${typeof opened === "object" ? "read" : "closed"}`;
}

/** Everything that somebody has who came by an invite and was put out before keys were given. */
function heldBy({ secret, tag }: Invite): KnownSecrets {
  const { epoch, era } = firstEpoch(crypto, secret, tag);
  return { find: () => [epoch.secret, era.secret] };
}

/** What passes on any wire from now on. */
function tap(room: KeptRoom, secrets: KnownSecrets): Map<string, number> {
  const seen = new Map<string, number>();
  const before = room.filter;
  const invite = room.invite(room.keeper);
  room.filter = (passing) => {
    const what = readBy(secrets, invite, passing.bytes, room.now);
    if (what) seen.set(what, (seen.get(what) ?? 0) + 1);
    return before(passing);
  };
  return seen;
}

function bustle(room: KeptRoom, guest: number): void {
  room.act(room.keeper, { kind: "set-room", title: `tea at ${room.now}` });
  room.command(guest, { kind: "say", text: "only among us" });
  room.command(guest, { kind: "raise-hand" });
  room.run(3000);
  room.command(guest, { kind: "lower-hand" });
  room.run(25_000);
}

describe("somebody who was put out", () => {
  it("[RM48] reads neither state, events, words nor hands from then on, whatever wire it hears; who comes later reads them", () => {
    const room = new KeptRoom("papers", 3);
    const guest = room.enter();
    const rowdy = room.enter();
    const identity = room.bringOnStage(rowdy);
    room.run(12_000);
    const held = heldBy(room.invite(room.keeper));
    const before = tap(room, held);
    bustle(room, guest);
    for (const kind of ["state", "act", "note", "petition"]) {
      expect(before.get(`${kind} read`)).toBeGreaterThan(0);
      expect(before.get(`${kind} closed`)).toBeUndefined();
    }
    expect(room.act(room.keeper, { kind: "kick", identity })).toBeUndefined();
    room.run(1000);
    const after = tap(room, held);
    bustle(room, guest);
    const late = room.enter();
    room.run(2000);
    for (const kind of ["state", "act", "note", "petition"]) {
      expect(after.get(`${kind} closed`)).toBeGreaterThan(0);
      expect(after.get(`${kind} read`)).toBeUndefined();
    }
    expect(room.events(late, "joined")).toHaveLength(1);
    expect(room.facts(late).title).toBe(room.facts(room.keeper).title);
    expect(room.events(room.keeper, "text").filter(({ text }) => text === "only among us")).toHaveLength(2);
  });

  it("[RM48] who comes later reads no word from before, and what is said from then on", () => {
    const room = new KeptRoom("words from before", 2);
    const [guest, rowdy] = [room.enter(), room.enter()];
    const identity = room.bringOnStage(rowdy);
    room.act(room.keeper, { kind: "kick", identity });
    room.run(2000);
    const notes: Uint8Array[] = [];
    const before = room.filter;
    room.filter = (passing) => {
      const frame = parseFrame(passing.bytes);
      const paper = frame?.kind === "fragment" && frame.last ? parsePaper(frame.bytes) : undefined;
      if (paper?.kind === "note") notes.push(passing.bytes);
      return before(passing);
    };
    room.command(guest, { kind: "say", text: "before you came" });
    room.run(1000);
    const late = room.enter();
    room.run(6000);
    room.command(guest, { kind: "say", text: "welcome" });
    room.run(1000);
    expect(notes.length).toBeGreaterThan(1);
    expect(room.events(late, "text").map(({ text }) => text)).toEqual(["welcome"]);
    const keys = room.peer(late).capsule()?.history;
    const known: KnownSecrets = { find: () => (keys ? [keys.secret, keys.era.secret] : []) };
    const invite = room.invite(room.keeper);
    expect(keys).toBeDefined();
    expect(readBy(known, invite, notes[0]!, room.now)).toBe("note closed");
    expect(readBy(known, invite, notes.at(-1)!, room.now)).toBe("note read");
  });

  it("[RM48] who was away while somebody was put out reads the room again when it is back", () => {
    const room = new KeptRoom("away", 3);
    const [guest, rowdy] = [room.enter(), room.enter()];
    const identity = room.bringOnStage(rowdy);
    room.run(12_000);
    const whole = room.filter;
    room.filter = (passing) => passing.from !== guest && passing.to !== guest && whole(passing);
    room.run(15_000);
    room.act(room.keeper, { kind: "kick", identity });
    room.act(room.keeper, { kind: "set-room", title: "while you were away" });
    room.run(25_000);
    expect(room.facts(guest).title).toBe("tea");
    room.filter = whole;
    room.run(45_000);
    expect(room.facts(guest).title).toBe("while you were away");
  });

  it("[RM49] a view names the doors that are open: none of a revoked invite; when it is locked, for whoever keeps it next", () => {
    const room = new KeptRoom("doors", 2);
    const guest = room.enter();
    room.run(12_000);
    const doors = (): number[] => {
      const { invites = [], own = [] } = room.viewOf(guest)?.doors ?? {};
      return [invites.length, own.length];
    };
    expect(doors()).toEqual([4, 0]);
    room.command(room.keeper, {
      kind: "invite",
      id: 900,
      terms: { role: "listener", expiresInMs: 3_600_000, singleUse: false },
    });
    room.run(500);
    expect(doors()).toEqual([5, 0]);
    const issued = room.events(room.keeper, "invites-issued").at(-1)?.invites.at(-1);
    room.act(room.keeper, { kind: "revoke-invite", id: issued?.id ?? "" });
    room.run(500);
    expect(doors()).toEqual([4, 0]);
    room.act(room.keeper, { kind: "set-room", access: "locked" });
    room.run(500);
    expect(room.viewOf(guest)?.locked).toBe(true);
    // They are named for whoever keeps the room next, and open nothing.
    expect(doors()).toEqual([4, 0]);
  });
});

describe("relays at a room's doors", () => {
  /** A stranger who knows the room's tag, and what a relay answers to this way of coming in. */
  function knock(room: KeptRoom, doors: (hello: Hello) => readonly DoorProof[]): string | undefined {
    const { node, puppet } = room.addPuppet();
    const link = room.link(node, room.relays[0] ?? -1);
    const tag = toHex(room.invite(room.keeper).tag) as RoomTag;
    const wants = { role: "member", feed: true, wish: plainWish, have: [], proof: undefined } as const;
    const hello: Hello = { kind: "hello", version: 1, session: crypto.randomBytes(16), tag, ...wants };
    room.sayRaw(node, link, encodeFrame({ ...hello, doors: doors({ ...hello }) }));
    room.run(100);
    return puppet.frames("welcome").length > 0 ? "welcome" : puppet.frames("refuse").at(-1)?.reason;
  }

  const byInvite =
    (room: KeptRoom, { inviteSeed, tag }: Invite) =>
    (hello: Hello): DoorProof[] => {
      const [relay, host] = [room.relays[0] ?? -1, room.places.length - 1].map((node) => room.at(node).peer);
      if (!relay || !host) throw new Error("nobody there");
      const context = { tag: toHex(tag) as RoomTag, relay, host, session: hello.session };
      return [proveDoor(crypto, createPair(crypto, inviteSeed), context)];
    };

  it("[RM49] let in who shows an open invite, and nobody who shows none, another's words, or a made-up one", () => {
    const room = new KeptRoom("at the doors", 1);
    room.enter();
    const invite = room.invite(room.keeper);
    expect(knock(room, byInvite(room, invite))).toBe("welcome");
    expect(knock(room, () => [])).toBe("closed");
    expect(knock(room, byInvite(room, { ...invite, inviteSeed: crypto.randomBytes(32) }))).toBe("closed");
    let overheard: readonly DoorProof[] = [];
    knock(room, (hello) => (overheard = byInvite(room, invite)(hello)));
    expect(knock(room, () => overheard)).toBe("closed");
  });

  it("[RM49] let nobody new in by an invite that was revoked, used or replaced, nor into a locked room; who was inside comes back", () => {
    const room = new KeptRoom("shut doors", 2);
    const guest = room.enter();
    room.run(12_000);
    const issue = (singleUse: boolean): Invite => {
      const id = 900 + room.events(room.keeper, "answered").length;
      const terms = { role: "listener", expiresInMs: 3_600_000, singleUse } as const;
      room.command(room.keeper, { kind: "invite", id, terms });
      room.run(500);
      const answer = room.events(room.keeper, "answered").find((event) => event.id === id);
      if (!answer?.invite) throw new Error("no invite");
      return answer.invite;
    };
    const [once, revoked] = [issue(true), issue(false)];
    expect(knock(room, byInvite(room, revoked))).toBe("welcome");
    const issued = room.events(room.keeper, "invites-issued").at(-1)?.invites.at(-1);
    room.act(room.keeper, { kind: "revoke-invite", id: issued?.id ?? "" });
    expect(knock(room, byInvite(room, revoked))).toBe("closed");
    const first = room.addPerson();
    room.join(first, once);
    room.run(8000);
    expect(room.events(first, "joined")).toHaveLength(1);
    const second = room.addPerson();
    room.join(second, once);
    room.run(8000);
    expect(room.troubles(second)).toEqual(["invite-used"]);
    expect(knock(room, byInvite(room, room.invite(room.keeper)))).toBe("welcome");
    room.act(room.keeper, { kind: "set-room", access: "locked" });
    expect(knock(room, byInvite(room, room.invite(room.keeper)))).toBe("locked");
    // Somebody's engine falls: it comes back by what it knew inside.
    for (const node of [guest, first]) {
      const capsule = room.peer(node).capsule();
      if (!capsule) throw new Error("no capsule");
      room.kill(node);
      const again = room.addPerson();
      room.command(again, { kind: "resume", capsule });
      room.run(8000);
      expect(room.events(again, "joined")).toHaveLength(1);
    }
  });
});
