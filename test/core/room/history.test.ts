import { describe, expect, it } from "vitest";
import { Rng } from "../../../p2p/core/rng.ts";
import type { ChainEvent } from "../../../p2p/core/room/chain.ts";
import type { RoomEvent } from "../../../p2p/core/room/event.ts";
import { History } from "../../../p2p/core/room/history.ts";
import type { RoomState, StagePerson } from "../../../p2p/core/room/state.ts";
import { encodeState, parseState } from "../../../p2p/core/room/state-codec.ts";
import { seededCrypto } from "../fixtures.ts";
import { HistoryRoom, type TestKeeper } from "./history-room.ts";

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
});
