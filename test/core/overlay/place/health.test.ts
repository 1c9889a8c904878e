import { describe, expect, it } from "vitest";
import { millis } from "../../../../p2p/api/ids.ts";
import { RelayHealth } from "../../../../p2p/core/overlay/place/health.ts";
import { peerName } from "../edges.ts";

const relay = peerName(1);

describe("who does not answer", () => {
  it("[OV3] a dial that was never tried, because it came too soon, says nothing of the relay's rank", () => {
    const health = new RelayHealth(() => 0);
    health.postponed(relay, 5000, millis(0));
    expect(health.deadUntil(relay)).toBe(5000);
    expect(health.isAbsent(relay, millis(100))).toBe(false);
    for (let again = 0; again < 10; again++) health.postponed(relay, 1000, millis(again));
    expect(health.deadUntil(relay)).toBe(5000);
    expect(health.isGivenUp(relay)).toBe(false);
    health.failed(relay, millis(6000));
    expect(health.deadUntil(relay)).toBe(7500);
    expect(health.isAbsent(relay, millis(6000))).toBe(true);
  });

  it("[OV3] a failure is forgotten after two minutes without another, and the waits begin anew", () => {
    const health = new RelayHealth(() => 0);
    health.failed(relay, millis(0));
    health.failed(relay, millis(60_000));
    expect(health.isAbsent(relay, millis(179_999))).toBe(true);
    expect(health.isAbsent(relay, millis(180_000))).toBe(false);
    health.handleTimeout(millis(180_000));
    health.failed(relay, millis(180_000));
    expect(health.deadUntil(relay)).toBe(181_500);
  });

  it("[OV3] who lost its links, or does not know the room yet, has no rank for a moment", () => {
    const health = new RelayHealth(() => 0);
    health.suspect(relay, millis(0));
    expect(health.isAbsent(relay, millis(999))).toBe(true);
    expect(health.isAbsent(relay, millis(1000))).toBe(false);
    health.refused(relay, false, millis(2000));
    expect(health.isAbsent(relay, millis(3499))).toBe(true);
    expect(health.isAbsent(relay, millis(3500))).toBe(false);
  });
});
