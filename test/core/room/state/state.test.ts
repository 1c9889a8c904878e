import { describe, expect, it } from "vitest";
import { concat } from "../../../../p2p/core/bytes.ts";
import { Rng } from "../../../../p2p/core/rng.ts";
import { createKeyPair, createRoomKeys } from "../../../../p2p/core/room/rights/keys.ts";
import { checkState, openState, sealState } from "../../../../p2p/core/room/state/sealed-state.ts";
import { emptyState, keepersMax, listsMax, type RoomState } from "../../../../p2p/core/room/state/state.ts";
import { laneMessageBytesMax } from "../../../../p2p/core/session/lane.ts";
import { encodeUtf8 } from "../../../../p2p/core/utf8.ts";
import { sampleRoom, sampleState, seededCrypto, testNow, knowing } from "../../fixtures.ts";

const room = sampleRoom("state");
const { crypto, keys, view, secret } = room;
const tag = keys.carriage.key;

function seal(state: RoomState, seed = keys.session.seed): Uint8Array {
  return sealState(crypto, { number: 1, secret }, seed, tag, state);
}

function isOpen(opened: ReturnType<typeof openState>): boolean {
  return typeof opened === "object";
}

describe("the sealed state", () => {
  it("[RM21] opens for whoever has the epoch secret, as it was sealed", () => {
    const state = sampleState(room);
    expect(openState(crypto, knowing(secret), tag, seal(state))).toEqual(state);
    expect(openState(crypto, knowing(secret), tag, seal(emptyState))).toEqual(emptyState);
  });

  it("[RM21] for nobody else, and in no other room, and with nothing changed", () => {
    const bytes = seal(sampleState(room));
    const rng = new Rng("state");
    expect(isOpen(openState(crypto, knowing(rng.bytes(32)), tag, bytes))).toBe(false);
    expect(isOpen(openState(crypto, knowing(secret), rng.bytes(32), bytes))).toBe(false);
    for (let at = 0; at < bytes.length - 64; at++) {
      const changed = bytes.slice();
      changed[at]! ^= 1;
      expect(isOpen(openState(crypto, knowing(secret), tag, changed))).toBe(false);
    }
  });

  it("[RM21] the key is drawn from the epoch secret under its own label, the tag has 16 bytes", () => {
    const bytes = seal(sampleState(room));
    const key = crypto.hkdf(secret, encodeUtf8("teahouse state key 1"), 32);
    const [head, nonce, sealed] = [bytes.subarray(0, 79), bytes.subarray(79, 91), bytes.subarray(91, -64)];
    const plain = crypto.open(key, nonce, concat(tag, head), sealed, 16);
    expect(plain).toBeDefined();
    expect(plain?.length).toBe(sealed.length - 16);
  });

  it("[RM21] a relay passes on what the view's session signed and what is newer, and can read none of it", () => {
    const [old, newer] = [1, 2].map((sequence) => seal({ ...sampleState(room), sequence }));
    if (!old || !newer) throw new Error("no states");
    expect(checkState(crypto, view, old, undefined)).toBe("newer");
    expect(checkState(crypto, view, newer, old)).toBe("newer");
    expect(checkState(crypto, view, old, newer)).toBe("older");
    expect(checkState(crypto, view, newer, newer)).toBe("older");
    const stranger = createKeyPair(crypto);
    expect(checkState(crypto, view, seal(sampleState(room), stranger.seed), undefined)).toBe("foreign");
    for (let at = 0; at < newer.length; at += 7) {
      const changed = newer.slice();
      changed[at]! ^= 128;
      expect(["bad", "foreign"]).toContain(checkState(crypto, view, changed, undefined));
    }
    for (let length = 0; length < newer.length; length += 5) {
      expect(checkState(crypto, view, newer.subarray(0, length), undefined)).toBe("bad");
    }
    const other = createRoomKeys(seededCrypto("other room"), testNow);
    const foreign = sealState(crypto, { number: 1, secret }, keys.session.seed, other.carriage.key, sampleState(room));
    expect(checkState(crypto, view, foreign, undefined)).toBe("bad");
  });

  it("the fullest state fits into one message, and titles and names that are too long are not read", () => {
    const state = sampleState(room);
    const rng = new Rng("full");
    const many = <Item>(count: number, make: () => Item): Item[] => Array.from({ length: count }, make);
    const person = { ...state.stage[0]!, name: "y".repeat(96) };
    const key = (): Uint8Array => rng.bytes(32);
    const { certificate, capability } = keys.session;
    const office = { capability, certificate };
    const full: RoomState = {
      ...state,
      title: "x".repeat(240),
      rules: "r".repeat(1000),
      links: many(8, () => "l".repeat(200)),
      stage: many(32, () => person),
      hands: many(64, () => ({ id: rng.bytes(8), person, raisedAt: testNow })),
      keepers: many(keepersMax, () => ({
        key: key(),
        identityKey: key(),
        role: "heir",
        name: "k".repeat(96),
        office,
      })).map((keeper) => ({
        ...keeper,
        role: "heir" as const,
        office: { ...office, certificate: { ...certificate, key: keeper.key } },
      })),
      muted: many(32, () => ({ identityKey: key(), by: "keeper" as const })),
      invited: many(listsMax.invited, key),
      recorders: many(listsMax.recorders, () => ({ identityKey: key(), name: "n".repeat(96) })),
      silenced: many(listsMax.silenced, () => ({ identityKey: key(), rank: 1 })),
      bans: many(listsMax.bans, () => ({ identityKey: key(), name: "n".repeat(96), rank: 2 })),
      keptBans: many(listsMax.keptBans, () => ({ mark: rng.bytes(8), rank: 0 })),
      kicked: many(listsMax.kicked, () => rng.bytes(8)),
      revoked: many(listsMax.revoked, () => rng.bytes(8)),
      used: many(listsMax.used, () => ({
        ...{ branch: rng.bytes(8), user: rng.bytes(8) },
        ...{ door: rng.bytes(8), expires: rng.u32() },
      })),
      done: many(listsMax.done, () => rng.bytes(8)),
      frontier: many(24, () => ({ key: key(), number: 7, hash: rng.bytes(16) })),
    };
    const bytes = seal(full);
    expect(bytes.length).toBeLessThan(laneMessageBytesMax);
    expect(openState(crypto, knowing(secret), tag, bytes)).toEqual(full);
    expect(isOpen(openState(crypto, knowing(secret), tag, seal({ ...full, title: "x".repeat(241) })))).toBe(false);
    const long = { ...full, stage: [{ ...person, name: "y".repeat(97) }] };
    expect(isOpen(openState(crypto, knowing(secret), tag, seal(long)))).toBe(false);
    const crowded = { ...full, stage: many(33, () => person) };
    expect(isOpen(openState(crypto, knowing(secret), tag, seal(crowded)))).toBe(false);
    const loud = { ...full, hands: [{ ...full.hands[0]!, person: { ...person, name: "z".repeat(97) } }] };
    expect(isOpen(openState(crypto, knowing(secret), tag, seal(loud)))).toBe(false);
  });
});
