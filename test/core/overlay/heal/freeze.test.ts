import { describe, expect, it } from "vitest";
import { millis } from "../../../../p2p/api/ids.ts";
import { FreezeWatch } from "../../../../p2p/core/overlay/heal/freeze.ts";
import { peerName } from "../edges.ts";

const [first, second, third] = [peerName(1), peerName(2), peerName(3)];
/** Bytes of our own in about 50 messages, which the wire makes 16 KB of. */
const frozen = { bytes: 9000, messages: 50 };
const healthy = { bytes: 60_000, messages: 300 };

describe("streams that freeze", () => {
  it("[SS12] one is a suspicion and two in a row a verdict; a stream that carries more clears the relay", () => {
    const watch = new FreezeWatch();
    watch.silent(first, frozen, true);
    expect([watch.froze(first), watch.isFrozen(first), watch.froze(second)]).toEqual([true, false, false]);
    watch.silent(first, frozen, true);
    expect(watch.isFrozen(first)).toBe(true);
    watch.alive(first, frozen);
    expect(watch.isFrozen(first)).toBe(true);
    watch.alive(first, healthy);
    expect([watch.froze(first), watch.suspects]).toEqual([false, false]);
  });

  it("[SS12] who falls silent before the network could have frozen it, or long after, is just gone", () => {
    const watch = new FreezeWatch();
    for (const received of [{ bytes: 200, messages: 10 }, healthy]) {
      watch.silent(first, received, true);
      expect(watch.froze(first)).toBe(false);
    }
  });

  it("[OV16] media is given up when every living relay froze, twice in a row at least, and not for less", () => {
    const watch = new FreezeWatch();
    watch.silent(first, frozen, true);
    expect(watch.judge([first], millis(0))).toBe(false);
    watch.silent(second, frozen, true);
    expect(watch.judge([first, second, third], millis(0))).toBe(false);
    expect(watch.judge([first, second], millis(0))).toBe(true);
    expect(watch.muted).toBe(true);
    expect(watch.judge([first, second], millis(0))).toBe(false);
    const beside = new FreezeWatch();
    for (let count = 0; count < 10; count++) beside.silent(first, frozen, false);
    expect(beside.judge([first], millis(0))).toBe(false);
    const many = new FreezeWatch();
    for (let count = 0; count < 6; count++) many.silent(peerName(count), frozen, true);
    expect(many.judge([third, peerName(77)], millis(0))).toBe(true);
  });

  it("[OV16] it is asked for again after 3 minutes, doubling to 12, and one more freeze is then enough", () => {
    const watch = new FreezeWatch();
    watch.silent(first, frozen, true);
    let now = 0;
    for (const minutes of [3, 6, 12, 12]) {
      watch.silent(first, frozen, true);
      expect(watch.judge([first], millis(now))).toBe(true);
      const until = watch.deadline()?.at ?? 0;
      expect(until - now).toBe(minutes * 60_000);
      expect([watch.isDue(millis(until - 1)), watch.isDue(millis(until))]).toEqual([false, true]);
      watch.tryAgain();
      expect([watch.muted, watch.deadline()]).toEqual([false, undefined]);
      now = until;
    }
    watch.forget();
    watch.silent(first, frozen, true);
    expect(watch.judge([first], millis(now))).toBe(false);
  });
});
