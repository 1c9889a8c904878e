import { describe, expect, it } from "vitest";
import { limits } from "../../../p2p/api/limits.ts";
import { PathGate, cardTokenBytes, dhtTokenBytes, dhtTokenOf, pathOf } from "../../../p2p/io/libp2p/path-token.ts";
import { crypto } from "./nodes.ts";

const minuteMs = 60_000;
const start = Date.UTC(2026, 10, 21, 12);
const token = crypto.randomBytes(cardTokenBytes);
const nonce = (): Uint8Array => crypto.randomBytes(12);

/** A gate whose clock the test moves. */
const gateAt = (noncesMax?: number) => {
  const clock = { now: start };
  const options = noncesMax === undefined ? {} : { noncesMax };
  const gate = new PathGate([token, dhtTokenOf(token)], () => clock.now, options);
  /** Whether a fresh path, made this many minutes away from the gate's time, opens. */
  const opens = (minutes: number): boolean => gate.admits(pathOf(token, nonce(), clock.now + minutes * minuteMs));
  return { clock, gate, opens };
};

describe("path token", () => {
  it("has one form, and is another path for each nonce, minute and token", () => {
    const fixed = nonce();
    const paths = [
      pathOf(token, fixed, start),
      pathOf(token, nonce(), start),
      pathOf(token, fixed, start + minuteMs),
      pathOf(crypto.randomBytes(16), fixed, start),
      pathOf(dhtTokenOf(token), fixed, start),
    ];
    for (const path of paths) expect(path).toMatch(/^\/[A-Za-z0-9_-]{43}$/);
    expect(new Set(paths.map((path) => path.slice(-20))).size).toBe(5);
    expect(pathOf(token, fixed, start)).toBe(pathOf(token, fixed, start + minuteMs - 1));
    expect(paths.join()).not.toContain(Buffer.from(token).toString("base64url"));
  });

  it("opens once, by the card's token and by the DHT's, and by no other", () => {
    const { gate } = gateAt();
    for (const known of [token, dhtTokenOf(token)]) {
      const path = pathOf(known, nonce(), start);
      expect([gate.admits(path), gate.admits(path)]).toEqual([true, false]);
    }
    expect(gate.admits(pathOf(crypto.randomBytes(16), nonce(), start))).toBe(false);
    expect(dhtTokenOf(token)).toHaveLength(dhtTokenBytes);
    expect(gate.admits(pathOf(dhtTokenOf(dhtTokenOf(token)), nonce(), start))).toBe(false);
  });

  it("opens to nothing that differs from a path in one place", () => {
    const { gate } = gateAt();
    const path = pathOf(token, nonce(), start);
    const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let tried = 0;
    for (let index = 1; index < 43; index++) {
      const place = alphabet.indexOf(path.charAt(index));
      for (const step of [1, 2, 4, 8, 16, 32]) {
        const other = alphabet.charAt(place ^ step);
        expect(gate.admits(path.slice(0, index) + other + path.slice(index + 1))).toBe(false);
        tried++;
      }
    }
    expect(tried).toBe(252);
    const raw = Buffer.from(token).toString("hex");
    for (const wrong of ["", "/", `/${raw}`, path.slice(1), path.slice(0, -1), `${path}A`, `${path}?`, `/${path}`]) {
      expect(gate.admits(wrong)).toBe(false);
    }
    expect(gate.admits(path)).toBe(true);
  });

  it("is no second path when it is spelt differently", () => {
    const { gate } = gateAt();
    const path = pathOf(token, nonce(), start);
    expect(gate.admits(path)).toBe(true);
    // Of the last character's six bits two mean nothing, so four spellings have the same bytes.
    for (const last of "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_") {
      expect(gate.admits(path.slice(0, -1) + last)).toBe(false);
    }
  });

  it("[RM23] opens to people whose clocks are wrong by a day, a time zone and a summer hour, and to nobody later", () => {
    const { clock, gate, opens } = gateAt();
    const tolerance = limits.clockToleranceMs / minuteMs;
    expect([opens(tolerance), opens(-tolerance)]).toEqual([true, true]);
    expect([opens(tolerance + 1), opens(-tolerance - 1)]).toEqual([false, false]);
    // One of the future is remembered until it is over.
    const path = pathOf(token, nonce(), start + tolerance * minuteMs);
    expect(gate.admits(path)).toBe(true);
    clock.now += 2 * tolerance * minuteMs;
    expect(gate.admits(path)).toBe(false);
    clock.now += minuteMs;
    expect(gate.admits(path)).toBe(false);
  });

  it("under pressure opens only to clocks that are right, and still to nothing twice", () => {
    const { clock, gate, opens } = gateAt(40);
    const early = Array.from({ length: 20 }, (_, index) =>
      pathOf(token, nonce(), start + (index - 10) * 60 * minuteMs),
    );
    for (const path of early) expect(gate.admits(path)).toBe(true);
    // Half of the room is left, for those whose clocks are right.
    expect([opens(6), opens(-6), opens(5), opens(-5)]).toEqual([false, false, true, true]);
    for (let index = 0; index < 18; index++) expect(opens(0)).toBe(true);
    // Full: the next makes room by forgetting what only wrong clocks could still use.
    expect([opens(0), opens(5), opens(-5), opens(6), opens(-6)]).toEqual([true, true, true, false, false]);
    // Nothing of it opens again, then or when the minute comes that it was made for.
    for (let hour = 0; hour <= 60; hour++) {
      for (const path of early) expect(gate.admits(path)).toBe(false);
      clock.now += 60 * minuteMs;
    }
    expect(opens(-60)).toBe(true);
  });

  it("keeps a door for right clocks when somebody with an invite spends all he can of other times", () => {
    const { clock, opens } = gateAt(100);
    const ahead = Array.from({ length: 100 }, () => opens(24 * 60));
    expect(ahead.filter(Boolean)).toHaveLength(50);
    for (let minute = 0; minute < 100; minute += 10) {
      expect(Array.from({ length: 10 }, () => opens(0))).not.toContain(false);
      clock.now += 10 * minuteMs;
    }
  });

  it("remembers no more nonces than it has room for, and opens again when time has passed", () => {
    const { clock, opens } = gateAt(10);
    for (let index = 0; index < 10; index++) expect(opens(0)).toBe(true);
    expect([opens(0), opens(0)]).toEqual([false, false]);
    clock.now += 6 * minuteMs;
    expect([opens(0), opens(0)]).toEqual([true, true]);
  });
});
