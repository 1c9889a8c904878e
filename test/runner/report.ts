import { relative } from "node:path";

/** What we read of vitest's JSON report. */
export interface TestReport {
  readonly testResults: readonly {
    readonly name: string;
    readonly status: string;
    readonly message?: string;
    readonly assertionResults: readonly { readonly fullName: string; readonly status: string }[];
  }[];
}

/** How many tests passed, and every one that did not, by name and reason. */
export interface Tally {
  readonly passed: number;
  readonly failures: readonly string[];
}

/**
 * Counts a report. A test that was skipped, or is still to be written, did not pass: nothing is left out in silence. A
 * file that could not be loaded, or failed outside its tests, is one failure of its own. Files are named from `root`.
 */
export function tallyReport(report: TestReport, root: string): Tally {
  let passed = 0;
  const failures: string[] = [];
  for (const { name: file, status, message, assertionResults } of report.testResults) {
    const name = relative(root, file);
    for (const test of assertionResults) {
      if (test.status === "passed") passed += 1;
      else failures.push(`${test.status}: ${name} ${test.fullName}`);
    }
    const explained = assertionResults.some((test) => test.status === "failed");
    if (status !== "passed" && !explained) failures.push(`failed: ${name} ${message ?? ""}`.trim());
    else if (assertionResults.length === 0) failures.push(`empty: ${name} has no tests`);
  }
  return { passed, failures };
}
