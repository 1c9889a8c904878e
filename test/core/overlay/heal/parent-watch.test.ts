import { describe, expect, it } from "vitest";
import { millis } from "../../../../p2p/api/ids.ts";
import { ParentWatch } from "../../../../p2p/core/overlay/heal/parent-watch.ts";
import { Rng } from "../../../../p2p/core/rng.ts";

/** Looks when it wants to; the time at which it calls the parent silent. */
function silentAt(watch: ParentWatch, until: number): number | undefined {
  const at = watch.silentAt;
  return at <= until && watch.isSilent(at) ? at : undefined;
}

describe("a parent is watched", () => {
  it("[OV40] regular media: two ticks and 10 ms after the last", () => {
    const watch = new ParentWatch(millis(0));
    for (let at = 40; at <= 4000; at += 40) {
      expect(silentAt(watch, at)).toBeUndefined();
      watch.media(true, millis(at));
    }
    expect(silentAt(watch, 10_000)).toBe(4090);
  });

  it("[OV40] media that jitters is given more time, never more than 120 ms", () => {
    const rng = new Rng("jitter");
    const watch = new ParentWatch(millis(0));
    let at = 40;
    let calls = 0;
    for (let tick = 1; tick <= 5000; tick++) {
      at = Math.max(at, tick * 40 + rng.int(60));
      if (silentAt(watch, at) !== undefined) calls++;
      watch.media(true, millis(at));
      expect(watch.silentAt - at).toBeLessThanOrEqual(200);
    }
    expect(calls).toBeLessThan(10);
    expect(watch.silentAt - at).toBeGreaterThan(90);
  });

  it("[OV40] a tick says when the next word comes, and one of them may be lost", () => {
    const watch = new ParentWatch(millis(0));
    watch.media(true, millis(40));
    watch.tick(60, millis(100));
    expect(silentAt(watch, 1000)).toBe(230);
    watch.tick(200, millis(220));
    expect(silentAt(watch, 1000)).toBe(630);
  });

  it("[OV40] who looks late was held up, and looks again before it judges", () => {
    const watch = new ParentWatch(millis(0));
    watch.media(true, millis(40));
    expect(watch.isSilent(millis(129))).toBe(false);
    expect(watch.isSilent(millis(700))).toBe(false);
    expect(silentAt(watch, 10_000)).toBe(730);
    watch.media(true, millis(740));
    expect(watch.isSilent(millis(760))).toBe(false);
  });

  it("[OV40] a parent that is new has a second", () => {
    const watch = new ParentWatch(millis(500));
    expect(silentAt(watch, 10_000)).toBe(1500);
  });

  it("[OV41] knows whether what came was of use", () => {
    const watch = new ParentWatch(millis(0));
    expect(watch.isUseful(millis(0))).toBe(false);
    watch.media(true, millis(100));
    watch.media(false, millis(900));
    expect(watch.isUseful(millis(1000))).toBe(true);
    expect(watch.isUseful(millis(1200))).toBe(false);
  });
});
