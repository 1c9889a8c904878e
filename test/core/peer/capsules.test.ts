import { describe, expect, it } from "vitest";
import type { StagePerson } from "../../../p2p/api/engine.ts";
import { toHex } from "../../../p2p/core/bytes.ts";
import { parsePaper } from "../../../p2p/core/overlay/news/papers.ts";
import { type Capsule, encodeCapsule, parseCapsule } from "../../../p2p/core/room/keeper/capsule.ts";
import { parseView, type RelayView } from "../../../p2p/core/room/state/view.ts";
import { parseFrame } from "../../../p2p/core/session/frames.ts";
import { seededCrypto } from "../fixtures.ts";
import { Room } from "./room.ts";

const crypto = seededCrypto("capsules");

interface Bench {
  readonly room: Room;
  readonly relays: readonly number[];
  readonly host: number;
  readonly speaker: number;
  readonly listener: number;
}

/** A room whose host admitted a speaker; a listener hears both. */
function bench(seed: string, relayCount = 2): Bench {
  const room = new Room(seed);
  const relays = Array.from({ length: relayCount }, () => room.addRelay());
  const host = room.addPerson();
  room.host(host, relays, { letEverybodySpeak: false, title: "tea", name: "host" });
  room.run(1000);
  const [speaker, listener] = [room.addPerson(), room.addPerson()];
  for (const guest of [speaker, listener]) room.join(guest, room.invite(host));
  room.run(500);
  room.command(speaker, { kind: "raise-hand" });
  room.run(500);
  room.command(host, { kind: "admit", hand: room.events(host, "stage").at(-1)!.hands[0]!.id });
  room.run(500);
  expect(room.events(speaker, "role").at(-1)).toMatchObject({ role: "speaker" });
  return { room, relays, host, speaker, listener };
}

/** Kills a node and comes back with its capsule, as it is carried between processes, in another. */
function comeBack(room: Room, node: number, afterMs = 1000): number {
  const capsule = capsuleOf(room, node);
  room.kill(node);
  room.run(afterMs);
  const next = room.addPerson();
  room.command(next, { kind: "resume", capsule });
  return next;
}

function capsuleOf(room: Room, node: number): Capsule {
  const capsule = room.peer(node).capsule();
  const parsed = capsule && parseCapsule(crypto, encodeCapsule(crypto, capsule));
  if (!parsed) throw new Error("no capsule");
  return parsed;
}

function onStage(room: Room, node: number): readonly StagePerson[] {
  return room.events(node, "stage").at(-1)?.people ?? [];
}

function viewIn(bytes: Uint8Array): RelayView | undefined {
  const frame = parseFrame(bytes);
  const paper = frame?.kind === "fragment" && frame.last ? parsePaper(frame.bytes) : undefined;
  const view = paper?.kind === "view" ? parseView(paper.bytes) : undefined;
  return view?.ok === true ? view.value : undefined;
}

describe("who comes back after a crash", () => {
  it("[RM29] a guest is the same person, on stage without being asked, with a fresh voice", () => {
    const { room, host, speaker, listener } = bench("guest");
    const before = onStage(room, listener).find(({ role }) => role === "speaker")!;
    const again = comeBack(room, speaker);
    room.run(2000);
    expect(room.events(again, "joined")).toHaveLength(1);
    expect(room.events(again, "role").at(-1)).toMatchObject({ role: "speaker" });
    for (const node of [host, listener]) {
      const after = onStage(room, node);
      expect(after).toHaveLength(2);
      expect(after[1]).toMatchObject({ identity: before.identity, name: before.name, role: "speaker" });
      expect(after[1]?.voice).not.toBe(before.voice);
    }
    // Nobody was asked.
    expect(room.events(host, "stage").at(-1)?.hands).toEqual([]);
    expect(room.events(host, "stage").filter(({ hands }) => hands.length > 0)).toHaveLength(1);
    room.talk(again, 200);
    room.run(100);
    expect(room.marks(listener, again)).toHaveLength(5);
  });

  it("[RM29] a listener comes back as one, and who has lowered its hand does not raise it", () => {
    const { room, host, speaker, listener } = bench("listener");
    const again = comeBack(room, listener);
    room.run(3000);
    expect(room.events(again, "joined")).toMatchObject([{ role: "listener" }]);
    expect(room.events(host, "stage").at(-1)?.hands).toEqual([]);
    // Killed between the wish and its answer.
    room.filter = ({ from, bytes }) => !(from === speaker && bytes[0] === 7 && bytes[6] === 3);
    room.command(speaker, { kind: "lower-hand" });
    expect(capsuleOf(room, speaker)).toMatchObject({ kind: "guest", onStage: false });
  });

  it("[RM29] a guest whose hand waited has one hand up again", () => {
    const { room, host, listener } = bench("waiting");
    room.command(listener, { kind: "raise-hand" });
    room.run(500);
    const again = comeBack(room, listener);
    room.run(3000);
    const hands = room.events(host, "stage").at(-1)?.hands ?? [];
    expect(hands).toHaveLength(1);
    expect(room.events(again, "stage").at(-1)?.hands).toEqual([{ ...hands[0], self: true }]);
  });

  it("[RM29] a guest finds in by the relays that it knew last", () => {
    const room = new Room("hints");
    const relays = [room.addRelay(), room.addRelay()];
    const host = room.addPerson();
    room.host(host, relays);
    room.run(1000);
    const guest = room.addPerson();
    room.join(guest, { ...room.invite(host), hints: [room.at(relays[0]!).address] });
    room.run(1000);
    room.kill(relays[0]!);
    const again = comeBack(room, guest);
    room.run(3000);
    expect(room.events(again, "joined")).toHaveLength(1);
  });

  it("[RM29] a host goes on with the same room: newer papers, the same guests on stage, a fresh voice", () => {
    const { room, host, speaker, listener } = bench("host");
    const views: RelayView[] = [];
    room.filter = ({ to, bytes }) => {
      const view = to === listener ? viewIn(bytes) : undefined;
      if (view) views.push(view);
      return true;
    };
    const before = onStage(room, listener);
    room.command(host, { kind: "remove-from-stage", voice: "00" as (typeof before)[0]["voice"] });
    const capsule = capsuleOf(room, host);
    const again = comeBack(room, host);
    room.run(3000);
    expect(room.events(again, "joined")).toMatchObject([{ role: "host" }]);
    expect(toHex(room.invite(again).roomKey)).toBe(toHex(room.invite(host).roomKey));
    const after = onStage(room, listener);
    expect(after[0]).toMatchObject({ identity: before[0]!.identity, name: "host", role: "host" });
    expect(after[0]?.voice).not.toBe(before[0]?.voice);
    expect(after.slice(1)).toEqual(before.slice(1));
    expect(room.events(listener, "stage").at(-1)?.title).toBe("tea");
    expect(capsule.kind === "host" && views.every((view) => view.sequence > capsule.viewSequence - 4096)).toBe(true);
    expect(views.length).toBeGreaterThan(0);
    // Nobody left the stage, and everybody is heard.
    expect(room.events(speaker, "role")).toHaveLength(1);
    room.talk(speaker, 200);
    room.talk(again, 200);
    room.run(100);
    expect(room.marks(listener, speaker)).toHaveLength(5);
    expect(room.marks(listener, again)).toHaveLength(5);
    expect(room.marks(again, speaker)).toHaveLength(5);
    // It decides as before: a new guest by a new invite, a hand, an answer.
    const guest = room.addPerson();
    room.join(guest, room.invite(again));
    room.run(500);
    room.command(guest, { kind: "raise-hand" });
    room.run(500);
    expect(room.events(guest, "role")).toEqual([]);
    room.command(again, { kind: "admit", hand: room.events(again, "stage").at(-1)!.hands[0]!.id });
    room.run(500);
    expect(room.events(guest, "role").at(-1)).toMatchObject({ role: "speaker" });
  });

  it("[RM29] what a host issued after its capsule was taken is overtaken", () => {
    const { room, host, listener } = bench("stale");
    const capsule = capsuleOf(room, host);
    const before = onStage(room, listener)[0]!.voice;
    for (let change = 0; change < 30; change++) {
      room.command(listener, { kind: change % 2 === 0 ? "raise-hand" : "lower-hand" });
      room.run(200);
    }
    room.kill(host);
    room.run(500);
    const again = room.addPerson();
    room.command(again, { kind: "resume", capsule });
    room.run(2000);
    expect(room.events(again, "joined")).toHaveLength(1);
    expect(onStage(room, listener)[0]?.voice).not.toBe(before);
    room.talk(again, 200);
    room.run(100);
    expect(room.marks(listener, again)).toHaveLength(5);
  });

  it("[RM29] hands that wait go on waiting, those that were answered stay answered", () => {
    const { room, relays, host, speaker, listener } = bench("hands");
    const tag = room.invite(host).tag;
    const old: Uint8Array[] = [];
    room.filter = ({ from, bytes }) => {
      if (from === speaker && bytes[0] === 7 && bytes[6] === 3) old.push(bytes.slice(6));
      return true;
    };
    room.command(speaker, { kind: "lower-hand" });
    room.run(500);
    room.command(speaker, { kind: "raise-hand" });
    room.run(500);
    room.command(speaker, { kind: "lower-hand" });
    room.run(500);
    expect(old).toHaveLength(3);
    room.command(listener, { kind: "raise-hand" });
    room.run(500);
    const waiting = room.events(host, "stage").at(-1)!.hands;
    expect(waiting).toHaveLength(1);
    const again = comeBack(room, host);
    room.run(3000);
    // Whoever saw what was answered says it again.
    const { node, puppet } = room.addPuppet();
    const link = room.link(node, relays[0]!);
    room.say(node, link, Uint8Array.of(1, 1, ...new Uint8Array(16), ...tag, 0, 1, 0));
    room.run(100);
    expect(puppet.frames("welcome")).toHaveLength(1);
    const [, speak] = old;
    room.say(node, link, Uint8Array.of(7, 0, 0, 0, 0, 1, ...speak!));
    room.run(500);
    expect(room.peer(again).stats(room.now).packetsRejected).toEqual({});
    expect(room.events(again, "stage").at(-1)?.hands).toEqual(waiting);
    expect(onStage(room, again)).toHaveLength(1);
    room.command(again, { kind: "admit", hand: waiting[0]!.id });
    room.run(500);
    expect(room.events(listener, "role").at(-1)).toMatchObject({ role: "speaker" });
  });

  it("[RM29] no view on the way names fewer relays than live, also when one is gone", () => {
    const { room, relays, host, speaker, listener } = bench("relays", 3);
    room.kill(relays[2]!, true);
    room.unreachable.add(relays[2]!);
    const counts: number[] = [];
    room.filter = ({ bytes }) => {
      const view = viewIn(bytes);
      if (view) counts.push(view.relays.length);
      return true;
    };
    const again = comeBack(room, host, 100);
    for (let second = 0; second < 10; second++) room.talk(speaker, 1000, second * 25);
    expect(room.events(again, "joined")).toHaveLength(1);
    expect(Math.min(...counts)).toBe(2);
    expect(room.marks(listener, speaker).length).toBeGreaterThan(240);
  });

  it("[RM29] a host that is its own relay goes on, too", () => {
    const room = new Room("own relay");
    const host = room.addPerson({ listens: true });
    const lend = { kind: "volunteer", options: {}, cardSecret: new Uint8Array(16) } as const;
    room.command(host, lend);
    room.host(host, []);
    room.run(500);
    const capsule = capsuleOf(room, host);
    room.kill(host);
    const again = room.addPerson({ listens: true });
    room.command(again, lend);
    room.command(again, { kind: "resume", capsule });
    room.run(500);
    const guest = room.addPerson();
    room.join(guest, room.invite(again));
    room.run(500);
    room.talk(again, 200);
    room.run(100);
    expect(room.marks(guest, again)).toHaveLength(5);
  });

  it("outside a room there is no capsule", () => {
    const { room, listener } = bench("outside");
    const nobody = room.addPerson();
    expect(room.peer(nobody).capsule()).toBeUndefined();
    expect(room.peer(listener).capsule()).toBeDefined();
    room.command(listener, { kind: "leave" });
    expect(room.peer(listener).capsule()).toBeUndefined();
  });
});
