import { describe, expect, it } from "vitest";
import { Redundancy } from "../../../p2p/core/jitter/redundancy.ts";

type Report = readonly [expected: number, lost: number];

function after(...reports: readonly Report[]): number {
  const redundancy = new Redundancy();
  for (const [expected, lost] of reports) redundancy.report(expected, lost);
  return redundancy.percent;
}

const times = (count: number, report: Report): Report[] => Array.from({ length: count }, () => report);

describe("redundancy", () => {
  it("[JB14] there are copies until reports said for a while that nothing is lost", () => {
    expect(after()).toBe(10);
    expect(after(...times(10, [100, 0]))).toBe(10);
    expect(after(...times(60, [100, 0]))).toBe(0);
  });

  it("[JB14] one bad report brings them back, and no single good one takes them away", () => {
    expect(after(...times(60, [100, 0]), [100, 5])).toBe(10);
    expect(after(...times(60, [100, 0]), [100, 5], [100, 0])).toBe(10);
  });

  it("[JB14] does not swing at a bound", () => {
    const redundancy = new Redundancy();
    const seen: number[] = [];
    for (let report = 0; report < 200; report += 1) {
      redundancy.report(1000, report % 2 === 0 ? 4 : 9);
      seen.push(redundancy.percent);
    }
    const changes = seen.filter((percent, index) => index > 0 && percent !== seen[index - 1]);
    expect(changes.length).toBeLessThanOrEqual(1);
  });

  it("[JB14] learns nothing from few packets or from numbers that cannot be", () => {
    const good = times(60, [100, 0]);
    expect(after(...good, [10, 10], [0, 0], [Number.NaN, 5], [100, Number.NaN], [100, -5])).toBe(0);
    expect(after(...good, [100, 1e9])).toBe(10);
  });
});
