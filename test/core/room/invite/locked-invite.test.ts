import { describe, expect, it } from "vitest";
import { Rng } from "../../../../p2p/core/rng.ts";
import { createRoomKeys } from "../../../../p2p/core/room/rights/keys.ts";
import { encodeInvite, parseInvite } from "../../../../p2p/core/room/invite/invite.ts";
import { drawSalt, lockInvite, saltOf, unlockInvite } from "../../../../p2p/core/room/invite/locked-invite.ts";
import { stretchPassphrase } from "../../../../p2p/io/passphrase.ts";
import { toHex } from "../../../../p2p/core/bytes.ts";
import { sampleAddress, sampleInvite, seededCrypto, testNow } from "../../fixtures.ts";

const crypto = seededCrypto("locked");
const rng = new Rng("locked");
const keys = createRoomKeys(crypto, testNow);
const text = encodeInvite(
  crypto,
  sampleInvite(
    crypto,
    keys,
    [1, 2, 3].map(() => sampleAddress(rng)),
  ),
);

describe("an invite with a passphrase", () => {
  it("[RM51] opens with its key alone, stays within 600 characters, and says nothing without it", () => {
    const [key, salt] = [rng.bytes(32), drawSalt(crypto)];
    const locked = lockInvite(crypto, key, salt, text);
    expect(locked.length).toBeLessThanOrEqual(600);
    expect(saltOf(`come in: ${locked} (tonight)`)).toEqual(salt);
    expect(unlockInvite(crypto, key, `come in: ${locked} (tonight)`)).toBe(text);
    expect(unlockInvite(crypto, rng.bytes(32), locked)).toBeUndefined();
    expect(parseInvite(crypto, locked).ok).toBe(false);
    expect(saltOf(text)).toBeUndefined();
    for (const broken of [
      "",
      "thi1-",
      "thi1-Ag",
      locked.slice(0, 40),
      locked.slice(0, -3),
      `${locked.slice(0, 90)}A${locked.slice(91)}`,
    ]) {
      expect(unlockInvite(crypto, key, broken) === text && broken !== locked).toBe(false);
    }
  });

  it("[RM51] the key is Argon2id with 19 MiB and two passes, whatever form the letters had", async () => {
    const salt = new Uint8Array(16).fill(7);
    const key = await stretchPassphrase("caf\u00e9", salt);
    expect(toHex(await stretchPassphrase("cafe\u0301", salt))).toBe(toHex(key));
    expect(key).toHaveLength(32);
  });
});
