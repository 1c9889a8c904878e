import { describe, expect, it } from "vitest";
import { limits } from "../../../../p2p/api/limits.ts";
import { ByteWriter, concat, equal, toHex } from "../../../../p2p/core/bytes.ts";
import { verifyChain } from "../../../../p2p/core/room/rights/capability.ts";
import { signCarriage, verifyCarriage } from "../../../../p2p/core/room/rights/carriage.ts";
import {
  createHostSession,
  createKeyPair,
  createRoomKeys,
  epochSecret,
} from "../../../../p2p/core/room/rights/keys.ts";
import { encodeUtf8 } from "../../../../p2p/core/utf8.ts";
import { sampleView, seededCrypto, testNow, testSeconds } from "../../fixtures.ts";

const crypto = seededCrypto("keys");
const keys = createRoomKeys(crypto, testNow);

describe("createRoomKeys", () => {
  it("[RM1] draws root, secret, carriage and session each by itself", () => {
    const drawn: Uint8Array[] = [];
    const watched = {
      ...crypto,
      randomBytes: (length: number) => {
        const bytes = crypto.randomBytes(length);
        drawn.push(bytes);
        return bytes;
      },
    };
    const { root, secret, carriage, session } = createRoomKeys(watched, testNow);
    expect(drawn.map((bytes) => bytes.length)).toEqual([32, 32, 32, 32]);
    expect(new Set([root.seed, secret, carriage.seed, session.seed])).toEqual(new Set(drawn));
    for (const pair of [root, carriage, session]) expect(crypto.publicKey(pair.seed)).toEqual(pair.key);
  });

  it("[RM2] the root vouches for the session as host, for a day, and for clocks that are behind", () => {
    const { root, session } = keys;
    const authority = verifyChain(crypto, root.key, [session.capability], testNow);
    const expires = testSeconds + limits.hostSessionMsMax / 1000;
    expect(authority).toMatchObject({ ok: true, value: { role: "host", grantee: session.key, expires } });
    expect(session.certificate.expires).toBe(expires);
    expect(session.capability.notBefore).toBe(testSeconds - limits.clockToleranceMs / 1000);
  });

  it("[RM2] a second session of the same room has a key of its own under the same root and tag", () => {
    const next = createHostSession(crypto, keys.root, keys.carriage, testNow);
    expect(equal(next.key, keys.session.key)).toBe(false);
    expect(verifyChain(crypto, keys.root.key, [next.capability], testNow).ok).toBe(true);
    expect(verifyCarriage(crypto, keys.carriage.key, next.certificate)).toBe(true);
  });

  it("[RM3] the carriage key certifies one session key until one second, and no other", () => {
    const certificate = signCarriage(crypto, keys.carriage.seed, keys.session.key, testSeconds, 0);
    const tag = keys.carriage.key;
    expect(verifyCarriage(crypto, tag, certificate)).toBe(true);
    expect(verifyCarriage(crypto, tag, { ...certificate, expires: testSeconds + 1 })).toBe(false);
    expect(verifyCarriage(crypto, tag, { ...certificate, rank: 1 })).toBe(false);
    expect(verifyCarriage(crypto, tag, { ...certificate, key: createKeyPair(crypto).key })).toBe(false);
    expect(verifyCarriage(crypto, keys.root.key, certificate)).toBe(false);
    const message = concat(
      encodeUtf8("teahouse carriage 2"),
      keys.session.key,
      new ByteWriter().u32(testSeconds).u8(0).finish(),
    );
    expect(crypto.verify(tag, message, certificate.signature)).toBe(true);
  });

  it("[RM3] nothing that a relay is told holds the room key, the secret or a hash of either", () => {
    const view = toHex(sampleView(crypto, keys).encoded);
    for (const hidden of [keys.root.key, keys.secret, crypto.sha256(keys.root.key), crypto.sha256(keys.secret)]) {
      expect(view).not.toContain(toHex(hidden));
    }
    expect(view).toContain(toHex(keys.carriage.key));
  });

  it("[RM5] every epoch and room has an epoch secret of its own, the same for everybody in it", () => {
    const secrets = new Set<string>();
    for (let epoch = 0; epoch < 300; epoch++) {
      secrets.add(toHex(epochSecret(crypto, keys.secret, keys.carriage.key, epoch)));
    }
    secrets.add(toHex(epochSecret(crypto, keys.secret, keys.root.key, 0)));
    secrets.add(toHex(epochSecret(crypto, keys.root.key, keys.carriage.key, 0)));
    expect(secrets.size).toBe(302);
    const info = concat(encodeUtf8("teahouse epoch 1"), keys.carriage.key, Uint8Array.of(0, 0, 0, 0, 1, 5));
    expect(epochSecret(crypto, keys.secret, keys.carriage.key, 261)).toEqual(crypto.hkdf(keys.secret, info, 32));
  });
});
