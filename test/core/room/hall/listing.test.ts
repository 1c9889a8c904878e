import { beforeAll, describe, expect, it } from "vitest";
import { type Millis, millis } from "../../../../p2p/api/ids.ts";
import { limits } from "../../../../p2p/api/limits.ts";
import { toHex } from "../../../../p2p/core/bytes.ts";
import { encodeRecord, openRecord, recordHour } from "../../../../p2p/core/discovery/record.ts";
import { Lister } from "../../../../p2p/core/room/hall/lister.ts";
import {
  encodeListing,
  HallSigners,
  openListing,
  paymentOf,
  spotKey,
  spotsOf,
  spotsToAsk,
  workIn,
} from "../../../../p2p/core/room/hall/listing.ts";
import type { Publication } from "../../../../p2p/core/room/hall/records.ts";
import { Authority } from "../../../../p2p/core/room/keeper/authority.ts";
import { createKeyPair, createRoomKeys } from "../../../../p2p/core/room/rights/keys.ts";
import { hostPerson } from "../../../../p2p/core/room/state/first-state.ts";
import { Rng } from "../../../../p2p/core/rng.ts";
import { peerOf } from "../../../../p2p/core/session/frames.ts";
import { sampleAddress, sealingBy, seededCrypto, testNow } from "../../fixtures.ts";

const crypto = seededCrypto("hall");
const hour = recordHour(testNow);

function authorityOf(title: string): Authority {
  const keys = createRoomKeys(crypto, testNow);
  const relay = { address: sampleAddress(new Rng(title)), secret: crypto.randomBytes(16) };
  const person = hostPerson(createKeyPair(crypto).key, createKeyPair(crypto).key, "Host");
  const options = { via: [], letEverybodySpeak: true, title };
  const authority = new Authority(crypto, keys, options, [relay], undefined, person, sealingBy(crypto.randomBytes(32)));
  authority.setCarrying(peerOf(relay.address), true);
  return authority;
}

function open(authority: Authority, access: "open" | "link-only" = "open"): void {
  authority.write({ kind: "rules", rules: { ...authority.state, access } }, testNow);
}

/** Runs it until it has put something, or wants nothing more. */
function put(lister: Lister, authority: Authority, from: Millis): readonly Publication[] {
  let now = from;
  for (let piece = 0; piece < 5_000; piece++) {
    const put = lister.run(authority, 7, () => authority.issueInvites(now).listener, now, now);
    if (put.length > 0) return put;
    const { dueAt } = lister;
    if (dueAt === undefined) return [];
    now = dueAt;
  }
  throw new Error("never paid");
}

describe("the hall", () => {
  const authority = authorityOf("a room for everybody");
  const lister = new Lister(crypto);
  const tag = authority.keys.carriage.key;
  const spots = spotsOf(crypto, tag, hour);
  let listed: readonly Publication[] = [];

  beforeAll(() => {
    expect(put(lister, authority, testNow)).toEqual([]);
    open(authority);
    listed = put(lister, authority, testNow);
  });

  it("[DS11] shows an open room in two places of the hour, and none that is not open", () => {
    expect(listed.map(({ key }) => toHex(key))).toEqual(spots.map((spot) => toHex(spotKey(crypto, spot))));
    for (const [index, { value }] of listed.entries()) {
      expect(openListing(crypto, spots[index]!, value, testNow)).toMatchObject({
        room: toHex(authority.keys.root.key),
        title: "a room for everybody",
        members: 7,
      });
    }
    expect(lister.dueAt).toBeGreaterThan(testNow);
    expect(lister.dueAt! - testNow).toBeLessThanOrEqual(660_000);
    open(authority, "link-only");
    expect(put(lister, authority, lister.dueAt!)).toEqual([]);
    expect(lister.dueAt).toBeUndefined();
    open(authority);
  });

  it("[DS12] believes no listing that cost too little, is somebody else's word, or was changed", () => {
    const spot = spots[0]!;
    const { value } = listed[0]!;
    const later = millis(testNow + 8 * 24 * 3_600_000);
    expect(openListing(crypto, spot, value, later)).toBeUndefined();
    expect(
      openListing(crypto, { ...spot, place: (spot.place + 1) % limits.hallPlaces }, value, testNow),
    ).toBeUndefined();
    expect(openListing(crypto, { ...spot, hour: hour + 1 }, value, testNow)).toBeUndefined();
    const { listener: invite } = authority.issueInvites(testNow);
    const listing = { title: "t".repeat(500), members: 2 ** 40, invite };
    const cheap = Uint8Array.from({ length: 8 }, (_, index) => index);
    expect(workIn(crypto, paymentOf(tag, spot, cheap))).toBeLessThan(limits.hallWorkBits);
    const author = authority.keys.session;
    expect(
      openListing(crypto, spot, encodeListing(crypto, spot, listing, cheap, author, testNow), testNow),
    ).toBeUndefined();
    // Paid for, and said by somebody who leads another room; or by nobody who leads.
    const secret = crypto.sha256(new TextEncoder().encode("no matter"));
    expect(openRecord(crypto, secret, value).ok).toBe(false);
    const other = createRoomKeys(crypto, testNow).session;
    const work = workOf(value);
    const forged = [
      encodeListing(crypto, spot, listing, work, other, testNow),
      encodeListing(crypto, spot, listing, work, { ...author, seed: other.seed }, testNow),
      encodeListing(crypto, spot, { ...listing, invite: authority.issueInvites(testNow).heir }, work, author, testNow),
    ];
    for (const each of forged) expect(openListing(crypto, spot, each, testNow)).toBeUndefined();
    const long = encodeListing(crypto, spot, listing, work, author, testNow);
    expect(openListing(crypto, spot, long, testNow)).toMatchObject({ title: "t".repeat(96), members: 2 ** 32 - 1 });
  });

  it("[DS12] believes no old listing that somebody wrapped anew, as if it were the latest", () => {
    const spot = spots[0]!;
    const secret = crypto.sha256(Uint8Array.of(...new TextEncoder().encode("teahouse hall place 1"), spot.place));
    const opened = openRecord(crypto, secret, listed[0]!.value);
    if (!opened.ok) throw new Error(opened.reason);
    const { payload, sequence } = opened.value;
    const wrap = (number: number) => encodeRecord(crypto, secret, { hour, sequence: number, payload });
    expect(openListing(crypto, spot, wrap(sequence), testNow)).toBeDefined();
    expect(openListing(crypto, spot, wrap(sequence + 1), testNow)).toBeUndefined();
    expect(openListing(crypto, spot, wrap((hour + 1) * 3_600_000), testNow)).toBeUndefined();
  });

  it("[DS13] a record of the hall is told from a room's own, and all its places are asked about", () => {
    const signers = new HallSigners(crypto);
    expect(signers.spotOf(listed[0]!.value, hour)).toEqual(spots[0]);
    const own = encodeRecord(crypto, crypto.randomBytes(32), { hour, sequence: testNow, payload: new Uint8Array(4) });
    expect(signers.spotOf(own, hour)).toBeUndefined();
    const minute = 60_000;
    expect(spotsToAsk(millis(hour * 60 * minute + 5 * minute))).toHaveLength(2 * limits.hallPlaces);
    expect(spotsToAsk(millis(hour * 60 * minute + 30 * minute))).toHaveLength(limits.hallPlaces);
    expect(spotsToAsk(millis(0))).toHaveLength(limits.hallPlaces);
  });

  /** What was paid for the first place: it stands behind the version, inside the seal that everybody opens. */
  function workOf(value: Uint8Array): Uint8Array {
    const secret = crypto.sha256(Uint8Array.of(...new TextEncoder().encode("teahouse hall place 1"), spots[0]!.place));
    const opened = openRecord(crypto, secret, value);
    if (!opened.ok) throw new Error(opened.reason);
    return opened.value.payload.subarray(1, 9);
  }
});
