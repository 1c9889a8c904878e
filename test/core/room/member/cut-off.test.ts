import { describe, expect, it } from "vitest";
import { millis } from "../../../../p2p/api/ids.ts";
import { CutOff } from "../../../../p2p/core/room/member/cut-off.ts";

describe("a member without a parent", () => {
  it("[RM30] is told after three seconds, once, and again the next time", () => {
    const cutOff = new CutOff();
    cutOff.lost(millis(1000));
    expect(cutOff.dueAt).toBe(4000);
    expect(cutOff.isDue(true, millis(3999))).toBe(false);
    expect(cutOff.isDue(true, millis(4000))).toBe(true);
    expect(cutOff.isDue(true, millis(9000))).toBe(false);
    expect(cutOff.dueAt).toBeUndefined();
    expect(cutOff.isDue(false, millis(9001))).toBe(false);
    cutOff.lost(millis(20_000));
    expect(cutOff.isDue(true, millis(23_000))).toBe(true);
  });

  it("[RM30] is not bothered when a standby takes over in time", () => {
    const cutOff = new CutOff();
    cutOff.lost(millis(1000));
    expect(cutOff.isDue(false, millis(1100))).toBe(false);
    expect(cutOff.isDue(true, millis(9000))).toBe(false);
  });
});
