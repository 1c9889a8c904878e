import { describe, expect, it } from "vitest";
import { Rng } from "../../../../p2p/core/rng.ts";
import type { ChainEvent } from "../../../../p2p/core/room/chain/chain.ts";
import type { RoomEvent } from "../../../../p2p/core/room/chain/event.ts";
import { History } from "../../../../p2p/core/room/chain/history.ts";
import type { RoomState, StagePerson } from "../../../../p2p/core/room/state/state.ts";
import { encodeState, parseState } from "../../../../p2p/core/room/state/state-codec.ts";
import { seededCrypto } from "../../fixtures.ts";
import { HistoryRoom, type TestKeeper } from "../history-room.ts";

const none = new Uint8Array(8);
const rounds = 25;

/** What the room is after these events came in this order, without what says how far it came. */
function stateOf(base: RoomState, events: readonly ChainEvent[]): RoomState {
  const history = new History(base);
  for (const event of events) history.offer(event);
  return history.state;
}

function shuffled<Item>(rng: Rng, items: readonly Item[]): Item[] {
  const left = [...items];
  return items.map(() => left.splice(rng.int(left.length), 1)[0]!);
}

function randomEvent(room: HistoryRoom, rng: Rng, people: readonly StagePerson[]): RoomEvent {
  const person = people[rng.int(people.length)]!;
  const { identityKey } = person;
  const contents: readonly RoomEvent[] = [
    { kind: "seat", person, petition: none },
    { kind: "unseat", identityKey, petition: none },
    { kind: "hand", hand: { id: rng.bytes(8), person, raisedAt: room.at } },
    { kind: "offer", identityKey, on: rng.int(2) === 0 },
    { kind: "mute", identityKey, by: rng.int(2) === 0 ? "keeper" : "no" },
    { kind: "kick", identityKey },
    { kind: "ban", who: { identityKey, name: person.name }, branch: none },
    { kind: "unban", identityKey },
    { kind: "silence", identityKey, on: true },
    { kind: "record", who: { identityKey, name: person.name }, on: rng.int(2) === 0 },
    { kind: "revoke", branch: person.branch },
    { kind: "relieve", identityKey },
    {
      kind: "rules",
      rules: { title: `${rng.int(99)}`, rules: "", links: [], access: "open", slowModeS: 5, pushToTalkOnly: true },
      ...(rng.int(2) === 0 ? {} : { only: ["title", "slowModeS"] as const }),
    },
  ];
  return contents[rng.int(contents.length)]!;
}

/** Keepers act, and hear of each other now and then, in an order of their own. */
function story(seed: string): { room: HistoryRoom; events: ChainEvent[]; keepers: TestKeeper[] } {
  const rng = new Rng(seed);
  const room = new HistoryRoom(seededCrypto(seed));
  const events: ChainEvent[] = [];
  const keepers: TestKeeper[] = [room.host];
  for (const role of ["heir", "moderator", "moderator"] as const) {
    const { keeper, event } = room.appoint(role);
    events.push(event);
    keepers.push({ ...keeper, history: new History(room.base) });
  }
  for (const { history } of keepers) for (const event of events) history.offer(event);
  const people = Array.from({ length: 6 }, (_, index) => room.person(`guest ${index}`));
  const keeperPeople = keepers
    .slice(1)
    .map(({ keys }): StagePerson => ({ ...room.person("keeper"), identityKey: keys.key }));
  for (let step = 0; step < 40; step++) {
    const keeper = keepers[rng.int(keepers.length)]!;
    if (rng.int(3) === 0) for (const event of shuffled(rng, events).slice(0, 12)) keeper.history.offer(event);
    events.push(room.act(keeper, randomEvent(room, rng, [...people, ...keeperPeople])));
  }
  return { room, events, keepers };
}

describe("the history of a room", () => {
  it("[RM33] who changes one rule without having heard of a change of another undoes nothing of it, in whatever order", () => {
    const room = new HistoryRoom(seededCrypto("one rule"));
    const { keeper: heir, event } = room.appoint("heir");
    const rules = { ...room.base };
    const mine = room.act(room.host, { kind: "rules", rules: { ...rules, access: "locked" }, only: ["access"] });
    const apart = { ...heir, history: new History(room.base) };
    apart.history.offer(event);
    const theirs = room.act(apart, { kind: "rules", rules: { ...rules, title: "theirs" }, only: ["title"] });
    for (const order of [
      [event, mine, theirs],
      [theirs, event, mine],
    ]) {
      const history = new History(room.base);
      for (const each of order) history.offer(each);
      expect(history.state).toMatchObject({ access: "locked", title: "theirs" });
    }
  });

  it("[RM33] the same events give the same state, in whatever order they came", () => {
    for (let round = 0; round < rounds; round++) {
      const { room, events } = story(`order ${round}`);
      const rng = new Rng(`shuffle ${round}`);
      const expected = stateOf(room.base, events);
      for (let again = 0; again < 4; again++) {
        expect(stateOf(room.base, shuffled(rng, events)), `round ${round}`).toEqual(expected);
      }
      // Each twice, and some of them before the others.
      expect(stateOf(room.base, [...shuffled(rng, events), ...shuffled(rng, events)])).toEqual(expected);
    }
  });

  it("[RM33] a state in between changes nothing of what comes of the events after it", () => {
    for (let round = 0; round < rounds; round++) {
      const { room, events } = story(`rebase ${round}`);
      const rng = new Rng(`cut ${round}`);
      const cut = rng.int(events.length);
      const whole = new History(room.base);
      for (const event of events.slice(0, cut)) whole.offer(event);
      const settled = { ...whole.state, frontier: whole.frontier() };
      const read = parseState(encodeState(settled), settled.sequence);
      expect(read).toEqual(settled);
      const late = new History(settled);
      const early = new History(room.base);
      for (const event of shuffled(rng, events.slice(0, cut + 3))) early.offer(event);
      expect(early.rebase(settled)).toBe(true);
      for (const event of events.slice(cut)) late.offer(event);
      for (const event of shuffled(rng, events)) early.offer(event);
      expect({ ...early.state, frontier: [] }).toEqual({ ...late.state, frontier: [] });
    }
  });

  it("[RM33] what waited for another counts with it, and is told with it: a ban, say, for which an epoch is due", () => {
    const room = new HistoryRoom(seededCrypto("waited"));
    const { keeper, event: appointment } = room.appoint("moderator");
    const { identityKey, name } = room.person("guest");
    const ban = room.act(keeper, { kind: "ban", who: { identityKey, name }, branch: none });
    const late = new History(room.base);
    expect(late.takeCounted(ban, late.offer(ban))).toEqual([]);
    expect(late.takeCounted(appointment, late.offer(appointment))).toEqual([appointment, ban]);
    expect(late.takeCounted(appointment, late.offer(appointment))).toEqual([]);
    // Also where what it waited for came with a state.
    const settled = new History(room.base);
    settled.offer(ban);
    settled.rebase({ ...room.host.history.state, bans: [], frontier: room.host.history.frontier() });
    const mute = room.act(room.host, { kind: "silence", identityKey, on: true });
    expect(settled.takeCounted(mute, settled.offer(mute))).toEqual(
      settled.state.bans.length > 0 ? [mute, ban] : [mute],
    );
  });

  it("[RM33] two events under one number are void for everybody, with all that followed, whichever came first", () => {
    for (let round = 0; round < rounds; round++) {
      const { room, events, keepers } = story(`fork ${round}`);
      const rng = new Rng(`fork ${round}`);
      const liar = keepers[1 + rng.int(3)]!;
      const { identityKey } = room.person();
      const twice = [true, false].map((on) => room.say(liar, { kind: "silence", identityKey, on }));
      const all = [...events, ...twice];
      const states = Array.from({ length: 4 }, () => {
        const history = new History(room.base);
        for (const event of shuffled(rng, all)) history.offer(event);
        return history;
      });
      for (const history of states) {
        expect(history.state).toEqual(states[0]!.state);
        expect(history.forks).toHaveLength(1);
        expect(history.forks[0]!.events.map(({ hash }) => hash)).toEqual(
          states[0]!.forks[0]!.events.map(({ hash }) => hash),
        );
        expect(history.state.silenced).not.toContainEqual(expect.objectContaining({ identityKey }));
      }
    }
  });

  it("[RM34] nothing is gained by who forges, replays, truncates, escalates, backdates or brings a ban back", () => {
    for (let round = 0; round < rounds; round++) {
      const { room, events, keepers } = story(`hostile ${round}`);
      const rng = new Rng(`hostile ${round}`);
      const host = { ...room.person("Host"), identityKey: room.host.keys.key, role: "host" } as const;
      const base = { ...room.base, stage: [host] };
      const history = new History(base);
      for (const event of events) history.offer(event);
      const before = history.state;
      const moderator = keepers[2]!;
      const self = moderator.keys.key;
      const victim = room.person("victim");
      const hostile: RoomEvent[] = [
        { kind: "appoint", keeper: room.keeperOf(victim.identityKey, "moderator", "v") },
        { kind: "appoint", keeper: { ...room.keeperOf(self, "heir", "me"), office: undefined } },
        { kind: "relieve", identityKey: room.host.keys.key },
        { kind: "ban", who: { identityKey: room.host.keys.key, name: "Host" }, branch: none },
        { kind: "kick", identityKey: room.host.keys.key },
        { kind: "end" },
        { kind: "rules", rules: { ...before, title: "mine" } },
        { kind: "revoke", branch: victim.branch },
        // In the name of a wish that nobody had, and by the ban of nobody.
        { kind: "unseat", identityKey: room.host.keys.key, petition: rng.bytes(8) },
        { kind: "mute", identityKey: room.host.keys.key, by: "self" },
        { kind: "ban", who: { identityKey: rng.bytes(32), name: "nobody" }, branch: victim.branch },
        // With a voice of its own in somebody else's name, and petitions that nobody sent.
        { kind: "seat", person: { ...host, voiceKey: rng.bytes(32) }, petition: none },
        { kind: "seat", person: victim, petition: rng.bytes(8) },
        { kind: "hand", hand: { id: rng.bytes(8), person: victim, raisedAt: room.at } },
        { kind: "ban", who: { identityKey: victim.identityKey, name: "victim" }, branch: victim.branch },
        { kind: "use", branch: victim.branch, identityKey: self, door: rng.bytes(8), expires: 9 },
        { kind: "away", identityKey: room.host.keys.key, on: true },
        { kind: "record", who: { identityKey: victim.identityKey, name: "victim" }, on: true },
      ];
      const truthful = new History(before);
      for (const content of hostile) {
        // As it is, and with a rank and a right that are not theirs.
        const lies = [{}, { rank: 0 }, { right: 7 }, { rank: 0, right: 7 }, { rank: 1, right: 1 }];
        for (const lie of lies) truthful.offer(room.say({ ...moderator, history: truthful }, content, lie));
      }
      expect({ ...truthful.state, frontier: [] }).toEqual({ ...before, frontier: [] });
      // A copy of everything, in another order, brings nothing back; nor does a part of it.
      for (const event of shuffled(rng, events)) history.offer(event);
      for (const event of events.slice(rng.int(events.length))) history.offer(event);
      expect(history.state).toEqual(before);
    }
  });

  it("[RM34] who was relieved or banned does nothing more, though they claim not to have heard of it", () => {
    const room = new HistoryRoom(seededCrypto("backdated"));
    const { keeper: moderator, event } = room.appoint("moderator");
    const person = room.person();
    const base = { ...room.base };
    const relieve = room.act(room.host, { kind: "relieve", identityKey: moderator.keys.key });
    const ban = room.act(room.host, {
      kind: "ban",
      who: { identityKey: person.identityKey, name: "" },
      branch: person.branch,
    });
    const late = [
      room.act(moderator, { kind: "seat", person, petition: none }),
      room.act(moderator, { kind: "kick", identityKey: room.person().identityKey }),
    ];
    for (const order of [
      [event, relieve, ban, ...late],
      [event, ...late, relieve, ban],
    ]) {
      const state = stateOf(base, order);
      expect(state.stage).toEqual([]);
      expect(state.kicked).toEqual([]);
      expect(state.bans).toHaveLength(1);
    }
    // Nor does the invite of a banned person, or their own key, come back on stage by another keeper's word.
    const { keeper: heir } = room.appoint("heir");
    room.act(heir, { kind: "seat", person, petition: none });
    const sibling = { ...room.person(), branch: person.branch };
    const seat = room.act(heir, { kind: "seat", person: sibling, petition: none });
    expect(heir.history.state.stage).toEqual([]);
    expect(heir.history.voidOf(seat)).toBe("not-allowed");
  });
});
