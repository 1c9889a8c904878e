import { describe, expect, it } from "vitest";
import { millis } from "../../../../p2p/api/ids.ts";
import { Rng } from "../../../../p2p/core/rng.ts";
import { Ledger, onTimeMsMax } from "../../../../p2p/core/room/hearing/ledger.ts";

const seeds = Array.from({ length: 30 }, (_, index) => `ledger ${index}`);
const start = 1_800_000_000_000;
const voice = "aa";

interface Arrival {
  readonly sequence: number;
  readonly capturedAt: number;
  readonly at: number;
}

/** Packet `sequence`, captured when it should be, after so many ms; undefined: lost. */
function arrival(sequence: number, transitMs: number, skewMs = 0): Arrival {
  const captured = start + 40 * sequence;
  return { sequence, capturedAt: captured + skewMs, at: captured + transitMs };
}

function play(ledger: Ledger, arrivals: readonly Arrival[]): void {
  for (const { sequence, capturedAt, at } of arrivals.toSorted((a, b) => a.at - b.at)) {
    ledger.arrived(voice, sequence, capturedAt, millis(at));
  }
}

function counts(ledger: Ledger, now: number): number[] {
  ledger.settle(millis(now));
  return [ledger.framesExpected, ledger.framesOnTime, ledger.framesConcealed];
}

describe("what a listener was owed", () => {
  it.each(seeds)("[RM25] equals a count by hand, whatever is lost, late or out of order (%s)", (seed) => {
    const rng = new Rng(seed);
    const first = rng.int(1000);
    const packets = Array.from({ length: 200 }, (_, index) => {
      const lost = index > 0 && rng.int(10) === 0;
      const transitMs = rng.int(15) === 0 ? 380 + rng.int(60) : rng.int(300);
      return { lost, arrival: arrival(first + index, index === 0 ? 20 : transitMs) };
    });
    const ledger = new Ledger();
    play(
      ledger,
      packets.filter(({ lost }) => !lost).map((each) => each.arrival),
    );
    // Loss at the very end is nobody's knowledge: what was owed ends with the newest that came.
    const owed = packets.slice(0, packets.findLastIndex(({ lost }) => !lost) + 1);
    const onTime = owed.filter((each) => !each.lost && each.arrival.at - each.arrival.capturedAt <= onTimeMsMax);
    expect(counts(ledger, start + 1e6)).toEqual([
      2 * owed.length,
      2 * onTime.length,
      2 * (owed.length - onTime.length),
    ]);
  });

  it("[RM25] 400 ms after capture is on time and a millisecond more is not", () => {
    const ledger = new Ledger();
    play(ledger, [arrival(0, 10), arrival(1, 400), arrival(2, 401), arrival(3, 10)]);
    expect(counts(ledger, start + 1000)).toEqual([8, 6, 2]);
  });

  it("[RM25] what is missing is given until 400 ms after its capture before it is judged", () => {
    const ledger = new Ledger();
    play(ledger, [arrival(0, 10), arrival(2, 10)]);
    expect(counts(ledger, start + 40 + 400)).toEqual([2, 2, 0]);
    expect(counts(ledger, start + 40 + 401)).toEqual([6, 4, 2]);
    // It comes all the same: too late to count.
    ledger.arrived(voice, 1, start + 40, millis(start + 900));
    expect(counts(ledger, start + 1000)).toEqual([6, 4, 2]);
  });

  it.each([-3_600_000, 86_400_000, -11_000, 11_000])(
    "[RM25] by a speaker's clock that is %i ms off, lateness is reckoned from the first packet's transit",
    (skewMs) => {
      const ledger = new Ledger();
      play(ledger, [arrival(0, 80, skewMs), arrival(1, 80, skewMs), arrival(2, 460, skewMs), arrival(3, 90, skewMs)]);
      // The first counts as 50 ms on the way, so 430 is the most: 460 is late.
      expect(counts(ledger, start + 2000)).toEqual([8, 6, 2]);
      expect(ledger.percentiles()?.p50).toBeLessThan(100);
    },
  );

  it("[RM25] a clock that is off by less than ten seconds is believed: late is late", () => {
    const ledger = new Ledger();
    play(ledger, [arrival(0, 80, -9000), arrival(1, 80, -9000)]);
    expect(counts(ledger, start + 2000)).toEqual([4, 0, 4]);
  });

  it("[RM25] is owed from its first packet on: what was before is not missed", () => {
    const ledger = new Ledger();
    play(ledger, [arrival(1000, 10), arrival(1001, 10)]);
    ledger.arrived(voice, 990, start + 990 * 40, millis(start + 1001 * 40));
    expect(counts(ledger, start + 1e6)).toEqual([4, 4, 0]);
  });

  it("[RM25] a pause of more than ten minutes is a closed microphone, not loss", () => {
    const ledger = new Ledger();
    play(ledger, [arrival(0, 10), arrival(15_002, 10)]);
    expect(counts(ledger, start + 1e6)[0]).toBeLessThanOrEqual(4);
    const shorter = new Ledger();
    play(shorter, [arrival(0, 10), arrival(15_000, 10)]);
    expect(counts(shorter, start + 1e6)).toEqual([30_002, 4, 29_998]);
  });

  it("[RM25] voices are counted apart", () => {
    const ledger = new Ledger();
    for (const [name, sequence] of [
      ["a", 5],
      ["b", 900],
      ["a", 6],
      ["b", 901],
    ] as const) {
      ledger.arrived(name, sequence, start, millis(start + 10));
    }
    expect(counts(ledger, start + 1000)).toEqual([8, 8, 0]);
  });

  it("tells the longest gap that touched the interval, and the outages when they are over", () => {
    const ledger = new Ledger();
    play(ledger, [arrival(0, 10), arrival(1, 10), arrival(5, 10), arrival(6, 10)]);
    ledger.settle(millis(start + 1000));
    expect(ledger.outagesMs).toEqual([120]);
    expect(ledger.interval).toEqual({ worstGapMs: 120, latencyMs: 10 });
    expect(ledger.interval).toEqual({ worstGapMs: 120, latencyMs: 10 });
    ledger.startInterval();
    expect(ledger.interval).toEqual({ worstGapMs: 0, latencyMs: null });
    // A gap that still runs touches the next interval too.
    ledger.arrived(voice, 9, start + 360, millis(start + 2000));
    ledger.settle(millis(start + 2000));
    expect(ledger.interval.worstGapMs).toBe(120);
    ledger.startInterval();
    expect(ledger.interval.worstGapMs).toBe(120);
    expect(ledger.outagesMs).toEqual([120]);
  });

  it("gives percentiles of what arrived", () => {
    const ledger = new Ledger();
    expect(ledger.percentiles()).toBeNull();
    for (let index = 0; index <= 100; index++) {
      const { capturedAt, at } = arrival(index, index);
      ledger.arrived(voice, index, capturedAt, millis(at));
    }
    expect(ledger.percentiles()).toEqual({ p50: 50, p95: 95, p99: 99 });
  });
});
