import { describe, expect, it } from "vitest";
import { millis } from "../../../../p2p/api/ids.ts";
import { ByteReader, ByteWriter } from "../../../../p2p/core/bytes.ts";
import { type DoorsView, opensRoom, passHolds } from "../../../../p2p/core/room/rights/doors.ts";
import { signCarriage } from "../../../../p2p/core/room/rights/carriage.ts";
import { createKeyPair, createRoomKeys } from "../../../../p2p/core/room/rights/keys.ts";
import {
  type Pass,
  passBytes,
  passMs,
  readPass,
  serialOf,
  serialsOfRoot,
  signPass,
  verifyPass,
  writePass,
} from "../../../../p2p/core/room/rights/pass.ts";
import { banOf } from "../../../../p2p/core/room/rights/ban.ts";
import { seededCrypto, testNow } from "../../fixtures.ts";

const crypto = seededCrypto("passes");
const keys = createRoomKeys(crypto, testNow);
const tag = keys.carriage.key;
const door = createKeyPair(crypto).key;
const serial = crypto.randomBytes(8);
const pass = signPass(crypto, keys.session, tag, door, serial, testNow);

function viewAt(at: number, changes: Partial<DoorsView> = {}): DoorsView {
  const doors = { invites: [], unlisted: false, own: [], shut: [] };
  return { tag, issuedAt: millis(at), doors, locked: true, revoked: [], ...changes };
}

describe("passes", () => {
  it("[RM58] have 177 bytes, round trip, and with any bit changed hold no more", () => {
    const writer = new ByteWriter();
    writePass(writer, pass);
    const bytes = writer.finish();
    expect([bytes.length, passBytes]).toEqual([177, 177]);
    expect(readPass(new ByteReader(bytes))).toEqual(pass);
    expect(verifyPass(crypto, tag, door, pass, testNow)).toBe(true);
    for (let at = 0; at < bytes.length; at++) {
      const changed = bytes.slice();
      changed[at]! ^= 1 << (at % 8);
      expect(verifyPass(crypto, tag, door, readPass(new ByteReader(changed)), testNow)).toBe(false);
    }
  });

  it("[RM58] hold for their door, in their room, and for 48 hours by the time of the view", () => {
    const other = createRoomKeys(crypto, testNow);
    expect(verifyPass(crypto, tag, createKeyPair(crypto).key, pass, testNow)).toBe(false);
    expect(verifyPass(crypto, other.carriage.key, door, pass, testNow)).toBe(false);
    const end = testNow + passMs;
    expect([passHolds(crypto, viewAt(end), door, pass), passHolds(crypto, viewAt(end + 1), door, pass)]).toEqual([
      true,
      false,
    ]);
    // By a view that knows no doors, or of a room where too many invites are open, nobody is asked.
    expect(opensRoom(crypto, viewAt(end + 1, { doors: undefined }), door, undefined)).toBe(true);
    const many = { invites: [], unlisted: true, own: [], shut: [] };
    expect(opensRoom(crypto, viewAt(0, { doors: many, locked: false }), door, undefined)).toBe(true);
    expect(opensRoom(crypto, viewAt(0, { doors: many }), door, undefined)).toBe(false);
    expect(opensRoom(crypto, viewAt(0, { doors: many }), door, pass)).toBe(true);
  });

  it("[RM58] are nobody's word whose own time was over, and not of an heir that is revoked, nor when they are shut", () => {
    const over = { ...keys.session, certificate: { ...keys.session.certificate } };
    const late = millis(keys.session.certificate.expires * 1000 + 1000);
    const lateWord: Pass = signPass(crypto, over, tag, door, serial, late);
    expect(verifyPass(crypto, tag, door, lateWord, testNow)).toBe(false);
    const heir = createKeyPair(crypto);
    const certificate = signCarriage(crypto, keys.carriage.seed, heir.key, pass.certificate.expires, 1);
    const byHeir = signPass(crypto, { ...heir, certificate }, tag, door, serial, testNow);
    expect(passHolds(crypto, viewAt(testNow), door, byHeir)).toBe(true);
    const revoked = [banOf(crypto, heir.key)];
    expect(passHolds(crypto, viewAt(testNow, { revoked }), door, byHeir)).toBe(false);
    // Nobody says that of a host's session.
    expect(passHolds(crypto, viewAt(testNow, { revoked: [banOf(crypto, keys.session.key)] }), door, pass)).toBe(true);
    const shut = { invites: [], unlisted: false, own: [], shut: [serial] };
    expect(passHolds(crypto, viewAt(testNow, { doors: shut }), door, pass)).toBe(false);
    // One that calls itself a host's is not signed so.
    const lie = { ...byHeir, certificate: { ...certificate, rank: 0 } };
    expect(passHolds(crypto, viewAt(testNow), door, lie)).toBe(false);
  });

  it("[RM58] have the serial that any keeper of the room comes to, and that says nothing of whose it is", () => {
    const serials = serialsOfRoot(crypto, keys.root.seed);
    const [one, other] = [crypto.randomBytes(8), crypto.randomBytes(8)];
    expect(serialOf(crypto, serials, one)).toEqual(serialOf(crypto, serialsOfRoot(crypto, keys.root.seed), one));
    expect(serialOf(crypto, serials, one)).not.toEqual(serialOf(crypto, serials, other));
    expect(serialOf(crypto, crypto.randomBytes(32), one)).not.toEqual(serialOf(crypto, serials, one));
  });
});
