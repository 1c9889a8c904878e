import { describe, expect, it } from "vitest";
import { millis } from "../../../../p2p/api/ids.ts";
import { Grudges } from "../../../../p2p/core/overlay/place/grudges.ts";
import { peerName } from "../edges.ts";

const peer = peerName(1);

describe("grudges", () => {
  it("[OV14] forgive twenty faults at once and two a second, then shun for a minute", () => {
    const grudges = new Grudges();
    for (let count = 0; count < 20; count++) expect(grudges.charge(peer, millis(1000))).toBe(false);
    expect(grudges.isShunned(peer, millis(1000))).toBe(false);
    expect(grudges.charge(peer, millis(1000))).toBe(true);
    expect(grudges.isShunned(peer, millis(60_999))).toBe(true);
    expect(grudges.isShunned(peer, millis(61_000))).toBe(false);
    expect(grudges.isShunned(peerName(2), millis(1000))).toBe(false);
  });

  it("[OV14] never cut off who wastes two checks a second", () => {
    const grudges = new Grudges();
    for (let count = 0; count < 1000; count++) expect(grudges.charge(peer, millis(count * 500))).toBe(false);
  });

  it("[OV14] remember a bounded number of neighbours", () => {
    const grudges = new Grudges();
    for (let count = 0; count < 21; count++) grudges.charge(peer, millis(0));
    for (let number = 2; number < 400; number++) grudges.charge(peerName(number), millis(1));
    expect(grudges.isShunned(peer, millis(2))).toBe(false);
  });
});
