import { describe, expect, it } from "vitest";
import { AssertionError } from "../../p2p/core/assert.ts";
import { toHex } from "../../p2p/core/bytes.ts";
import { Rng } from "../../p2p/core/rng.ts";

describe("Rng", () => {
  it("gives the same numbers for the same seed, on every machine", () => {
    expect(toHex(new Rng("teahouse").bytes(16))).toBe("509be455b58a4abff7e3d19864314dfc");
    expect(new Rng(7).u32()).toBe(new Rng("7").u32());
    expect(new Rng(7).u32()).not.toBe(new Rng(8).u32());
  });

  it("forks by name, whatever was drawn before", () => {
    const used = new Rng("seed");
    used.bytes(100);
    expect(used.fork("peer 1").u32()).toBe(new Rng("seed").fork("peer 1").u32());
    expect(used.fork("peer 1").u32()).not.toBe(used.fork("peer 2").u32());
  });

  it("spreads evenly: each of 16 values within five standard deviations", () => {
    const rng = new Rng("even");
    const counts = new Array<number>(16).fill(0);
    const draws = 64_000;
    for (let draw = 0; draw < draws; draw++) {
      const value = rng.int(16);
      counts[value] = (counts[value] ?? 0) + 1;
    }
    const deviation = Math.sqrt((draws / 16) * (15 / 16));
    for (const count of counts) expect(Math.abs(count - draws / 16)).toBeLessThan(5 * deviation);
  });

  it("draws from [0, 1), and integers below their limit only", () => {
    const rng = new Rng("range");
    for (let draw = 0; draw < 10_000; draw++) {
      const value = rng.next();
      expect(value >= 0 && value < 1).toBe(true);
      expect(rng.int(3)).toBeLessThan(3);
    }
    expect(rng.int(1)).toBe(0);
    expect(() => rng.int(0)).toThrow(AssertionError);
  });
});
