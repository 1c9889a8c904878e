import { describe, expect, it } from "vitest";
import { millis, type VoiceKey } from "../../../../p2p/api/ids.ts";
import type { Census } from "../../../../p2p/core/overlay/news/papers.ts";
import type { Passed } from "../../../../p2p/core/overlay/media/spread.ts";
import { Hearing } from "../../../../p2p/core/room/hearing/hearing.ts";
import { LossWatch, StrengthChoice } from "../../../../p2p/core/room/hearing/strength.ts";

function census(lossy: number, narrow = 0): Census {
  return { listeners: 1000, relays: 10, lossy, narrow, free: 100, kept: true, room: [] };
}

/** What a voice is made like after each second, of a room that tells `counts` of each. */
function strengths(counts: (second: number) => Census, seconds: number, voices = 1): string[] {
  const choice = new StrengthChoice(millis(1000));
  return Array.from({ length: seconds }, (_, second) => {
    choice.learn(counts(second), voices);
    choice.judge(millis(1000 + second * 1000));
    return choice.strength;
  });
}

describe("what a listener reports", () => {
  it("[OV50] is that it lacks more than one frame in a hundred of 5 s, and that this is over", () => {
    const watch = new LossWatch();
    expect(watch.look(0, 0, 0, millis(0))).toBe(false);
    expect(watch.look(250, 10, 10, millis(3000))).toBe(false);
    expect([watch.look(250, 10, 10, millis(5000)), watch.lossy]).toEqual([true, true]);
    expect([watch.look(500, 20, 20, millis(10_000)), watch.lossy]).toEqual([false, true]);
    expect([watch.look(750, 22, 22, millis(15_000)), watch.lossy]).toEqual([true, false]);
  });

  it("[OV50] stays as it was while nobody speaks: of a few frames no share can be told", () => {
    const watch = new LossWatch();
    watch.look(0, 0, 0, millis(0));
    watch.look(250, 10, 10, millis(5000));
    expect([watch.look(300, 10, 10, millis(10_000)), watch.lossy]).toEqual([false, true]);
    // Both spans together are enough.
    expect([watch.look(360, 10, 10, millis(15_000)), watch.lossy]).toEqual([true, false]);
  });
});

describe("what a listener counts as lost", () => {
  /** Hears a minute of a speaker whose clock is off by so much, of which each `lostEach`th packet never comes. */
  function isLossy(clockOffMs: number, lostEach: number): boolean {
    const hearing = new Hearing();
    for (let sequence = 0; sequence < 1500; sequence += 1) {
      const now = millis(1e12 + sequence * 40);
      const passed = { voice: "aa" as VoiceKey, sequence, layer: "normal", hops: 1 } as Passed;
      if (sequence % lostEach !== lostEach - 1) hearing.heard(passed, millis(now - 60 + clockOffMs), now);
      hearing.settle(now);
    }
    return hearing.losses.lossy;
  }

  it("[OV51] what comes is poor when a tenth of it is late or lacking, and that is said once for each look", () => {
    const watch = new LossWatch();
    watch.look(0, 0, 0, millis(0));
    expect([watch.look(250, 0, 20, millis(5000)), watch.poor]).toEqual([false, false]);
    expect([watch.look(500, 0, 60, millis(10_000)), watch.poor]).toEqual([false, true]);
    expect([watch.look(510, 0, 60, millis(10_040)), watch.poor]).toEqual([false, false]);
  });

  it("[OV50] is what never came, whatever the speaker's clock says of lateness", () => {
    for (const clockOffMs of [0, -1500, 1500]) {
      expect(isLossy(clockOffMs, Infinity)).toBe(false);
      expect(isLossy(clockOffMs, 20)).toBe(true);
    }
  });
});

describe("how a voice is made", () => {
  it("[OV50] carries copies until all was well for 15 s, and again at once when it is not", () => {
    const heard = strengths((second) => census(second < 10 || second === 40 ? 101 : 100), 360);
    expect(heard.slice(0, 24).every((one) => one === "copied")).toBe(true);
    expect(heard.slice(24, 40).every((one) => one === "rich")).toBe(true);
    expect(heard.slice(40, 55).every((one) => one === "copied")).toBe(true);
    // The wider voice may have been what was lost: it is not tried again before 5 minutes.
    expect(heard.slice(55, 340).every((one) => one === "plain")).toBe(true);
    expect(heard.at(-1)).toBe("rich");
  });

  it("[OV50] is not changed by a few, of nine as of a thousand, and is by a tenth or more", () => {
    const ends = (listeners: number, lossy: number, narrow: number): string | undefined =>
      strengths(() => ({ ...census(lossy, narrow), listeners }), 60).at(-1);
    expect([ends(1000, 100, 100), ends(1000, 20, 5), ends(21, 2, 2)]).toEqual(["rich", "rich", "rich"]);
    expect([ends(1000, 101, 0), ends(9, 1, 0), ends(1, 1, 0)]).toEqual(["copied", "copied", "copied"]);
    expect([ends(1000, 0, 101), ends(9, 0, 1)]).toEqual(["plain", "plain"]);
  });

  it("[OV50] takes no more of the network for 5 minutes where somebody was short of room, or where many speak", () => {
    const heard = strengths((second) => census(0, second === 20 ? 101 : 0), 400);
    expect(heard[19]).toBe("rich");
    expect(heard.slice(20, 319).every((one) => one === "plain")).toBe(true);
    expect(heard[320]).toBe("rich");
    expect(strengths(() => census(0), 60, 4).at(-1)).toBe("plain");
  });

  it("[OV50] carries copies while nothing was counted", () => {
    const choice = new StrengthChoice(millis(0));
    choice.learn(undefined, 1);
    expect([choice.judge(millis(60_000)), choice.strength]).toEqual([false, "copied"]);
  });
});
