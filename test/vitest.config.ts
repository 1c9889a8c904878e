import { defineConfig } from "vitest/config";

const base = {
  environment: "node" as const,
  /** Generous, because the cores are shared: a test that waits does so for an event, never for a time. */
  testTimeout: 60_000,
  hookTimeout: 60_000,
};

/** Whole processes, browsers, and builds that write into the same folder: one file at a time. */
const sequential = [
  "test/censor/box/*.test.ts",
  "test/e2e/**/*.test.ts",
  "test/renderer/browser/**/*.test.ts",
  "test/electron/{built,packaging}.test.ts",
];

/** Makes network namespaces: only root may. `npm test` names what it leaves out. */
const onlyAsRoot = process.getuid?.() === 0 ? [] : ["test/censor/box/*.test.ts"];

export default defineConfig({
  test: {
    maxWorkers: 2,
    allowOnly: false,
    passWithNoTests: false,
    projects: [
      {
        test: {
          ...base,
          name: "unit",
          include: ["test/**/*.test.{ts,tsx}"],
          exclude: sequential,
          sequence: { groupOrder: 0 },
        },
      },
      {
        // Whole processes and browsers, one file at a time and after everything else: their loads would disturb each other.
        test: {
          ...base,
          name: "e2e",
          include: sequential,
          exclude: onlyAsRoot,
          fileParallelism: false,
          testTimeout: 180_000,
          sequence: { groupOrder: 1 },
        },
      },
    ],
  },
});
