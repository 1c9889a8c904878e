import { vi } from "vitest";

/** A machine that does much else is late with everything: whoever waits for something real has a minute. */
const patienceMs = 60_000;

/** Looks again and again until `check` throws no more; throws what it threw last when patience is over. */
export function eventually<Result>(check: () => Result | Promise<Result>, intervalMs = 50): Promise<Result> {
  return vi.waitFor(check, { timeout: patienceMs, interval: intervalMs });
}
