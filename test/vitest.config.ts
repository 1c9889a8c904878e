import { defineConfig } from "vitest/config";
import { canMakeNetworks } from "./censor/ability.ts";

const base = {
  environment: "node" as const,
  /** Generous, because the cores are shared: a test that waits does so for an event, never for a time; only what hangs is ended. */
  testTimeout: 180_000,
  hookTimeout: 180_000,
};

/** Whole processes, browsers, and builds that write into the same folder: one file at a time. */
const sequential = [
  "test/censor/box/*.test.ts",
  "test/e2e/**/*.test.ts",
  "test/renderer/browser/**/*.test.ts",
  "test/electron/{built,packaging}.test.ts",
];

/** Makes network namespaces: `npm test` names what it leaves out where it cannot. */
const notHere = canMakeNetworks() ? [] : ["test/censor/box/*.test.ts"];

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
          exclude: notHere,
          fileParallelism: false,
          testTimeout: 400_000,
          hookTimeout: 400_000,
          sequence: { groupOrder: 1 },
        },
      },
    ],
  },
});
