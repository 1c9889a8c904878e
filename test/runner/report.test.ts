import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, join, resolve } from "node:path";
import { expect, it } from "vitest";
import { explainNeeds, missingNeeds, type Need } from "../needs.ts";
import { tallyReport } from "./report.ts";

const test = (fullName: string, status: string): { fullName: string; status: string } => ({ fullName, status });

it("tests that passed are counted, and everything else is named", () => {
  const report = {
    testResults: [
      { name: resolve("a"), status: "passed", assertionResults: [test("one", "passed"), test("two", "skipped")] },
      { name: resolve("b"), status: "failed", assertionResults: [test("three", "failed"), test("four", "passed")] },
      { name: resolve("c"), status: "passed", assertionResults: [test("five", "todo"), test("six", "pending")] },
    ],
  };
  expect(tallyReport(report, resolve("."))).toEqual({
    passed: 2,
    failures: ["skipped: a two", "failed: b three", "todo: c five", "pending: c six"],
  });
});

it("a file that fails outside its tests, or holds none, is a failure", () => {
  const report = {
    testResults: [
      { name: resolve("a"), status: "failed", message: "does not load", assertionResults: [] },
      { name: resolve("b"), status: "failed", message: "afterAll threw", assertionResults: [test("one", "passed")] },
      { name: resolve("c"), status: "passed", assertionResults: [] },
    ],
  };
  expect(tallyReport(report, resolve("."))).toEqual({
    passed: 1,
    failures: ["failed: a does not load", "failed: b afterAll threw", "empty: c has no tests"],
  });
});

it("programs that are not on the path are missing, and explained with their package", () => {
  const folder = mkdtempSync(join(tmpdir(), "teahouse-needs-"));
  try {
    writeFileSync(join(folder, "present"), "#!/bin/sh\n", { mode: 0o755 });
    const need = (command: string): Need => ({ command, debian: `${command}-package`, why: "is wanted" });
    const missing = missingNeeds([need("present"), need("absent")], [folder, join(folder, "nowhere")].join(delimiter));
    expect(missing.map(({ command }) => command)).toEqual(["absent"]);
    const font: Need = { command: "present", fontFor: "zh", debian: "some-fonts", why: "draws it" };
    expect(missingNeeds([font], folder)).toEqual([font]);
    expect(explainNeeds([font])).toBe("A font is missing: one that draws it.\nOn Debian: apt-get install some-fonts");
    expect(explainNeeds(missing)).toBe("absent is missing: it is wanted.\nOn Debian: apt-get install absent-package");
  } finally {
    rmSync(folder, { recursive: true });
  }
});
