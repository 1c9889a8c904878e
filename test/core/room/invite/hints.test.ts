import { describe, expect, it } from "vitest";
import type { Role } from "../../../../p2p/api/engine.ts";
import { millis } from "../../../../p2p/api/ids.ts";
import { concat } from "../../../../p2p/core/bytes.ts";
import { recordPayloadBytesMax } from "../../../../p2p/core/discovery/record.ts";
import { Rng } from "../../../../p2p/core/rng.ts";
import { issueCapability, rights } from "../../../../p2p/core/room/rights/capability.ts";
import { encodeHints, openHints } from "../../../../p2p/core/room/invite/hints.ts";
import { createKeyPair, createRoomKeys } from "../../../../p2p/core/room/rights/keys.ts";
import { sampleAddress, seededCrypto, testNow, testSeconds } from "../../fixtures.ts";

const crypto = seededCrypto("hints");
const keys = createRoomKeys(crypto, testNow);
const rng = new Rng("hints");
const tag = keys.carriage.key;
const relays = [sampleAddress(rng), sampleAddress(rng)];
const payload = encodeHints(crypto, tag, keys.session, relays, testNow);

function open(bytes: Uint8Array, now = testNow): ReturnType<typeof openHints> {
  return openHints(crypto, keys.root.key, tag, bytes, now);
}

describe("what a record says", () => {
  it("[RM24] is believed when a session that the root vouches for signed it", () => {
    expect(open(payload)).toEqual({ relays });
    expect(openHints(crypto, rng.bytes(32), tag, payload, testNow)).toBeUndefined();
    expect(openHints(crypto, keys.root.key, rng.bytes(32), payload, testNow)).toBeUndefined();
    const stranger = createRoomKeys(seededCrypto("stranger"), testNow);
    expect(open(encodeHints(crypto, tag, stranger.session, relays, testNow))).toBeUndefined();
    const borrowed = { seed: createKeyPair(crypto).seed, capability: keys.session.capability };
    expect(open(encodeHints(crypto, tag, borrowed, relays, testNow))).toBeUndefined();
  });

  it("[RM24] is not believed of who is vouched for as less than a host or an heir", () => {
    const heir = createKeyPair(crypto);
    const times = { notBefore: testSeconds - 60, expires: testSeconds + 60, sequence: 0 };
    const says = (role: Role): ReturnType<typeof open> => {
      const grant = { grantee: heir.key, role, rights: rights.succeed | rights.grant, ...times };
      const capability = issueCapability(crypto, keys.root.key, keys.root.seed, grant);
      return open(encodeHints(crypto, tag, { seed: heir.seed, capability }, relays, testNow));
    };
    expect(says("heir")).toEqual({ relays });
    expect(says("moderator")).toBeUndefined();
  });

  it("[RM24] ends with its session", () => {
    const end = keys.session.capability.expires * 1000;
    expect(open(payload, millis(end))).toBeDefined();
    expect(open(payload, millis(end + 1000))).toBeUndefined();
  });

  it("[RM24] is not believed with anything changed, cut or added", () => {
    for (let at = 0; at < payload.length; at++) {
      const changed = payload.slice();
      changed[at]! ^= 1;
      expect(open(changed)).toBeUndefined();
      expect(open(payload.subarray(0, at))).toBeUndefined();
    }
    expect(open(concat(payload, Uint8Array.of(0)))).toBeUndefined();
  });

  it("names as many relays as fit, eight at most", () => {
    const many = Array.from({ length: 12 }, () => sampleAddress(rng));
    expect(open(encodeHints(crypto, tag, keys.session, many, testNow))?.relays).toEqual(many.slice(0, 8));
    const long = many.map((relay) => ({ ...relay, addresses: [rng.bytes(280)] }));
    const bytes = encodeHints(crypto, tag, keys.session, long, testNow);
    expect(bytes.length).toBeLessThanOrEqual(recordPayloadBytesMax);
    expect(open(bytes)?.relays).toEqual(long.slice(0, 2));
    expect(open(encodeHints(crypto, tag, keys.session, [], testNow))).toEqual({ relays: [] });
  });
});
