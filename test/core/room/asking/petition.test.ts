import { describe, expect, it } from "vitest";
import { millis } from "../../../../p2p/api/ids.ts";
import { limits } from "../../../../p2p/api/limits.ts";
import { concat, equal } from "../../../../p2p/core/bytes.ts";
import { petitionBytesMax } from "../../../../p2p/core/overlay/news/papers.ts";
import { Rng } from "../../../../p2p/core/rng.ts";
import { createKeyPair } from "../../../../p2p/core/room/rights/keys.ts";
import { openPetition, type Petition, sealPetition } from "../../../../p2p/core/room/asking/petition.ts";
import { rights } from "../../../../p2p/core/room/rights/capability.ts";
import { sampleChain, samplePetition, sampleRoom, testNow, testSeconds, knowing } from "../../fixtures.ts";

const room = sampleRoom("petition");
const { crypto, keys, secret } = room;
const { chain, seed } = sampleChain(crypto, keys);
const rng = new Rng("petition");
const roomKey = keys.root.key;
const petition: Petition = samplePetition(chain);

function seal(changes: Partial<Petition> = {}, by = seed): Uint8Array {
  return sealPetition(crypto, { number: 1, secret }, roomKey, by, { ...petition, ...changes });
}

function open(bytes: Uint8Array, now = testNow): ReturnType<typeof openPetition> {
  return openPetition(crypto, knowing(secret), roomKey, bytes, now);
}

describe("petitions", () => {
  it("[RM22] open for the host, with who signed", () => {
    const opened = open(seal());
    expect(opened).toMatchObject(petition);
    expect(equal(opened?.identityKey ?? rng.bytes(32), crypto.publicKey(seed))).toBe(true);
    expect(open(seal({ wish: "leave-stage", name: "" }))).toMatchObject({ wish: "leave-stage", name: "" });
  });

  it("[RM22] show a relay nothing: neither who asks nor for what, and never the same bytes", () => {
    const [one, two] = [seal(), seal()];
    expect(equal(one, two)).toBe(false);
    const text = (bytes: Uint8Array): string => Buffer.from(bytes).toString("latin1");
    for (const part of [petition.id, petition.voiceKey, crypto.publicKey(seed), roomKey, Buffer.from(petition.name)]) {
      expect(text(one)).not.toContain(text(part));
    }
    expect(seal({ wish: "speak" }).length).toBe(seal({ wish: "leave-stage" }).length);
    expect(openPetition(crypto, knowing(rng.bytes(32)), roomKey, one, testNow)).toBeUndefined();
    expect(openPetition(crypto, knowing(secret), rng.bytes(32), one, testNow)).toBeUndefined();
  });

  it("[RM22] are signed by the identity that the chain ends in: nobody asks for another", () => {
    expect(open(seal({}, createKeyPair(crypto).seed))).toBeUndefined();
    expect(open(seal({ chain: chain.slice(0, 2) }))).toBeUndefined();
    expect(open(seal({ chain: [] }))).toBeUndefined();
    expect(open(seal({ chain: chain.slice(1) }))).toBeUndefined();
  });

  it("[RM22] say when the invite's time is over, and hold not before it begins", () => {
    const asked = (seconds: number) => {
      const at = millis((testSeconds + seconds) * 1000);
      return open(seal({ at }), at);
    };
    expect(asked(3600)?.isOver).toBe(false);
    expect(asked(3601)?.isOver).toBe(true);
    expect(asked(-1)).toBeUndefined();
  });

  it("[RM22] are of now, as far as clocks can tell: a recording of one is refused after that, and one from beyond it too", () => {
    const tolerance = limits.clockToleranceMs;
    const heard = (ms: number) => open(seal({ at: millis(testNow + ms) }), testNow);
    expect([-tolerance, 0, tolerance].map((ms) => heard(ms) !== undefined)).toEqual([true, true, true]);
    expect([-tolerance - 1, tolerance + 1].map(heard)).toEqual([undefined, undefined]);
  });

  it("[RM22] are refused with anything changed, cut or added", () => {
    const bytes = seal();
    for (let at = 0; at < bytes.length; at++) {
      const changed = bytes.slice();
      changed[at]! ^= 1;
      expect(open(changed)).toBeUndefined();
      expect(open(bytes.subarray(0, at))).toBeUndefined();
    }
    expect(open(concat(bytes, Uint8Array.of(0)))).toBeUndefined();
  });

  it("the longest fits what neighbours take; a longer name is not read", () => {
    expect(seal({ name: "n".repeat(96) }).length).toBeLessThanOrEqual(petitionBytesMax);
    expect(open(seal({ name: "n".repeat(96) }))).toBeDefined();
    expect(open(seal({ name: "n".repeat(97) }))).toBeUndefined();
  });

  it("say whether the invite lets its bearer speak whatever the room says", () => {
    expect(open(seal())?.rights).toBe(rights.speak);
    const quiet = sampleChain(crypto, keys, 0);
    expect(
      open(sealPetition(crypto, { number: 1, secret }, roomKey, quiet.seed, { ...petition, chain: quiet.chain })),
    ).toMatchObject({
      rights: 0,
    });
  });
});
