import { describe, expect, it } from "vitest";
import type { Crypto } from "../../../../p2p/core/crypto.ts";
import { Rng } from "../../../../p2p/core/rng.ts";
import { KeyRegistry, SimCrypto } from "../../../sim/crypto.ts";
import { RoomOfKeys } from "./room-of-keys.ts";

/** Every array of 32 bytes that was drawn, derived or opened: whatever key there was is one of them. */
class Recorder {
  readonly arrays: Uint8Array[] = [];
  readonly crypto: Crypto;

  constructor(inner: Crypto) {
    const note = <Bytes extends Uint8Array | undefined>(bytes: Bytes): Bytes => {
      if (bytes?.length === 32) this.arrays.push(bytes);
      return bytes;
    };
    this.crypto = {
      randomBytes: (length) => note(inner.randomBytes(length)),
      sha256: (data) => inner.sha256(data),
      hkdf: (secret, info, length) => note(inner.hkdf(secret, info, length)),
      publicKey: (seed) => inner.publicKey(seed),
      sign: (seed, message) => inner.sign(seed, message),
      verify: (key, message, signature) => inner.verify(key, message, signature),
      seal: (...of) => inner.seal(...of),
      open: (...of) => note(inner.open(...of)),
      boxKey: (seed) => inner.boxKey(seed),
      sealTo: (...of) => inner.sealTo(...of),
      openSealed: (...of) => inner.openSealed(...of),
    };
  }

  get remains(): number {
    return this.arrays.filter((bytes) => bytes.some((byte) => byte !== 0)).length;
  }
}

/** Root, secret, carriage, session: the host's own, as long as it has the room. */
const roomSeeds = 4;

describe("keys that are of no use any more", () => {
  it("[RM46] are overwritten while the room goes on, whatever joins, kicks and absences there were; and all of them at its end", () => {
    const rng = new Rng("remains");
    const recorder = new Recorder(new SimCrypto(rng.fork("crypto"), new KeyRegistry()));
    const hall = new RoomOfKeys(recorder.crypto, rng, false);
    for (let step = 0; step < 200; step++) {
      const dice = rng.int(8);
      const somebody = hall.pick();
      if (dice < 4) hall.join();
      else if (dice === 4 && somebody) hall.leave(somebody);
      else if (dice === 5 && somebody) hall.kick(somebody);
      else if (somebody) somebody.away = !somebody.away;
      hall.pass(rng.int(6) * 1_000);
    }
    expect(hall.keeper.epoch.number).toBeGreaterThan(20);
    expect(recorder.arrays.length).toBeGreaterThan(2_000);
    const people = hall.people.length;
    const levels = 2 + Math.ceil(Math.log2(people));
    // The identity of each, what they enrol by, their epoch and era, their path; the keeper's box, epoch and era, and its tree.
    const living = roomSeeds + people * (4 + levels) + 3 + people * 2 + levels;
    expect(recorder.remains).toBeLessThanOrEqual(living);
    for (const { holder } of hall.people) holder.wipe();
    hall.keeper.wipe();
    expect(recorder.remains).toBe(roomSeeds + people);
  });
});
