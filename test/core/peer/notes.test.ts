import { describe, expect, it } from "vitest";
import { plainWish } from "../../../p2p/core/overlay/media/layers.ts";
import { toHex } from "../../../p2p/core/bytes.ts";
import { parsePaper } from "../../../p2p/core/overlay/news/papers.ts";
import { concat } from "../../../p2p/core/bytes.ts";
import { Rng } from "../../../p2p/core/rng.ts";
import { epochSecret } from "../../../p2p/core/room/rights/keys.ts";
import { noteBytesMax, openNote } from "../../../p2p/core/room/asking/note.ts";
import { encodeFrame } from "../../../p2p/core/session/frames.ts";
import { seededCrypto, knowing } from "../fixtures.ts";
import type { Puppet } from "./puppet.ts";
import { type Passing, Room } from "./room.ts";

interface Tree {
  readonly room: Room;
  readonly relays: readonly number[];
  readonly host: number;
  readonly guests: readonly number[];
  readonly everybody: readonly number[];
}

/** Two in the core, four relays below them, a guest at each relay. */
function tree(seed: string): Tree {
  const room = new Room(seed);
  const relays = Array.from({ length: 6 }, () => room.addRelay());
  const host = room.addPerson();
  room.host(host, relays, { coreSize: 2, relayFanout: 2 });
  room.run(2000);
  const guests = relays.map((relay) => {
    const guest = room.addPerson();
    room.join(guest, { ...room.invite(host), hints: [room.at(relay).address] });
    return guest;
  });
  room.run(3000);
  return { room, relays, host, guests, everybody: [host, ...guests] };
}

function texts(room: Room, node: number): string[] {
  return room.events(node, "text").map(({ text }) => text);
}

function noteIn({ bytes }: Passing): Uint8Array | undefined {
  // In one fragment: the type of the paper is its first byte.
  const paper = bytes[0] === 7 && bytes[6] === 8 ? parsePaper(bytes.slice(6)) : undefined;
  return paper?.kind === "note" ? paper.bytes : undefined;
}

/** A puppet as a child of a relay, with media: it gets what members get. */
function child(room: Room, host: number, relay: number): { say: (note: Uint8Array) => void; puppet: Puppet } {
  const { node, puppet } = room.addPuppet();
  const link = room.link(node, relay);
  const session = new Rng("child").bytes(16);
  const tag = toHex(room.invite(host).tag) as Parameters<typeof encodeFrame>[0] extends { tag: infer Tag }
    ? Tag
    : never;
  const hello = {
    kind: "hello",
    version: 1,
    session,
    tag,
    role: "member",
    feed: true,
    wish: plainWish,
    have: [],
  } as const;
  room.say(node, link, encodeFrame({ ...hello, proof: undefined }));
  room.run(100);
  expect(puppet.frames("welcome")).toHaveLength(1);
  let sequence = 0;
  const say = (note: Uint8Array): void => {
    const bytes = Uint8Array.of(8, ...note);
    for (let at = 0; at < bytes.length; at += 1000) {
      const last = at + 1000 >= bytes.length;
      room.say(
        node,
        link,
        encodeFrame({ kind: "fragment", sequence: sequence++, last, bytes: bytes.slice(at, at + 1000) }),
      );
    }
  };
  return { say, puppet };
}

describe("what is typed to the room", () => {
  it("[OV13] [RM28] reaches everybody in the tree once, whoever types it", () => {
    const { room, everybody, host } = tree("notes");
    const said = everybody.map((node) => `by ${node}`);
    for (const node of everybody) {
      room.command(node, { kind: "say", text: `by ${node}` });
      room.run(500);
    }
    for (const node of everybody) {
      expect(texts(room, node)).toEqual(said);
      const own = room.events(node, "text").filter(({ self }) => self);
      expect(own.map(({ text }) => text)).toEqual([`by ${node}`]);
    }
    const identities = new Set(room.events(host, "text").map(({ identity }) => identity));
    expect(identities.size).toBe(everybody.length);
    expect(room.events(host, "text")[1]).toMatchObject({ name: `person ${everybody[1]}` });
  });

  it("[OV13] goes over each edge once, and not back", () => {
    const { room, relays, guests } = tree("edges");
    const ways: string[] = [];
    room.filter = (passing) => {
      if (noteIn(passing)) ways.push(`${passing.from}>${passing.to}`);
      return true;
    };
    room.command(guests[4]!, { kind: "say", text: "once" });
    room.run(1000);
    expect(new Set(ways).size).toBe(ways.length);
    for (const way of ways) expect(ways).not.toContain(way.split(">").toReversed().join(">"));
    // Every relay but the first got it from another; so did every person but the one who typed.
    expect(ways).toHaveLength(relays.length + guests.length + 1 - 1);
  });

  it("[RM28] a relay cannot open it, a member can", () => {
    const { room, host, guests } = tree("secret");
    const notes: Uint8Array[] = [];
    room.filter = (passing) => {
      const note = noteIn(passing);
      if (note) notes.push(note);
      return true;
    };
    room.command(guests[0]!, { kind: "say", text: "only among us, this text" });
    room.run(500);
    const invite = room.invite(host);
    const crypto = seededCrypto("relay");
    const [note] = notes;
    expect(Buffer.from(note!).includes("only among us")).toBe(false);
    expect(openNote(crypto, knowing(invite.tag), invite.roomKey, note!)).toBeUndefined();
    const secret = epochSecret(crypto, invite.secret, invite.tag, 0);
    expect(openNote(crypto, knowing(secret), invite.roomKey, note!)).toMatchObject({
      text: "only among us, this text",
    });
  });

  it("[RM28] 280 characters at most; nothing is said by who has nothing to say, or is not in the room", () => {
    const { room, host, guests } = tree("lengths");
    const outsider = room.addPerson();
    room.command(outsider, { kind: "say", text: "from outside" });
    room.command(host, { kind: "say", text: " \n " });
    room.command(host, { kind: "say", text: "茶".repeat(300) });
    room.run(1000);
    expect(texts(room, outsider)).toEqual([]);
    for (const guest of guests) expect(texts(room, guest)).toEqual(["茶".repeat(280)]);
  });

  it("[RM28] [OV13] a note that is replayed is shown once, also when relays have forgotten it", () => {
    const { room, relays, host, guests } = tree("replays");
    const notes: Uint8Array[] = [];
    room.filter = (passing) => {
      const note = noteIn(passing);
      if (note) notes.push(note);
      return true;
    };
    room.command(guests[1]!, { kind: "say", text: "first" });
    room.run(500);
    const { say } = child(room, host, relays[0]!);
    notes.splice(0, notes.length - 1);
    say(notes[0]!);
    room.run(500);
    // Nobody passed it on.
    expect(notes).toHaveLength(2);
    room.run(600_000);
    const later = child(room, host, relays[0]!);
    const before = notes.length;
    later.say(notes[0]!);
    room.run(1000);
    // Now relays did, and who has it shows it no more: its author neither.
    expect(notes.length).toBeGreaterThan(before + guests.length);
    for (const node of [host, ...guests]) expect(texts(room, node)).toEqual(["first"]);
    for (const node of [host, ...guests]) {
      expect(room.peer(node).stats(room.now).packetsRejected).not.toHaveProperty("note");
    }
  });

  it("[RM28] forged notes are counted by members and shown to nobody; oversize ones go no further", () => {
    const { room, relays, host, guests } = tree("forged");
    const rng = new Rng("forged");
    let valid: Uint8Array | undefined;
    room.filter = (passing) => {
      valid ??= noteIn(passing);
      return true;
    };
    room.command(host, { kind: "say", text: "genuine" });
    room.run(500);
    const { say } = child(room, host, relays[0]!);
    const forged = valid!.slice();
    forged[40]! ^= 1;
    for (const bytes of [forged, concat(Uint8Array.of(0), rng.bytes(200)), new Uint8Array(0)]) say(bytes);
    room.run(500);
    const rejected = (node: number, reason: string): number =>
      room.peer(node).stats(room.now).packetsRejected[reason] ?? 0;
    for (const node of [host, ...guests]) {
      expect(rejected(node, "note")).toBe(3);
      expect(texts(room, node)).toEqual(["genuine"]);
    }
    say(rng.bytes(noteBytesMax + 1));
    room.run(500);
    expect(rejected(relays[0]!, "paper")).toBe(1);
    for (const node of [host, ...guests]) expect(rejected(node, "note")).toBe(3);
  });

  it("[OV13] one neighbour that floods is held to ten a second, and the others are still read", () => {
    const { room, relays, host, guests } = tree("flood");
    const { say } = child(room, host, relays[0]!);
    const rng = new Rng("flood");
    let passed = 0;
    room.filter = (passing) => {
      if (passing.from === relays[0] && passing.to === relays[1] && noteIn(passing)) passed++;
      return true;
    };
    for (let number = 0; number < 400; number++) {
      say(rng.bytes(100));
      room.run(5);
    }
    room.run(200);
    expect(passed).toBeGreaterThanOrEqual(20);
    expect(passed).toBeLessThanOrEqual(20 + 23);
    expect(room.peer(relays[0]!).stats(room.now).packetsRejected["petition-rate"]).toBe(400 - passed);
    room.run(1000);
    for (const guest of guests) room.command(guest, { kind: "say", text: `by ${guest}` });
    room.run(1000);
    for (const node of [host, ...guests])
      expect(texts(room, node).toSorted()).toEqual(guests.map((each) => `by ${each}`).toSorted());
  });
});
