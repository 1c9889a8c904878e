import { describe, expect, it } from "vitest";
import { millis } from "../../../../p2p/api/ids.ts";
import { ClockCheck } from "../../../../p2p/core/room/member/clock-check.ts";
import { testNow } from "../../fixtures.ts";

const hour = 3_600_000;

function corrected(...offsets: readonly number[]): number {
  const check = new ClockCheck();
  for (const offset of offsets) check.learn(testNow + offset, testNow);
  return check.now(testNow) - testNow;
}

describe("the best time we know", () => {
  it("[RM23] is our own until relays say that it differs by more than five minutes", () => {
    expect(corrected()).toBe(0);
    expect(corrected(5 * 60_000)).toBe(0);
    expect(corrected(5 * 60_000 + 1)).toBe(5 * 60_000 + 1);
    expect(corrected(-hour)).toBe(-hour);
  });

  it("[RM23] is the median: one relay of three that lies changes nothing", () => {
    expect(corrected(hour, hour, -1000 * hour)).toBe(hour);
    expect(corrected(1000 * hour, 0, 0)).toBe(0);
    expect(corrected(hour, 2 * hour, 3 * hour, -900 * hour, 900 * hour)).toBe(2 * hour);
  });

  it("[RM23] goes by the last sixteen words", () => {
    const offsets = [...new Array<number>(16).fill(hour), ...new Array<number>(16).fill(0)];
    expect(corrected(...offsets)).toBe(0);
  });

  it("[RM23] goes on with our own clock from there", () => {
    const check = new ClockCheck();
    check.learn(testNow + hour, testNow);
    expect(check.now(millis(testNow + 5))).toBe(testNow + hour + 5);
  });

  it("[RM23] does not count a time that no clock shows", () => {
    const earliest = Date.UTC(2025, 0);
    const latest = Date.UTC(2100, 0);
    expect(corrected(0 - testNow, 2 ** 47)).toBe(0);
    expect(corrected(earliest - 1 - testNow)).toBe(0);
    expect(corrected(earliest - testNow)).toBe(earliest - testNow);
    expect(corrected(latest - testNow)).toBe(latest - testNow);
    expect(corrected(latest + 1 - testNow)).toBe(0);
  });
});
