import { spawn } from "node:child_process";
import { availableParallelism } from "node:os";
import { fileURLToPath } from "node:url";

const program = fileURLToPath(new URL("../../sim/run.ts", import.meta.url));
/** Simulations at once: as many as the machine of GOALS.md has cores; each is one thread. */
const atOnce = Math.max(1, Math.min(2, availableParallelism()));
/** A run with many members keeps a good part of what it heard. */
const heapMb = 6000;

interface Sides {
  readonly ours: number | null;
  readonly baseline: number | null;
}

/** The last line of a simulation, as far as figures are made of it. */
export interface SimSummary {
  readonly peers: number;
  readonly delayP95Ms: number | null;
  readonly withoutSound: number;
  readonly onTimeMedian: number | null;
  readonly onTimeP5: number | null;
  readonly onTimeMean: number | null;
  readonly outageMsP95: number | null;
  readonly controlKbpsPerPeer: number;
  readonly controlShare: number | null;
  readonly duplicateShare: number | null;
  readonly joinMsP95: number | null;
  readonly bystanderMoves: number;
  readonly invariantsBroken: number;
  readonly cpuSeconds: number;
  readonly rssMb: number;
  readonly sides: Readonly<Partial<Record<string, Sides>>>;
}

/** Plays each line of options as `npm run sim` would, two at a time; the results in their order. */
export async function runAll(lines: readonly string[]): Promise<SimSummary[]> {
  const results: SimSummary[] = [];
  const waiting = lines.map((line, index) => ({ line, index }));
  const work = async (): Promise<void> => {
    for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) {
      results[next.index] = await runOne(next.line);
    }
  };
  await Promise.all(Array.from({ length: atOnce }, work));
  return results;
}

/** The same options with seeds 1 to `count`. */
export function seeded(line: string, count: number): string[] {
  return Array.from({ length: count }, (_, index) => `${line} --seed ${index + 1}`);
}

async function runOne(line: string): Promise<SimSummary> {
  const child = spawn(process.execPath, [`--max-old-space-size=${heapMb}`, program, ...line.split(" "), "--json"], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  let output = "";
  child.stdout.setEncoding("utf8").on("data", (text: string) => void (output += text));
  await new Promise((resolve) => child.on("close", resolve));
  const last = output.trimEnd().split("\n").at(-1) ?? "";
  const summary = last.startsWith("{") ? (JSON.parse(last) as SimSummary & { readonly event: string }) : undefined;
  if (summary?.event !== "sim") throw new Error(`The simulation "${line}" came to no result.`);
  return summary;
}

/** The middle of some values; infinite where one of them is missing, for a run without a result is no good run. */
export function medianOf(values: readonly (number | null | undefined)[]): number {
  const sorted = values.map((value) => value ?? Infinity).toSorted((a, b) => a - b);
  return sorted[(sorted.length - 1) >> 1] ?? Infinity;
}

/** Both sides of a comparison, each the median of the runs. */
export function sidesOf(
  runs: readonly SimSummary[],
  name: string,
): { readonly ours: number; readonly baseline: number } {
  const rounded = (value: number): number => Number(value.toPrecision(5));
  const sides = runs.map((run) => run.sides[name]);
  return {
    ours: rounded(medianOf(sides.map((side) => side?.ours))),
    baseline: rounded(medianOf(sides.map((side) => side?.baseline))),
  };
}

/** All of some values added up. */
export function sumOf(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0);
}
