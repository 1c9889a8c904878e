import { describe, expect, it } from "vitest";
import type { RoomEvent } from "../../../../p2p/core/room/chain/event.ts";
import { History } from "../../../../p2p/core/room/chain/history.ts";
import { withShut } from "../../../../p2p/core/room/chain/reconcile.ts";
import { isOut, type Void } from "../../../../p2p/core/room/chain/reduce.ts";
import { banOn, isBanned, useOf, withoutExpiredUses } from "../../../../p2p/core/room/state/lists.ts";
import {
  emptyState,
  hasKey,
  type KeptBan,
  listsMax,
  markOf,
  type RoomState,
  type Use,
} from "../../../../p2p/core/room/state/state.ts";
import { encodeState, parseState } from "../../../../p2p/core/room/state/state-codec.ts";
import { seededCrypto } from "../../fixtures.ts";
import { HistoryRoom, type TestKeeper } from "../history-room.ts";

const none = new Uint8Array(8);

/** Does many things, settled now and then as whoever acts does. Why the last of them changed nothing, if so. */
function doAll(keeper: TestKeeper, room: HistoryRoom, contents: readonly RoomEvent[]): Void | undefined {
  let reason: Void | undefined;
  contents.forEach((content, index) => {
    reason = keeper.history.voidOf(room.act(keeper, content));
    if (index % 40 === 39) settle(keeper.history);
  });
  settle(keeper.history);
  return reason;
}

function settle(history: History): void {
  history.rebase({ ...history.state, frontier: history.frontier() });
}

function banOf(identityKey: Uint8Array, name = "n".repeat(20)): RoomEvent {
  return { kind: "ban", who: { identityKey, name }, branch: none };
}

describe("a room's lists", () => {
  it("[RM53] no ban is forgotten, whatever follows, until there is room for none and the next is refused", () => {
    const room = new HistoryRoom(seededCrypto("all bans"));
    const { history } = room.host;
    const people = Array.from({ length: listsMax.bans + listsMax.keptBans + 1 }, () => room.crypto.randomBytes(32));
    const last = doAll(
      room.host,
      room,
      people.map((key) => banOf(key)),
    );
    expect(last).toBe("list-full");
    const again = parseState(encodeState(history.state), 0)!;
    for (const key of people.slice(0, -1)) expect(isOut(again, key, undefined)).toBe(true);
    expect(isOut(again, people.at(-1)!, undefined)).toBe(false);
    expect(again.bans).toHaveLength(listsMax.bans);
    // By their key they can be taken back all the same, and then there is room for another.
    room.act(room.host, { kind: "unban", identityKey: people[0]! });
    expect(isBanned(history.state, people[0]!)).toBe(false);
    room.act(room.host, banOf(people.at(-1)!));
    expect(isBanned(history.state, people.at(-1)!)).toBe(true);
  });

  it("[RM53] a ban is taken back by nobody below whoever said it, in whatever order both are heard", () => {
    const room = new HistoryRoom(seededCrypto("ranked bans"));
    const { keeper: moderator, event } = room.appoint("moderator");
    const { keeper: other, event: second } = room.appoint("moderator");
    const person = room.crypto.randomBytes(32);
    const ban = room.act(room.host, banOf(person));
    // Theirs first, and taken back by whoever was the first to say so: the host's stands.
    const events = [
      room.act(moderator, banOf(person)),
      room.act(moderator, { kind: "unban", identityKey: person }),
      room.act(other, { kind: "unban", identityKey: person }),
    ];
    for (const order of [
      [event, second, ban, ...events],
      [event, second, ...events, ban],
      [ban, ...events.toReversed(), second, event],
    ]) {
      const history = new History(room.base);
      for (const each of order) history.offer(each);
      expect(banOn(history.state, person)).toMatchObject({ rank: 0 });
    }
    // A moderator's ban is a moderator's to take back, and anybody's above.
    const theirs = room.crypto.randomBytes(32);
    for (const taker of [moderator, room.host]) {
      const history = new History({ ...room.base, keepers: moderator.history.state.keepers });
      const keeper = { ...moderator, history };
      room.act(keeper, banOf(theirs));
      room.act({ ...taker, history }, { kind: "unban", identityKey: theirs });
      expect(isBanned(history.state, theirs)).toBe(false);
    }
  });

  it("[RM53] a lower word does not lower a ban or a silence that somebody above made", () => {
    const room = new HistoryRoom(seededCrypto("lowered"));
    const { keeper: moderator } = room.appoint("moderator");
    const [person, talker] = [room.crypto.randomBytes(32), room.crypto.randomBytes(32)];
    const history = new History({ ...room.base, keepers: room.host.history.state.keepers });
    const as = (keeper: TestKeeper): TestKeeper => ({ ...keeper, history });
    room.act(as(room.host), banOf(person));
    room.act(as(moderator), banOf(person));
    room.act(as(moderator), { kind: "unban", identityKey: person });
    expect(banOn(history.state, person)).toMatchObject({ rank: 0 });
    room.act(as(room.host), { kind: "silence", identityKey: talker, on: true });
    room.act(as(moderator), { kind: "silence", identityKey: talker, on: true });
    room.act(as(moderator), { kind: "silence", identityKey: talker, on: false });
    expect(history.state.silenced).toHaveLength(1);
    room.act(as(room.host), { kind: "silence", identityKey: talker, on: false });
    expect(history.state.silenced).toEqual([]);
  });

  it("[RM53] used and dead invites are remembered until they expire or the link is replaced, and no more fit than fit", () => {
    const room = new HistoryRoom(seededCrypto("uses"));
    const { history } = room.host;
    const uses = Array.from({ length: listsMax.used + 1 }, (_, index) => ({
      kind: "use" as const,
      branch: room.crypto.randomBytes(8),
      identityKey: room.crypto.randomBytes(32),
      door: room.crypto.randomBytes(8),
      expires: 1_000 + index,
    }));
    expect(doAll(room.host, room, uses)).toBe("list-full");
    for (const { branch } of uses.slice(0, -1)) expect(useOf(history.state, branch)).toBeDefined();
    expect(withoutExpiredUses(history.state.used, 1_200, 100)).toHaveLength(listsMax.used - 100);
    expect(withoutExpiredUses(history.state.used, 1_099, 100)).toBe(history.state.used);
    const revoked = Array.from({ length: listsMax.revoked + 1 }, () => room.crypto.randomBytes(8));
    doAll(
      room.host,
      room,
      revoked.map((branch) => ({ kind: "revoke", branch })),
    );
    expect(history.state.revoked).toEqual(revoked.slice(0, -1));
    room.act(room.host, { kind: "replace-link", generation: 1, inviteSeed: room.crypto.randomBytes(32), chain: [] });
    expect([history.state.revoked, history.state.used]).toEqual([[], []]);
    const inviteSeed = room.crypto.randomBytes(32);
    const ahead = room.act(room.host, { kind: "replace-link", generation: 3, inviteSeed, chain: [] });
    expect(history.voidOf(ahead)).toBe("not-here");
  });

  it("[RM53] nobody's record, offer or silence pushes out another's", () => {
    const room = new HistoryRoom(seededCrypto("pushed"));
    const { history } = room.host;
    const first = room.crypto.randomBytes(32);
    const others = Array.from({ length: 70 }, () => room.crypto.randomBytes(32));
    for (const identityKey of [first, ...others]) {
      room.act(room.host, { kind: "record", who: { identityKey, name: "" }, on: true });
      room.act(room.host, { kind: "offer", identityKey, on: true });
      room.act(room.host, { kind: "silence", identityKey, on: true });
    }
    const { recorders, invited, silenced } = history.state;
    expect([recorders.length, invited.length, silenced.length]).toEqual([
      listsMax.recorders,
      listsMax.invited,
      listsMax.silenced,
    ]);
    expect([recorders[0]?.identityKey, invited[0], silenced[0]?.identityKey]).toEqual([first, first, first]);
  });

  it("[RM53] two states that grew apart come together with the bans of both", () => {
    const rooms = ["ours", "theirs"].map((seed) => new HistoryRoom(seededCrypto(seed)));
    const people = rooms.map((room) => {
      const keys = Array.from({ length: 100 }, () => room.crypto.randomBytes(32));
      doAll(
        room.host,
        room,
        keys.map((key) => banOf(key)),
      );
      return keys;
    });
    const [ours, theirs] = rooms.map((room) => room.host.history.state) as [RoomState, RoomState];
    const both = withShut(ours, theirs);
    for (const key of people.flat()) expect(isBanned(both, key)).toBe(true);
    expect(parseState(encodeState(both), 0)).toBeDefined();
  });

  it("[RM53] where the bans, dead or used invites of two halves do not fit together the room is locked, and nobody gets in by it", () => {
    const { crypto } = new HistoryRoom(seededCrypto("too many"));
    const many = <Item>(count: number, make: () => Item): Item[] => Array.from({ length: count }, make);
    const marks = (count: number): KeptBan[] => many(count, () => ({ mark: crypto.randomBytes(8), rank: 2 }));
    const branches = (count: number): Uint8Array[] => many(count, () => crypto.randomBytes(8));
    const uses = (count: number): Use[] =>
      branches(count).map((branch) => ({ branch, user: branch, door: branch, expires: 9 }));
    const half = Math.ceil(listsMax.keptBans / 2);
    const sides = (mine: Partial<RoomState>, other: Partial<RoomState>): RoomState =>
      withShut({ ...emptyState, ...mine }, { ...emptyState, ...other });
    expect(sides({ keptBans: marks(half) }, { keptBans: marks(half) }).access).toBe("link-only");
    const full = sides({ keptBans: marks(half) }, { keptBans: marks(half + 1) });
    expect([full.access, full.keptBans.length]).toEqual(["locked", listsMax.keptBans]);
    expect(sides({ revoked: branches(300) }, { revoked: branches(300) }).access).toBe("locked");
    expect(sides({ used: uses(100) }, { used: uses(100) }).access).toBe("locked");
    // The same on both sides takes no more room, and what came before a new link none.
    const same = { keptBans: marks(600), revoked: branches(400), used: uses(150) };
    expect(sides(same, same).access).toBe("link-only");
    const older = sides({ generation: 1 }, { revoked: branches(500) });
    expect([older.access, older.revoked, older.generation]).toEqual(["link-only", [], 1]);
    const newer = sides({ revoked: branches(500), used: uses(100) }, { revoked: branches(300), generation: 1 });
    expect([newer.access, newer.revoked.length, newer.used]).toEqual(["link-only", 300, []]);
  });

  it("[RM53] of two halves the newest kicks of both are known, and of a ban that both made the higher rank", () => {
    const { crypto } = new HistoryRoom(seededCrypto("kicks of both"));
    const marks = (): Uint8Array[] => Array.from({ length: listsMax.kicked }, () => crypto.randomBytes(8));
    const [mine, other] = [marks(), marks()];
    const both = withShut({ ...emptyState, kicked: mine }, { ...emptyState, kicked: other });
    expect(both.kicked).toHaveLength(listsMax.kicked);
    for (const mark of [...mine.slice(-64), ...other.slice(-64)]) expect(hasKey(both.kicked, mark)).toBe(true);
    const identityKey = crypto.randomBytes(32);
    const named = { ...emptyState, bans: [{ identityKey, name: "", rank: 2 }] };
    const kept = { ...emptyState, keptBans: [{ mark: markOf(identityKey), rank: 0 }] };
    expect(banOn(withShut(named, kept), identityKey)?.rank).toBe(0);
    expect(banOn(withShut(kept, named), identityKey)?.rank).toBe(0);
  });

  it("[RM34] whoever makes room on a full stage takes their mute along", () => {
    const room = new HistoryRoom(seededCrypto("full stage"));
    const { history } = room.host;
    for (let count = 0; count < 80; count++) {
      const person = room.person();
      room.act(room.host, { kind: "seat", person, petition: none });
      room.act(room.host, { kind: "mute", identityKey: person.identityKey, by: "keeper" });
    }
    expect(history.state.muted).toHaveLength(history.state.stage.length);
    expect(parseState(encodeState(history.state), 0)).toBeDefined();
  });
});
