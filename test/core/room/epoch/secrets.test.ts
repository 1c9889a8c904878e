import { describe, expect, it } from "vitest";
import { millis } from "../../../../p2p/api/ids.ts";
import { Rng } from "../../../../p2p/core/rng.ts";
import { SecretRing } from "../../../../p2p/core/room/epoch/secrets.ts";
import { testNow } from "../../fixtures.ts";

const rng = new Rng("secrets");
const later = (ms: number): ReturnType<typeof millis> => millis(testNow + ms);

describe("the secrets of a room", () => {
  it("[RM48] seals by the newest, and opens by those before for a while, which are overwritten then", () => {
    const ring = new SecretRing(1000);
    const [first, second] = [1, 2].map((number) => ({ number, secret: rng.bytes(32) }));
    if (!first || !second) throw new Error("two secrets");
    expect(ring.take(first, testNow)).toBe(true);
    expect(ring.take(first, testNow)).toBe(false);
    expect(ring.take(second, testNow)).toBe(true);
    expect(ring.sealing).toEqual(second);
    const [held] = ring.find(1);
    expect(held).toEqual(first.secret);
    ring.forget(later(999));
    expect(ring.find(1)).toHaveLength(1);
    expect(ring.dueAt).toBe(later(1000));
    ring.forget(later(1000));
    expect(ring.find(1)).toEqual([]);
    expect(held).toEqual(new Uint8Array(32));
    // Whoever gave it still has it.
    expect(first.secret).not.toEqual(new Uint8Array(32));
  });

  it("[RM48] opens by what another side lent, and never seals by it", () => {
    const ring = new SecretRing(1000);
    const own = { number: 3, secret: rng.bytes(32) };
    const lent = { number: 3, secret: rng.bytes(32) };
    ring.take(own, testNow);
    expect([ring.lend(lent, testNow), ring.lend(lent, testNow), ring.lend(own, testNow)]).toEqual([true, false, false]);
    expect(ring.find(3)).toEqual([own.secret, lent.secret]);
    expect(ring.sealing).toEqual(own);
    expect(ring.own).toEqual([own]);
    expect(ring.lent).toEqual([lent.secret]);
  });

  it("[RM48] keeps 32 of the past at most, and nothing once it is wiped", () => {
    const ring = new SecretRing(1000);
    for (let number = 0; number < 60; number++) ring.take({ number, secret: rng.bytes(32) }, testNow);
    expect(ring.own).toHaveLength(33);
    const held = ring.own.map(({ secret }) => secret);
    ring.wipe();
    expect(held.every((secret) => secret.every((byte) => byte === 0))).toBe(true);
    expect([ring.current, ring.own, ring.hasPast]).toEqual([undefined, [], false]);
  });
});
