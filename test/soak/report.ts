import { percentile } from "../demo/figures.ts";
import { listenerFigures, memoryFigures, sentByOf, stageLoss } from "./figures.ts";
import type { MemoryFigures, Record } from "./figures.ts";

/** The last line of `npm run soak`. */
export interface SoakReport {
  readonly event: "soak";
  readonly seed: string;
  readonly seconds: number;
  readonly processes: number;
  readonly joins: number;
  readonly crashes: number;
  /** Processes that were there at the beginning and still are. */
  readonly originalsLeft: number;
  /** Shares of frames on time, over listeners. */
  readonly onTimeMedian: number;
  readonly onTimeP5: number;
  readonly gaps: { readonly count: number; readonly msP95: number; readonly msMax: number };
  readonly soundMsP95: number;
  readonly memory: readonly MemoryFigures[];
  /** Who heard nothing though others did, and what ended by itself: each a sentence. */
  readonly lost: readonly string[];
}

/** For people: what the processes of one kind lived together, at least, before warming up is not all there is to see. */
const toldHoursMin = 0.25;
/** Of each process's life, this share is warming up. */
const warmUpShare = 1 / 6;

/** What a run came to. */
export interface SoakRun {
  readonly seed: string;
  readonly records: readonly Record[];
  readonly broken: readonly string[];
  readonly crashes: number;
  /** When the room was full, and when the run was over. */
  readonly fromAt: number;
  readonly toAt: number;
}

/** Sums a run up. */
export function soakReport({ seed, records, broken, crashes, fromAt, toAt }: SoakRun): SoakReport {
  const speakers = records.filter(({ kind }) => kind === "speaker");
  const sentBy = sentByOf(speakers);
  // An heir listens too.
  const listeners = records.filter(({ kind }) => kind === "listener" || kind === "heir");
  const figures = listeners.map((record) => listenerFigures(record, sentBy, toAt));
  const shares = figures.map(({ onTimeShare }) => onTimeShare);
  const gapsMs = figures.flatMap((figure) => figure.gapsMs);
  const soundMs = listeners.flatMap(({ soundAt, bornAt }) => (soundAt === undefined ? [] : [soundAt - bornAt]));
  const kinds = ["relay", "speaker", "listener", "heir"] as const;
  return {
    event: "soak",
    seed,
    seconds: Math.round((toAt - fromAt) / 1000),
    processes: records.length,
    joins: records.filter(({ bornAt }) => bornAt > fromAt).length,
    crashes,
    originalsLeft: records.filter(({ bornAt, endedAt }) => bornAt <= fromAt && (endedAt ?? toAt) >= toAt).length,
    onTimeMedian: share(percentile(shares, 0.5)),
    onTimeP5: share(percentile(shares, 0.05)),
    gaps: { count: gapsMs.length, msP95: percentile(gapsMs, 0.95) ?? 0, msMax: Math.max(0, ...gapsMs) },
    soundMsP95: Math.round(percentile(soundMs, 0.95) ?? 0),
    memory: kinds.map((kind) => memoryFigures(kind, records, (toAt - fromAt) * warmUpShare)),
    lost: [
      ...broken,
      ...speakers.flatMap((record) => stageLoss(record, toAt) ?? []),
      ...figures.flatMap(({ name, lost }) => (lost === undefined ? [] : [`${name} ${lost}`])),
    ],
  };
}

/** The same for people. */
export function soakText(report: SoakReport): string {
  const { seconds, processes, joins, crashes, originalsLeft, onTimeMedian, onTimeP5, gaps, soundMsP95 } = report;
  return [
    `${processes} processes in ${seconds} s; ${joins} came later, ${crashes} crashed, ${originalsLeft} saw it all.`,
    `On time: ${percent(onTimeMedian)} (median listener), ${percent(onTimeP5)} (5th percentile).`,
    `Gaps: ${gaps.count}, 95 % at most ${gaps.msP95} ms, longest ${gaps.msMax} ms. First sound, start included: ${soundMsP95} ms (p95).`,
    ...report.memory.map(({ kind, processes: count, hours, mbPerHour, rssMbMax }) => {
      const slope = hours < toldHoursMin ? "too short to tell how it grows" : `${mbPerHour} MB an hour over ${hours} h`;
      return `Memory of a ${kind}: ${slope}, ${count} processes, at most ${rssMbMax} MB.`;
    }),
    ...report.lost,
  ].join("\n");
}

/** To five decimals: a frame an hour shows. */
function share(value: number | null): number {
  return Math.round((value ?? 0) * 1e5) / 1e5;
}

function percent(value: number): string {
  return `${(100 * value).toFixed(2)} %`;
}
