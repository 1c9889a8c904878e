import { describe, expect, it } from "vitest";
import { millis } from "../../../../p2p/api/ids.ts";
import { Chains } from "../../../../p2p/core/overlay/news/chains.ts";
import { Rng } from "../../../../p2p/core/rng.ts";
import type { ChainEvent } from "../../../../p2p/core/room/chain/chain.ts";
import type { RoomEvent } from "../../../../p2p/core/room/chain/event.ts";
import { sampleView, seededCrypto, testNow } from "../../fixtures.ts";
import { HistoryRoom, type TestKeeper } from "../../room/history-room.ts";

const crypto = seededCrypto("chains");
const silence = (): RoomEvent => ({ kind: "silence", identityKey: crypto.randomBytes(32), on: true });

function bench(): {
  room: HistoryRoom;
  moderator: TestKeeper;
  chains: Chains;
  judge(event: ChainEvent | Uint8Array): string;
} {
  const room = new HistoryRoom(crypto);
  const { keeper } = room.appoint("moderator");
  const keepers = [
    { key: room.host.keys.key, rank: 0 },
    { key: keeper.keys.key, rank: 2 },
  ];
  const view = sampleView(crypto, room.keys, { keepers });
  const chains = new Chains(crypto);
  const judge = (event: ChainEvent | Uint8Array): string =>
    chains.judge(event instanceof Uint8Array ? event : event.encoded, view, room.at);
  return { room, moderator: keeper, chains, judge };
}

describe("what relays pass on of those who keep a room", () => {
  it("[RM35] events of the view's keepers, once, and what they had no right to never", () => {
    const { room, moderator, chains, judge } = bench();
    const event = room.act(moderator, silence());
    expect(judge(event)).toBe("new");
    expect(judge(event)).toBe("late");
    expect(chains.events).toEqual([event.encoded]);
    const stranger = room.appoint("moderator").keeper;
    expect(judge(room.act(stranger, silence()))).toBe("stranger");
    expect(judge(room.say(moderator, { kind: "end" }))).toBe("right");
    expect(judge(room.say(moderator, silence(), { rank: 0 }))).toBe("right");
    expect(judge(room.say(moderator, { kind: "end" }, { rank: 0 }))).toBe("right");
    expect(judge(crypto.randomBytes(200))).toBe("malformed");
    chains.settle({
      session: room.host.keys.key,
      sequence: 1,
      era: 0,
      length: 0,
      settled: [{ key: moderator.keys.key, number: 1 }],
    });
    expect(chains.events).toEqual([]);
    expect(judge(event)).toBe("late");
  });

  it("[RM35] nothing that was changed on the way, or that another signed", () => {
    const { room, moderator, judge } = bench();
    const rng = new Rng("changed");
    for (let round = 0; round < 300; round++) {
      const event = room.say(moderator, silence());
      const changed = event.encoded.slice();
      changed[rng.int(changed.length)]! ^= 1 << rng.int(8);
      expect(["new", "fork"]).not.toContain(judge(changed));
      expect(["new", "fork"]).not.toContain(judge(event.encoded.subarray(0, rng.int(event.encoded.length))));
    }
    const other = new HistoryRoom(crypto);
    const foreign = other.say({ ...other.host, keys: room.host.keys }, silence());
    expect(judge(foreign)).toBe("signature");
  });

  it("[RM35] a fork goes by twice, as a proof, and then nothing of its author; nor more than a person does", () => {
    const { room, moderator, chains, judge } = bench();
    const [one, two, three] = [1, 2, 3].map(() => room.say(moderator, silence())) as [
      ChainEvent,
      ChainEvent,
      ChainEvent,
    ];
    expect([one, two, three].map(judge)).toEqual(["new", "fork", "late"]);
    const verdicts = Array.from({ length: 100 }, () => judge(room.act(room.host, silence())));
    const passed = verdicts.filter((verdict) => verdict === "new").length;
    expect(passed).toBeGreaterThanOrEqual(64);
    expect(passed).toBeLessThan(70);
    room.at = millis(testNow + 60_000);
    // What is far ahead of what is settled pushes nothing out.
    for (let more = 0; more < 400; more++) {
      room.at = millis(room.at + 60);
      judge(room.act(room.host, silence()));
    }
    expect(judge(room.act(room.host, silence()))).toBe("ahead");
    chains.settle({
      session: room.host.keys.key,
      sequence: 1,
      era: 0,
      length: 0,
      settled: room.host.history.frontier(),
    });
    expect(judge(room.act(room.host, silence()))).toBe("new");
  });
});
