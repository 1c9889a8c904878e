import type { SimResult } from "./simulation.ts";

/** Figures that need a run of a baseline beside this one: null until the placement benchmarks bring baselines. */
const unmeasured = {
  delayRatioToGreedy: null,
  delayRatioToRandom: null,
  outageRatioToReactive: null,
  missRatioToNoBackup: null,
  joinRatioToNaive: null,
} as const;

/** Whether the run failed: a broken invariant, or kills amid churn that never led to what they should have shown. */
export function hasFailed(result: SimResult): boolean {
  const strict = needsCoverage(result) && result.options.churn > 0;
  return result.invariantsBroken > 0 || (strict && result.coverageMissing.length > 0);
}

/** Kills of relays must have been noticed; a run without any promises nothing. */
function needsCoverage({ options }: SimResult): boolean {
  return options.kills.some((kill) => kill.what !== "host");
}

/** The last line of `npm run sim -- --json`, as the command-line contract has it. */
export function summaryLine(result: SimResult): string {
  const { figures } = result;
  return JSON.stringify({
    event: "sim",
    seed: result.options.seed,
    peers: result.peers,
    delayP95Ms: rounded(figures.delayP95Ms, 0),
    delayRatioToGreedy: unmeasured.delayRatioToGreedy,
    delayRatioToRandom: unmeasured.delayRatioToRandom,
    depthMax: figures.depthMax,
    withoutSound: figures.withoutSound,
    outageMsP95: rounded(figures.outageMsP95, 0),
    outageRatioToReactive: unmeasured.outageRatioToReactive,
    onTimeMedian: rounded(figures.onTimeMedian, 5),
    onTimeP5: rounded(figures.onTimeP5, 5),
    missRatioToNoBackup: unmeasured.missRatioToNoBackup,
    controlKbpsPerPeer: rounded(figures.controlKbpsPerPeer, 3),
    controlShare: rounded(figures.controlShare, 5),
    duplicateShare: rounded(figures.duplicateShare, 5),
    joinMsP95: rounded(figures.joinMsP95, 0),
    joinRatioToNaive: unmeasured.joinRatioToNaive,
    bystanderMoves: figures.bystanderMoves,
    invariantsBroken: result.invariantsBroken,
    coverageMissing: needsCoverage(result) ? result.coverageMissing : [],
    cpuSeconds: rounded(result.cpuSeconds, 2),
    rssMb: rounded(result.rssMb, 0),
    trace: result.trace,
    inputs: result.inputs,
    gaveUp: figures.gaveUp,
  });
}

/** The same for a person. */
export function summaryText(result: SimResult): string[] {
  const { figures, options } = result;
  const rows: readonly (readonly [string, string])[] = [
    ["peers", String(result.peers)],
    ["delay, p95", unit(figures.delayP95Ms, 0, "ms")],
    ["on time, median and worst 5 %", `${percent(figures.onTimeMedian)} and ${percent(figures.onTimeP5)}`],
    ["outage of a dead relay's children, p95", unit(figures.outageMsP95, 0, "ms")],
    ["join to first sound, p95", unit(figures.joinMsP95, 0, "ms")],
    ["without sound at the end", String(figures.withoutSound)],
    ["told that there is no way in", String(figures.gaveUp)],
    ["most links crossed", String(figures.depthMax)],
    ["moves of bystanders", String(figures.bystanderMoves)],
    ["control", `${unit(figures.controlKbpsPerPeer, 2, "kbit/s a peer")}, ${percent(figures.controlShare)} of media`],
    ["duplicate media", percent(figures.duplicateShare)],
    ["invariants broken", String(result.invariantsBroken)],
    ["never happened", needsCoverage(result) ? result.coverageMissing.join(", ") || "nothing" : "not asked for"],
    ["this machine", `${result.cpuSeconds.toFixed(1)} s of CPU, ${result.rssMb.toFixed(0)} MB`],
  ];
  const width = Math.max(...rows.map(([name]) => name.length)) + 2;
  const verdict = hasFailed(result) ? `Seed ${options.seed} failed.` : `Seed ${options.seed} is well.`;
  return [...rows.map(([name, value]) => name.padEnd(width) + value), verdict];
}

/** Each broken invariant as a line. */
export function violationLines(result: SimResult): string[] {
  return result.violations.map(
    ({ checker, second, node, detail }) => `${second.toFixed(3).padStart(9)} s  ${checker}: node ${node} ${detail}`,
  );
}

function rounded(value: number | null, digits: number): number | null {
  return value === null ? null : Number(value.toFixed(digits));
}

function unit(value: number | null, digits: number, name: string): string {
  return value === null ? "not seen" : `${value.toFixed(digits)} ${name}`;
}

function percent(value: number | null): string {
  return value === null ? "not seen" : `${(100 * value).toFixed(2)} %`;
}
