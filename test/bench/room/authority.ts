import { Rng } from "../../../p2p/core/rng.ts";
import { type ChainEvent, openEvent, readEventHead, verifyEvent } from "../../../p2p/core/room/chain/chain.ts";
import type { RoomEvent } from "../../../p2p/core/room/chain/event.ts";
import { History } from "../../../p2p/core/room/chain/history.ts";
import { sealState } from "../../../p2p/core/room/state/sealed-state.ts";
import { knowing } from "../../core/fixtures.ts";
import { createCrypto } from "../../../p2p/io/crypto.ts";
import { showFork } from "../../core/peer/forks.ts";
import { KeptRoom } from "../../core/peer/kept-room.ts";
import { HistoryRoom } from "../../core/room/history-room.ts";
import { type Figure, plainFigureOf } from "../figure.ts";

/** The issue: a room with 8,000 members and 10,000 events. */
const members = 8000;
const eventsOf = 10_000;
const keepersOf = 4;
const goalMs = 1000;
const joinerBytes = 65_536;
const actsWithinS = 5;

/** S2: how long a room without its host waits for its heir, and with a forked view for the alarm. */
export function measureSuccession(): Promise<readonly Figure[]> {
  const waits = ["a", "b", "c"].map((seed) => {
    const room = new KeptRoom(`bench ${seed}`, 3);
    const heir = room.enter("heir");
    const listener = room.enter();
    room.run(6000);
    const identity = room.facts(heir).people.find(({ self }) => self)?.identity;
    room.kill(room.keeper, true);
    return secondsUntil(room, () => room.facts(listener).keptBy === identity);
  });
  const alarms = ["a", "b", "c"].map((seed) => {
    const room = new KeptRoom(`bench fork ${seed}`, 3);
    const listener = room.enter();
    room.run(6000);
    showFork(room, seed);
    return secondsUntil(room, () => room.troubles(listener).includes("forked"));
  });
  const figure = (what: string, seconds: readonly number[]): Figure =>
    plainFigureOf({
      id: "S2",
      what,
      goal: actsWithinS,
      better: "less",
      sides: { ours: Math.max(...seconds), baseline: actsWithinS },
    });
  return Promise.resolve([
    figure("from the host's silence until members know the heir that acts, s (virtual time, slowest of 3)", waits),
    figure("from a forked view until a member is told, s (virtual time, slowest of 3)", alarms),
  ]);
}

/** A long night in a large room, reduced by who comes late: with every signature, and what it takes to join. */
export function measureReduce(): Promise<readonly Figure[]> {
  const room = new HistoryRoom(createCrypto());
  const events = longNight(room);
  const history = new History(room.base);
  const begin = performance.now();
  for (const event of events) history.offer(event);
  const { state } = history;
  const reduceMs = performance.now() - begin;
  const { session, carriage } = room.keys;
  const settled = { ...state, frontier: history.frontier() };
  const bytes = sealState(room.crypto, { number: 1, secret: room.secret }, session.seed, carriage.key, settled).length;
  const checkMs = checked(room, events.slice(0, 1000)) * (eventsOf / 1000);
  return Promise.resolve([
    plainFigureOf({
      id: "S2r",
      what: `${eventsOf} events of ${keepersOf} keepers and ${members} members reduced, ms; beside it with every signature and seal`,
      goal: goalMs,
      better: "less",
      sides: { ours: reduceMs, baseline: goalMs, withSignatures: checkMs },
    }),
    plainFigureOf({
      id: "S2r",
      what: "what a joiner reads of it, bytes",
      goal: joinerBytes,
      better: "less",
      sides: { ours: bytes, baseline: events.reduce((sum, { encoded }) => sum + encoded.length, 0) },
    }),
  ]);
}

function secondsUntil(room: KeptRoom, isSo: () => boolean): number {
  for (let step = 0; step < 1000; step++) {
    if (isSo()) return (step * 20) / 1000;
    room.run(20);
  }
  return Number.POSITIVE_INFINITY;
}

function checked(room: HistoryRoom, events: readonly ChainEvent[]): number {
  const tag = room.keys.carriage.key;
  const begin = performance.now();
  for (const { encoded } of events) {
    const head = readEventHead(encoded);
    if (!head || !verifyEvent(room.crypto, tag, head, encoded)) throw new Error("an event that does not hold");
    openEvent(room.crypto, knowing(room.secret), tag, encoded);
  }
  return performance.now() - begin;
}

function longNight(room: HistoryRoom): ChainEvent[] {
  const rng = new Rng("a long night");
  const events: ChainEvent[] = [];
  const keepers = [room.host];
  for (let index = 1; index < keepersOf; index++) {
    const { keeper, event } = room.appoint(index === 1 ? "heir" : "moderator");
    events.push(event);
    keepers.push(keeper);
  }
  for (const keeper of keepers) for (const event of events) keeper.history.offer(event);
  const people = Array.from({ length: members }, (_, index) => room.person(`member ${index}`));
  while (events.length < eventsOf) {
    const keeper = keepers[rng.int(keepers.length)] ?? room.host;
    const person = people[events.length % members];
    if (!person) continue;
    const { identityKey } = person;
    const petition = rng.bytes(8);
    const choices: readonly RoomEvent[] = [
      { kind: "hand", hand: { id: petition, person, raisedAt: room.at } },
      { kind: "seat", person, petition },
      { kind: "unseat", identityKey, petition },
      { kind: "silence", identityKey, on: true },
      { kind: "ban", who: { identityKey, name: person.name }, branch: person.branch },
      { kind: "offer", identityKey, on: true },
    ];
    const content = choices[rng.int(choices.length)] ?? { kind: "kick", identityKey };
    // Petitions are answered by whoever acts for the room.
    const answers = content.kind === "hand" || content.kind === "seat";
    const author = answers ? room.host : keeper;
    const event = room.act(author, content);
    events.push(event);
    // They hear of each other, as in a room.
    for (const other of keepers) if (other !== author) other.history.offer(event);
  }
  return events;
}
