import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";

const programs = {
  sim: "../sim/run.ts",
  bench: "../bench/run.ts",
  fuzz: "../fuzz/run.ts",
  soak: "../soak/soak.ts",
  demo: "../demo/demo.ts",
} as const;

function run(program: string, word: string): { status: number | null; stdout: string; stderr: string } {
  const file = fileURLToPath(new URL(program, import.meta.url));
  return spawnSync(process.execPath, [file, word], { encoding: "utf8" });
}

describe.each(Object.entries(programs))("npm run %s", (name, program) => {
  it("says how it is used", () => {
    const { status, stdout, stderr } = run(program, "--help");
    expect([status, stderr]).toEqual([0, ""]);
    expect(stdout.startsWith(`npm run ${name} -- [`)).toBe(true);
  });

  it("answers a word that it does not know with one sentence", () => {
    const { status, stdout, stderr } = run(program, "--nonsense");
    expect([status, stdout]).toEqual([2, ""]);
    expect(stderr).toMatch(/^[^\n]*--nonsense[^\n]*\n$/);
  });
});
