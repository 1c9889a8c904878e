import { expect, it } from "vitest";
import { type LinkId, type Millis, millis, type RoomTag } from "../../../p2p/api/ids.ts";
import { toHex } from "../../../p2p/core/bytes.ts";
import { plainWish } from "../../../p2p/core/overlay/media/layers.ts";
import { encodePaper, type Paper } from "../../../p2p/core/overlay/news/papers.ts";
import { Rng } from "../../../p2p/core/rng.ts";
import { checkCommit, type Commit, signCommit } from "../../../p2p/core/room/epoch/commit.ts";
import type { HostCapsule } from "../../../p2p/core/room/keeper/capsule.ts";
import { firstEpoch } from "../../../p2p/core/room/rights/keys.ts";
import { numberMax } from "../../../p2p/core/room/rights/numbers.ts";
import { sealState } from "../../../p2p/core/room/state/sealed-state.ts";
import { type RelayView, signView } from "../../../p2p/core/room/state/view.ts";
import { encodeFrame } from "../../../p2p/core/session/frames.ts";
import { sampleRoom, seededCrypto } from "../fixtures.ts";
import { KeptRoom } from "./kept-room.ts";

const crypto = seededCrypto("numbers");
const far = [2 ** 20 + 50_000, 2 ** 31, 2 ** 32 - 1, 2 ** 40, numberMax, numberMax + 1, 2 ** 48 - 1];

/** A room one of whose relays is told what somebody signed who has the session's key. */
class Theft {
  readonly room: KeptRoom;
  readonly capsule: HostCapsule;
  readonly view: RelayView;
  readonly #node: number;
  readonly #link: LinkId;
  #said = 0;

  constructor(room: KeptRoom) {
    this.room = room;
    const capsule = room.peer(room.keeper).capsule();
    const relay = room.relays[0]!;
    const view = room.viewOf(relay);
    if (capsule?.kind !== "host" || !view) throw new Error("nothing to steal");
    this.capsule = capsule;
    this.view = view;
    this.#node = room.addPuppet().node;
    const tag = toHex(view.tag) as RoomTag;
    const session = crypto.randomBytes(16);
    this.#link = room.link(this.#node, relay);
    const wants = { role: "member", feed: true, wish: plainWish, have: [], proof: undefined } as const;
    room.say(this.#node, this.#link, encodeFrame({ kind: "hello", version: 1, session, tag, ...wants }));
    room.run(100);
  }

  say(paper: Paper): void {
    const bytes = encodePaper(paper);
    const fragment = encodeFrame({ kind: "fragment", sequence: this.#said++, last: true, bytes });
    this.room.say(this.#node, this.#link, fragment);
    this.room.run(50);
  }

  get #seed(): Uint8Array {
    return this.capsule.keys.session.seed;
  }

  sayView(changes: Partial<RelayView>): void {
    this.say({ kind: "view", bytes: signView(crypto, this.#seed, { ...this.view, ...changes }).encoded });
  }

  sayState(changes: Partial<HostCapsule["state"]>): void {
    const { keys, state } = this.capsule;
    const { era } = firstEpoch(crypto, keys.secret, keys.carriage.key);
    const said = { ...state, chain: [keys.session.capability], ...changes };
    this.say({ kind: "state", bytes: sealState(crypto, era, this.#seed, keys.carriage.key, said) });
  }

  sayKeys(changes: Partial<Commit>): void {
    const bytes = signCommit(crypto, this.#seed, this.view.tag, commitOf(this.view, this.room.now, changes));
    this.say({ kind: "keys", bytes });
  }
}

function commitOf(view: RelayView, now: Millis, changes: Partial<Commit>): Commit {
  const nothing = { joined: [], changes: [], confirmation: new Uint8Array(8) };
  const keys = { tree: crypto.randomBytes(8), boxKey: crypto.boxKey(crypto.randomBytes(32)) };
  const numbers = { number: 0, epoch: 0, era: 0, height: 1, issuedAt: millis(now) };
  return { sessionKey: view.session.key, mode: "open", ...keys, ...numbers, ...nothing, ...changes };
}

/** The room does everything it did. */
function expectAlive(room: KeptRoom, people: { moderator: number; speaker: number; listener: number }): void {
  const { moderator, speaker, listener } = people;
  const identity = room.identity(speaker);
  expect(room.act(moderator, { kind: "mute", identity })).toBeUndefined();
  expect(room.seen(listener, identity)?.muted).toBe("keeper");
  expect(room.act(moderator, { kind: "unmute", identity })).toBeUndefined();
  const before = room.marks(listener, speaker).length;
  room.talk(speaker, 400);
  expect(room.marks(listener, speaker).length).toBeGreaterThan(before + 5);
  expect(room.act(room.keeper, { kind: "set-room", title: "still here" })).toBeUndefined();
  expect(room.facts(listener).title).toBe("still here");
  expect(room.act(room.keeper, { kind: "replace-link" })).toBeUndefined();
}

it("[RM32] numbers near their end, signed by whoever has the session's key, stop neither room nor anybody in it", () => {
  const room = new KeptRoom("numbers", 3);
  const people = { moderator: room.enter("moderator"), speaker: room.enter(), listener: room.enter() };
  room.bringOnStage(people.speaker);
  room.run(25_000);
  const theft = new Theft(room);
  const rng = new Rng("numbers");
  const { state } = theft.capsule;
  const beyond = (): number => Math.floor(rng.next() * (2 ** 48 - 2 ** 21)) + 2 ** 21;
  for (const number of [...far, beyond(), beyond(), beyond()]) {
    theft.sayView({ sequence: Math.min(number, 2 ** 48 - 1), voices: [] });
    theft.sayState({ sequence: number });
    theft.sayKeys({ epoch: number });
  }
  let sequence = state.sequence + 5;
  for (const number of far) {
    const frontier = state.frontier.map((head) => ({ ...head, number }));
    theft.sayState({ sequence: sequence++, frontier });
    theft.sayState({ sequence: sequence++, generation: Math.min(number, 2 ** 32 - 1) });
  }
  const { packetsRejected } = room.peer(room.relays[0]!).stats(room.now);
  expect(packetsRejected["view-jump"]).toBeGreaterThan(0);
  expect(packetsRejected["state-jump"]).toBeGreaterThan(0);
  expect(packetsRejected["keys-jump"]).toBeGreaterThan(0);
  expect(room.peer(people.moderator).stats(room.now).packetsRejected["state-jump"]).toBeGreaterThan(0);
  expectAlive(room, people);
});

it("[RM32] a host that comes back to a relay which was told such numbers counts on from its own", () => {
  const room = new KeptRoom("back to far numbers", 2);
  const people = { moderator: room.enter("moderator"), speaker: room.enter(), listener: room.enter() };
  room.bringOnStage(people.speaker);
  room.run(2000);
  const { capsule } = new Theft(room);
  room.kill(room.keeper, true);
  room.run(1000);
  const theft = { ...capsule, viewSequence: capsule.viewSequence + 2 ** 19 };
  const again = room.addPerson();
  room.command(again, { kind: "resume", capsule: theft });
  room.run(6000);
  expect(room.events(again, "joined")).toHaveLength(1);
  expect(room.act(again, { kind: "set-room", title: "back" })).toBeUndefined();
  expect(room.facts(people.listener).title).toBe("back");
});

it("[RM32] keys of another session hold whatever its clock says, and of one session the later ones", () => {
  const { crypto: own, keys, view } = sampleRoom("keys of two sessions");
  const paper = (changes: Partial<Commit>, from = view, seed = keys.session.seed): Uint8Array =>
    signCommit(own, seed, view.tag, commitOf(from, view.issuedAt, changes));
  const hours = 3_600_000;
  const held = checkCommit(own, view, paper({ issuedAt: millis(view.issuedAt + 2 * hours) }), undefined);
  if (typeof held === "string") throw new Error(held);
  expect(checkCommit(own, view, paper({ issuedAt: millis(view.issuedAt + hours) }), held)).toBe("older");
  const ofHeir = { ...held, sessionKey: own.randomBytes(32) };
  expect(checkCommit(own, view, paper({ issuedAt: millis(view.issuedAt + hours) }), ofHeir)).toBeTypeOf("object");
  const elsewhere = { ...view, session: { ...view.session, key: own.randomBytes(32) } };
  expect(checkCommit(own, view, paper({}, elsewhere), held)).toBe("foreign");
});

it("[RM35] who says again and again that it may speak for the room is checked ten times a second", () => {
  const room = new KeptRoom("office rate", 2);
  const theft = new Theft(room);
  const proof = {
    sessionKey: theft.view.session.key,
    sessionExpires: theft.view.session.expires,
    sessionRank: 1,
    carriageSignature: crypto.randomBytes(64),
    signature: crypto.randomBytes(64),
    cardSecret: crypto.randomBytes(16),
  };
  for (let count = 0; count < 100; count++) theft.say({ kind: "office", proof });
  const { packetsRejected } = room.peer(room.relays[0]!).stats(room.now);
  expect(packetsRejected["office-rate"]).toBeGreaterThan(20);
  expect((packetsRejected["office"] ?? 0) + (packetsRejected["office-rate"] ?? 0)).toBe(100);
});
