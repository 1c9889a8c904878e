import { describe, expect, it } from "vitest";
import type { Act } from "../../../p2p/api/room.ts";
import type { ErrorCode } from "../../../p2p/api/errors.ts";
import { equal, fromHex, toHex } from "../../../p2p/core/bytes.ts";
import { encodePaper, parsePaper } from "../../../p2p/core/overlay/news/papers.ts";
import { type ChainEvent, sealEvent } from "../../../p2p/core/room/chain/chain.ts";
import { acts, type RoomEvent, rightOfEvent } from "../../../p2p/core/room/chain/event.ts";
import { createKeyPair, createPair, firstEpoch, type KeyPair } from "../../../p2p/core/room/rights/keys.ts";
import { parseFrame } from "../../../p2p/core/session/frames.ts";
import { sentences } from "../../../p2p/engine/sentences.ts";
import { seededCrypto } from "../fixtures.ts";
import { Intruder } from "./intruder.ts";
import { KeptRoom } from "./kept-room.ts";

const crypto = seededCrypto("rights");
const nobody = new Uint8Array(8);

/** Everything that a person can do, by somebody who may not, at somebody whom they may not touch. A new act has no place to hide. */
const attempts: Readonly<Record<Act["kind"], (host: string) => Act>> = {
  "invite-to-stage": (identity) => ({ kind: "invite-to-stage", identity }),
  uninvite: (identity) => ({ kind: "uninvite", identity }),
  "accept-stage": () => ({ kind: "accept-stage" }),
  "decline-stage": () => ({ kind: "decline-stage" }),
  "to-audience": (identity) => ({ kind: "to-audience", identity }),
  mute: (identity) => ({ kind: "mute", identity }),
  unmute: (identity) => ({ kind: "unmute", identity }),
  kick: (identity) => ({ kind: "kick", identity }),
  ban: (identity) => ({ kind: "ban", identity, branch: false }),
  unban: (identity) => ({ kind: "unban", identity }),
  "set-role": (identity) => ({ kind: "set-role", identity, role: "moderator" }),
  "step-down": () => ({ kind: "step-down" }),
  "set-room": () => ({ kind: "set-room", title: "mine" }),
  "silence-text": (identity) => ({ kind: "silence-text", identity }),
  "allow-text": (identity) => ({ kind: "allow-text", identity }),
  "replace-link": () => ({ kind: "replace-link" }),
  "revoke-invite": () => ({ kind: "revoke-invite", id: toHex(crypto.randomBytes(8)) }),
  react: () => ({ kind: "react", reaction: "clap" }),
  record: () => ({ kind: "record", on: true }),
  "end-room": () => ({ kind: "end-room" }),
};
/** What everybody may do: an answer to an offer there is none of says so; anybody may react, and say that they record. */
const forEverybody: Readonly<Partial<Record<Act["kind"], ErrorCode | "done">>> = {
  "accept-stage": "not-here",
  "decline-stage": "not-here",
  react: "done",
  record: "done",
};

/** What keepers sign, each as somebody would who oversteps: at the host, or what their rank has no right to. */
type Overstepping = { readonly [Kind in RoomEvent["kind"]]: (host: Uint8Array) => Extract<RoomEvent, { kind: Kind }> };
const person = (identityKey: Uint8Array) =>
  ({ voiceKey: crypto.randomBytes(32), identityKey, role: "speaker", name: "", branch: nobody }) as const;
const keeper = (key: Uint8Array) =>
  ({ key, identityKey: key, role: "moderator", name: "", office: undefined }) as const;
const overstepping: Overstepping = {
  seat: () => ({ kind: "seat", person: person(crypto.randomBytes(32)), petition: nobody }),
  unseat: (identityKey) => ({ kind: "unseat", identityKey, petition: nobody }),
  hand: () => ({
    kind: "hand",
    hand: { id: crypto.randomBytes(8), person: person(crypto.randomBytes(32)), raisedAt: 0 as never },
  }),
  lower: () => ({ kind: "lower", petition: crypto.randomBytes(8) }),
  offer: (identityKey) => ({ kind: "offer", identityKey, on: true }),
  mute: (identityKey) => ({ kind: "mute", identityKey, by: "keeper" }),
  kick: (identityKey) => ({ kind: "kick", identityKey }),
  ban: (identityKey) => ({ kind: "ban", who: { identityKey, name: "" }, branch: nobody }),
  unban: (identityKey) => ({ kind: "unban", identityKey }),
  appoint: () => ({ kind: "appoint", keeper: keeper(crypto.randomBytes(32)) }),
  relieve: (identityKey) => ({ kind: "relieve", identityKey }),
  rules: () => ({
    kind: "rules",
    rules: { title: "mine", rules: "", links: [], access: "locked", slowModeS: 0, pushToTalkOnly: false },
  }),
  silence: (identityKey) => ({ kind: "silence", identityKey, on: true }),
  "replace-link": () => ({ kind: "replace-link", generation: 1, inviteSeed: crypto.randomBytes(32), chain: [] }),
  revoke: () => ({ kind: "revoke", branch: crypto.randomBytes(8) }),
  record: (identityKey) => ({ kind: "record", who: { identityKey, name: "" }, on: true }),
  use: (identityKey) => ({
    kind: "use",
    branch: crypto.randomBytes(8),
    identityKey,
    door: crypto.randomBytes(8),
    expires: 2 ** 32 - 1,
  }),
  end: () => ({ kind: "end" }),
  away: (identityKey) => ({ kind: "away", identityKey, on: true }),
};
const eventKinds = Object.keys(rightOfEvent) as readonly RoomEvent["kind"][];

interface Stage {
  readonly room: KeptRoom;
  readonly moderator: number;
  readonly listener: number;
  readonly host: string;
  readonly intruder: Intruder;
  /** Acts that somebody sent, by who did. */
  readonly sent: Map<number, Uint8Array[]>;
}

/** `settleMs`: until all that was done before is settled, so that an author who shows to have seen nothing has seen all there is. */
function stage(seed: string, settleMs = 0): Stage {
  const room = new KeptRoom(seed);
  const [moderator, listener] = [room.enter("moderator"), room.enter()];
  const host = room.facts(listener).people.find(({ role }) => role === "host")!.identity;
  const heard = room.filter;
  const sent = new Map<number, Uint8Array[]>();
  room.filter = (passing) => {
    const frame = parseFrame(passing.bytes);
    const paper = frame?.kind === "fragment" && frame.last ? parsePaper(frame.bytes) : undefined;
    if (paper?.kind === "act") sent.set(passing.from, [...(sent.get(passing.from) ?? []), paper.bytes.slice()]);
    return heard(passing);
  };
  room.run(settleMs);
  return { room, moderator, listener, host, intruder: new Intruder(room), sent };
}

/** Signs an event as no program of ours would. */
function forged(room: KeptRoom, author: KeyPair, content: RoomEvent, right: number, before?: ChainEvent): ChainEvent {
  const { secret, tag } = room.invite(room.keeper);
  const { era } = firstEpoch(crypto, secret, tag);
  const previous = before?.hash ?? new Uint8Array(16);
  const head = { author: author.key, number: (before?.number ?? 0) + 1, rank: 2, right, previous };
  return sealEvent(crypto, era, tag, author.seed, head, { at: room.now, seen: [], content });
}

/** What it was drawn with: the test knows its own people's keys. */
function identityOf(room: KeptRoom, node: number): KeyPair {
  const key = fromHex(room.identity(node));
  const seed = room
    .at(node)
    .drawn.find((bytes) => bytes.length === 32 && toHex(crypto.publicKey(bytes)) === toHex(key));
  if (!seed) throw new Error("no such identity");
  return createPair(crypto, seed.slice());
}

function rejected(room: KeptRoom, node: number, reason: string): number {
  return room.peer(node).stats(room.now).packetsRejected[reason] ?? 0;
}

function isPassedOn(sent: Stage["sent"], relay: number, { encoded }: ChainEvent): boolean {
  return (sent.get(relay) ?? []).some((bytes) => equal(bytes, encoded));
}

/** All of a room that an act could change. */
function facts(room: KeptRoom, node: number): string {
  return JSON.stringify({ ...room.facts(node), keyHolders: 0 });
}

describe("an act without the right", () => {
  it.each(Object.keys(attempts) as Act["kind"][])(
    "[RM34] %s: is refused where its person sits, with a code that has a sentence, and counted",
    (kind) => {
      const { room, listener, host, sent } = stage(`sender ${kind}`);
      expect(attempts[kind](host).kind).toBe(kind);
      const before = facts(room, room.keeper);
      const code = room.act(listener, attempts[kind](host));
      const allowed = forEverybody[kind];
      if (allowed === "done") return expect(code).toBeUndefined();
      expect(code).toBe(allowed ?? "not-allowed");
      expect(sentences[code!]).toMatch(/^[A-Z].*[.]$/u);
      expect(rejected(room, listener, `act-${code}`)).toBe(1);
      expect(sent.get(listener)).toBeUndefined();
      expect(facts(room, room.keeper)).toBe(before);
    },
  );

  it.each(eventKinds)(
    "[RM35] %s: of nobody in charge goes no further than the relay it comes to, and is counted",
    (kind) => {
      const { room, listener, host, intruder, sent } = stage(`relay ${kind}`);
      const before = facts(room, listener);
      const event = forged(room, createKeyPair(crypto), overstepping[kind](fromHex(host)), rightOfEvent[kind]);
      intruder.say(encodePaper({ kind: "act", bytes: event.encoded }));
      expect(rejected(room, intruder.relay, "event-stranger")).toBe(1);
      expect(isPassedOn(sent, intruder.relay, event)).toBe(false);
      expect(facts(room, listener)).toBe(before);
    },
  );

  it.each(eventKinds.filter((kind) => (rightOfEvent[kind] & ~acts.moderate) !== 0))(
    "[RM35] %s: of a moderator, whose rank has not the right that it shows, goes no further either, and is charged",
    (kind) => {
      const { room, moderator, listener, host, intruder, sent } = stage(`rank ${kind}`);
      const before = facts(room, listener);
      const author = identityOf(room, moderator);
      const event = forged(room, author, overstepping[kind](fromHex(host)), rightOfEvent[kind]);
      intruder.say(encodePaper({ kind: "act", bytes: event.encoded }));
      expect(rejected(room, intruder.relay, "event-right")).toBe(1);
      expect(isPassedOn(sent, intruder.relay, event)).toBe(false);
      expect(facts(room, listener)).toBe(before);
    },
  );

  it("[RM34] of a moderator who pretends to have seen nothing of what was just done takes nobody's link, puts nobody out, and is counted", () => {
    const { room, moderator, listener, host, intruder } = stage("blind");
    const author = identityOf(room, moderator);
    const epochs = room.viewOf(listener)!.epoch;
    // Open, and not settled yet: the order of what crosses it is reckoned anew.
    const identity = room.identity(moderator);
    expect(room.act(room.keeper, { kind: "silence-text", identity })).toBeUndefined();
    let last: ChainEvent | undefined;
    for (const kind of ["replace-link", "kick", "ban", "revoke"] as const) {
      last = forged(room, author, overstepping[kind](fromHex(host)), acts.moderate, last);
      intruder.say(encodePaper({ kind: "act", bytes: last.encoded }));
    }
    for (const node of [room.keeper, listener]) expect(rejected(room, node, "event-not-allowed")).toBe(4);
    expect(room.events(listener, "link-replaced")).toEqual([]);
    expect(room.viewOf(listener)!.epoch).toBe(epochs);
    expect(room.seen(listener, identity)?.silenced).toBe(true);
  });

  it("[RM34] of a moderator who shows another right than it takes, or oversteps, changes nothing for any receiver, and each is counted", () => {
    const { room, moderator, listener, host, intruder } = stage("receivers", 25_000);
    const author = identityOf(room, moderator);
    const before = [room.keeper, listener].map((node) => facts(room, node));
    let last: ChainEvent | undefined;
    for (const [index, kind] of eventKinds.entries()) {
      last = forged(room, author, overstepping[kind](fromHex(host)), rightOfEvent[kind] & acts.moderate, last);
      intruder.say(encodePaper({ kind: "act", bytes: last.encoded }));
      for (const node of [room.keeper, listener]) {
        const stats = room.peer(node).stats(room.now).packetsRejected;
        const counted = ["event-not-allowed", "event-not-here"].reduce((sum, reason) => sum + (stats[reason] ?? 0), 0);
        expect([kind, counted]).toEqual([kind, index + 1]);
      }
    }
    expect([room.keeper, listener].map((node) => facts(room, node))).toEqual(before);
  });
});
