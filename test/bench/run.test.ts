import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { figureOf, lineOf } from "./figure.ts";

const program = fileURLToPath(new URL("./run.ts", import.meta.url));
const measured = { id: "T0", what: "this ÷ that", goal: 1.5, sides: { ours: 250, baseline: 200 } } as const;

describe("npm run bench", () => {
  it("says which ids there are when it is asked for another", () => {
    const { status, stdout, stderr } = spawnSync(process.execPath, [program, "X9", "--json"], { encoding: "utf8" });
    expect([status, stdout]).toEqual([2, ""]);
    expect(stderr).toMatch(/^There is no benchmark "X9"; there are: [^\n]*\.\n$/);
  });

  it("prints ratio, goal and both sides", () => {
    const less = figureOf({ ...measured, better: "less" });
    expect(JSON.parse(lineOf(less, true))).toEqual({
      event: "bench",
      ...measured,
      value: 1.25,
      better: "less",
      met: true,
    });
    expect(figureOf({ ...measured, better: "more" }).met).toBe(false);
    // A hair beside the goal is beside it, though both look alike when rounded.
    const hair = figureOf({ ...measured, better: "less", goal: 1.25, sides: { ours: 250.001, baseline: 200 } });
    expect([hair.value, hair.met]).toEqual([1.25, false]);
    expect(lineOf(less, false)).toBe("T0  1.25 (at most 1.5: met)  this ÷ that: ours 250, baseline 200");
  });
});
