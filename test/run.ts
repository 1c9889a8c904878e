/**
 * `npm test`: every check of the project, in order. The last line is `N passed, N failed`: one for each stage and one
 * for each test. The exit code is 1 when anything failed.
 */
import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { canMakeNetworks } from "./censor/ability.ts";
import { casesNotRun } from "./censor/rules/all.ts";
import { installNeeds } from "./needs.ts";
import { tallyReport, type Tally, type TestReport } from "./runner/report.ts";

const root = fileURLToPath(new URL("..", import.meta.url));
/** A stage that hangs is killed and has failed; everything together is meant to take less than this. */
const stageMsMax = 20 * 60_000;

interface Outcome extends Tally {
  readonly stage: string;
  readonly seconds: number;
}

/** Runs a script of an installed package on this very Node. Throws when it cannot be started or does not end well. */
function runTool(script: string, ...args: string[]): void {
  const ended = spawnSync(process.execPath, [join(root, "node_modules", script), ...args], {
    cwd: root,
    stdio: ["ignore", "inherit", "inherit"],
    timeout: stageMsMax,
    killSignal: "SIGKILL",
  });
  if (ended.error !== undefined) throw ended.error;
  if (ended.signal !== null) throw new Error(`ended by ${ended.signal}`);
  if (ended.status !== 0) throw new Error(`exit code ${ended.status}`);
}

/** Runs vitest and counts its tests. Throws when it failed in a way that its report does not show. */
function runTests(): Tally {
  const folder = mkdtempSync(join(tmpdir(), "teahouse-test-"));
  const reportFile = join(folder, "report.json");
  const reporters = ["--reporter=default", "--reporter=json", `--outputFile.json=${reportFile}`];
  let trouble: unknown;
  try {
    try {
      runTool("vitest/vitest.mjs", "run", "--root", root, "--config", "test/vitest.config.ts", ...reporters);
    } catch (error) {
      trouble = error;
    }
    const tally = tallyReport(JSON.parse(readFileSync(reportFile, "utf8")) as TestReport, root);
    if (trouble === undefined || tally.failures.length > 0) return tally;
    return { ...tally, failures: [`vitest, outside the tests: ${reasonOf(trouble)}`] };
  } catch (error) {
    throw trouble ?? error;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : "unknown";
}

const stages: readonly (readonly [stage: string, run: () => Tally | void])[] = [
  ["format", () => runTool("prettier/bin/prettier.cjs", "--check", "--log-level", "warn", ".")],
  ["lint", () => runTool("oxlint/bin/oxlint", "--type-aware", "--deny-warnings")],
  ["types", () => runTool("typescript/bin/tsc", "-b")],
  ["unused", () => runTool("knip/bin/knip.js", "--no-config-hints")],
  ["needs", installNeeds],
  ["tests", runTests],
];

function runStage(stage: string, run: () => Tally | void): Outcome {
  process.stdout.write(`\n== ${stage}\n`);
  const started = performance.now();
  const seconds = (): number => (performance.now() - started) / 1000;
  try {
    const tally = run() ?? { passed: 0, failures: [] };
    return { stage, passed: tally.passed + 1, failures: tally.failures, seconds: seconds() };
  } catch (error) {
    return { stage, passed: 0, failures: [`${stage}: ${reasonOf(error)}`], seconds: seconds() };
  }
}

const outcomes = stages.map(([stage, run]) => runStage(stage, run));
const failures = outcomes.flatMap((outcome) => outcome.failures);
const passed = outcomes.reduce((sum, outcome) => sum + outcome.passed, 0);

console.log("\n== summary");
for (const { stage, seconds, ...outcome } of outcomes) {
  const result = outcome.failures.length === 0 ? "ok" : `${outcome.failures.length} failed`;
  console.log(`${stage.padEnd(8)} ${result.padEnd(12)} ${seconds.toFixed(1)} s`);
}
const notRun = casesNotRun(canMakeNetworks()).map(({ name }) => name);
console.log(
  `not run here: ${notRun.length} rules of "npm run censor", which needs root and time: ${notRun.join(", ")}`,
);
for (const failure of failures) console.log(`- ${failure.split("\n").join("\n  ")}`);
console.log(`${passed} passed, ${failures.length} failed`);
process.exitCode = failures.length === 0 ? 0 : 1;
