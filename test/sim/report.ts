import type { Sides } from "./baselines/compare.ts";
import type { Snapshot } from "./picture/snapshot.ts";
import type { SimResult } from "./simulation.ts";

/** Whether the run failed: a broken invariant, or kills amid churn that never led to what they should have shown. */
export function hasFailed(result: SimResult): boolean {
  const strict = needsCoverage(result) && result.options.churn > 0;
  return result.invariantsBroken > 0 || (strict && result.coverageMissing.length > 0);
}

/** Kills of many relays must have been noticed; a run without any promises nothing. */
function needsCoverage({ options }: SimResult): boolean {
  return options.kills.some(({ what }) => typeof what === "object");
}

/** The last line of `npm run sim -- --json`, as the command-line contract has it. */
export function summaryLine(result: SimResult): string {
  const { figures, comparison } = result;
  return JSON.stringify({
    event: "sim",
    seed: result.options.seed,
    peers: result.peers,
    delayP95Ms: rounded(figures.delayP95Ms, 0),
    delayRatioToGreedy: ratio(comparison.delayToGreedy),
    delayRatioToRandom: ratio(comparison.delayToRandom),
    depthMax: figures.depthMax,
    withoutSound: figures.withoutSound,
    outageMsP95: rounded(figures.outageMsP95, 0),
    outageRatioToReactive: ratio(comparison.outageToReactive),
    onTimeMedian: rounded(figures.onTimeMedian, 5),
    onTimeP5: rounded(figures.onTimeP5, 5),
    missRatioToNoBackup: ratio(comparison.missToNoBackup),
    controlKbpsPerPeer: rounded(figures.controlKbpsPerPeer, 3),
    controlShare: rounded(figures.controlShare, 5),
    duplicateShare: rounded(figures.duplicateShare, 5),
    joinMsP95: rounded(figures.joinMsP95, 0),
    joinRatioToNaive: ratio(comparison.joinToNaive),
    bystanderMoves: figures.bystanderMoves,
    invariantsBroken: result.invariantsBroken,
    coverageMissing: needsCoverage(result) ? result.coverageMissing : [],
    cpuSeconds: rounded(result.cpuSeconds, 2),
    rssMb: rounded(result.rssMb, 0),
    trace: result.trace,
    inputs: result.inputs,
    gaveUp: figures.gaveUp,
    onTimeMean: figures.missShare === null ? null : rounded(1 - figures.missShare, 5),
    sides: comparison,
  });
}

/** The same for a person. */
export function summaryText(result: SimResult): string[] {
  const { figures, options, comparison } = result;
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
    ["delay ÷ all-knowing greedy tree", compared(comparison.delayToGreedy, "ms")],
    ["delay ÷ random tree", compared(comparison.delayToRandom, "ms")],
    ["outage ÷ reactive recovery", compared(comparison.outageToReactive, "ms")],
    ["misses ÷ a tree without backups", compared(comparison.missToNoBackup, "of packets")],
    ["join ÷ one step after the other", compared(comparison.joinToNaive, "ms")],
    ["duplicates ÷ gossip flooding", compared(comparison.duplicatesToGossip, "of messages")],
    ["invariants broken", String(result.invariantsBroken)],
    ["never happened", needsCoverage(result) ? result.coverageMissing.join(", ") || "nothing" : "not asked for"],
    ["this machine", `${result.cpuSeconds.toFixed(1)} s of CPU, ${result.rssMb.toFixed(0)} MB`],
  ];
  const width = Math.max(...rows.map(([name]) => name.length)) + 2;
  const verdict = hasFailed(result) ? `Seed ${options.seed} failed.` : `Seed ${options.seed} is well.`;
  return [...rows.map(([name, value]) => name.padEnd(width) + value), verdict];
}

/** The run as a picture shows it. */
export function snapshotOf(result: SimResult, taken: Pick<Snapshot, "peers" | "lost" | "seconds">): Snapshot {
  const { options, figures, comparison } = result;
  const lend = `${Math.round(options.relays * 100)} % lend`;
  const share = (value: number | null): string => percent(value);
  return {
    title: `Teahouse: ${options.listeners} listeners, ${options.topology}, ${lend}, seed ${options.seed}`,
    figures: [
      ["in the tree", String(taken.peers.length)],
      ["without a place", String(taken.lost)],
      ["delay to the ear, p95", unit(figures.delayP95Ms, 0, "ms")],
      ["÷ all-knowing tree", ratioText(comparison.delayToGreedy)],
      ["÷ random tree", ratioText(comparison.delayToRandom)],
      ["in time, median member", share(figures.onTimeMedian)],
      ["in time, worst 5 %", share(figures.onTimeP5)],
      ["outage of the bereaved, p95", unit(figures.outageMsP95, 0, "ms")],
    ],
    ...taken,
    blows: options.kills.map(({ what, atSecond }) => ({
      second: atSecond,
      what: typeof what === "object" ? `${Math.round(100 * what.share)} % of those who lend die` : victims[what],
    })),
  };
}

/** Who dies, in words. */
const victims = { host: "the host dies", one: "one of those who lend dies" } as const;

/** Each broken invariant as a line. */
export function violationLines(result: SimResult): string[] {
  return result.violations.map(
    ({ checker, second, node, detail }) => `${second.toFixed(3).padStart(9)} s  ${checker}: node ${node} ${detail}`,
  );
}

/** Ours divided by the baseline's. */
export function ratio(sides: Sides | undefined): number | null {
  if (sides === undefined || sides.ours === null || !sides.baseline) return null;
  return rounded(sides.ours / sides.baseline, 4);
}

function ratioText(sides: Sides | undefined): string {
  return ratio(sides)?.toFixed(2) ?? "not seen";
}

/** The ratio with both sides, or why there is none. */
function compared(sides: Sides | undefined, name: string): string {
  if (sides === undefined) return "none: --baseline did not ask for it";
  const { ours, baseline } = sides;
  if (ours === null) return "none: nothing of ours to measure, or not everybody had a place";
  if (!baseline) return "none: the baseline has nothing to measure, or no place for everybody";
  const shown = (value: number): number => rounded(value, name === "ms" ? 0 : 5)!;
  return `${ratio(sides)} (${shown(ours)} ÷ ${shown(baseline)} ${name})`;
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
