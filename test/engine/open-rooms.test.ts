import { describe, expect, it } from "vitest";
import { limits } from "../../p2p/api/limits.ts";
import { toHex } from "../../p2p/core/bytes.ts";
import type { Crypto } from "../../p2p/core/crypto.ts";
import { encodeListing, type HallSpot, spotKey } from "../../p2p/core/room/hall/listing.ts";
import { Authority } from "../../p2p/core/room/keeper/authority.ts";
import { createKeyPair, createRoomKeys } from "../../p2p/core/room/rights/keys.ts";
import { hostPerson } from "../../p2p/core/room/state/first-state.ts";
import { listOpenRooms } from "../../p2p/engine/open-rooms.ts";
import type { Discovery } from "../../p2p/engine/ports.ts";
import { listedRoomsShape } from "../../p2p/port/events.ts";
import { sealingBy, seededCrypto, testNow } from "../core/fixtures.ts";
import { ManualClock } from "../io/audio/manual-clock.ts";

const hour = Math.floor(testNow / 3_600_000);
const real = seededCrypto("open rooms");
/** Proofs of work are free here: what begins like a payment hashes to what its work says first. */
const crypto: Crypto = {
  ...real,
  sha256: (bytes) => (isPayment(bytes) ? cheapHash(bytes) : real.sha256(bytes)),
};

function isPayment(bytes: Uint8Array): boolean {
  return new TextDecoder().decode(bytes.subarray(0, 19)) === "teahouse hall work ";
}

/** 18 zero bits, and as many more as the last byte of the work says. */
function cheapHash(bytes: Uint8Array): Uint8Array {
  const hash = new Uint8Array(32);
  const bits = limits.hallWorkBits + (bytes.at(-1) ?? 0);
  hash[bits >> 3] = 0x80 >> (bits & 7);
  return hash;
}

interface Put {
  readonly title: string;
  readonly place: number;
  readonly members: number;
  /** Zero bits beyond those that are asked for. */
  readonly paid?: number;
}

function listed({ title, place, members, paid = 0 }: Put): { readonly key: string; readonly value: Uint8Array } {
  const spot: HallSpot = { hour, place };
  const keys = createRoomKeys(crypto, testNow);
  const person = hostPerson(createKeyPair(crypto).key, createKeyPair(crypto).key, "Host");
  const options = { via: [], letEverybodySpeak: true, title };
  const authority = new Authority(crypto, keys, options, [], undefined, person, sealingBy(crypto.randomBytes(32)));
  const { listener: invite } = authority.issueInvites(testNow);
  const work = Uint8Array.of(0, 0, 0, 0, 0, 0, 0, paid);
  const value = encodeListing(crypto, spot, { title, members, invite }, work, keys.session, testNow);
  return { key: toHex(spotKey(crypto, spot)), value };
}

async function search(puts: readonly Put[]) {
  const values = new Map<string, Uint8Array[]>();
  for (const { key, value } of puts.map(listed)) values.set(key, [...(values.get(key) ?? []), value]);
  const discovery: Discovery = {
    publish: () => Promise.resolve(),
    lookup: async function* lookup(key) {
      yield* await Promise.resolve(values.get(toHex(key)) ?? []);
    },
  };
  const clock = new ManualClock();
  clock.stall(hour * 3_600_000 + 30 * 60_000 - clock.now());
  return listOpenRooms(discovery, crypto, clock, new AbortController().signal);
}

describe("a search for open rooms", () => {
  it("[DS13] finds no more than a window takes, however many are listed", async () => {
    const places = Array.from({ length: limits.hallPlaces }, (_, place) => place);
    const puts = places.flatMap((place) =>
      Array.from({ length: 3 }, (_, index) => ({ title: `${place}.${index}`, place, members: index })),
    );
    const rooms = await search(puts);
    expect(rooms).toHaveLength(limits.hallRoomsMax);
    expect(listedRoomsShape(rooms)).toBe(true);
    expect(new Set(rooms.map(({ title }) => title.split(".")[0])).size).toBe(limits.hallPlaces);
    expect(rooms.map(({ members }) => members)).toEqual(rooms.map(({ members }) => members).toSorted((a, b) => b - a));
  }, 30_000);

  it("[DS13] one place full of boasts crowds out no other, and shows what cost most there", async () => {
    const honest = { title: "honest", place: 7, members: 3 };
    const boasts = Array.from({ length: 16 }, (_, index) => ({
      title: `boast ${index}`,
      place: 0,
      members: 2 ** 32 - 1,
      paid: index,
    }));
    const titles = (await search([...boasts, honest])).map(({ title }) => title);
    expect(titles).toHaveLength(limits.hallRoomsAPlaceMax + 1);
    expect(titles).toContain("honest");
    expect(titles).toContain("boast 15");
    expect(titles).not.toContain("boast 0");
  });
});
