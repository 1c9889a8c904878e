import { describe, expect, it } from "vitest";
import { limits } from "../../../../p2p/api/limits.ts";
import { RecentVoices } from "../../../../p2p/core/room/hearing/recent.ts";

describe("what is remembered of voices", () => {
  it("[RM25] is of twice as many as a stage holds, those heard last, however long the room lasts", () => {
    const recent = new RecentVoices<{ heard: number }>();
    for (let number = 0; number < 10_000; number += 1) {
      recent.of(`voice ${number}`, () => ({ heard: 0 })).heard += 1;
      recent.of("host", () => ({ heard: 0 })).heard += 1;
    }
    expect([...recent.all]).toHaveLength(2 * limits.voicesMax);
    expect(recent.peek("host")?.heard).toBe(10_000);
    expect(recent.peek("voice 0")).toBeUndefined();
    expect(recent.peek("voice 9999")?.heard).toBe(1);
  });
});
