import type { Sample } from "../demo/figures.ts";
import type { Stay } from "./schedule.ts";

/** What a soak reads of a `stats` line. */
export type SoakSample = Pick<
  Sample,
  "at" | "framesExpected" | "framesOnTime" | "worstGapMs" | "packetsForwarded" | "rssMb" | "cpuMs"
> & { readonly framesSent: number };

/** One process of a soak, from its start to its end. */
export interface Record {
  readonly name: string;
  readonly kind: Stay["kind"];
  readonly bornAt: number;
  /** Undefined while it lives. */
  readonly endedAt: number | undefined;
  /** When it first heard the room; undefined: never. */
  readonly soundAt: number | undefined;
  /** When it was first let on stage. */
  readonly stageAt: number | undefined;
  readonly samples: readonly SoakSample[];
}

/** How memory went in processes of one kind, each over its own life after warming up. */
export interface MemoryFigures {
  readonly kind: Stay["kind"];
  readonly processes: number;
  /** Of all of them together. */
  readonly hours: number;
  readonly mbPerHour: number;
  readonly rssMbMax: number;
}

/** How a listener heard. */
export interface ListenerFigures {
  readonly name: string;
  readonly onTimeShare: number;
  readonly gapsMs: readonly number[];
  /** Why it counts as lost; undefined: it does not. */
  readonly lost: string | undefined;
}

const frameMs = 20;
/** Where in the second a line was printed is no loss: what came later is counted only beyond this. */
const slackMs = 2000;
/** In a full room on a busy machine, sound has come by then, and the stage. */
const soundMsMax = 20_000;
const hourMs = 3_600_000;

/** A listener over its life. `sentBy`: frames that all speakers had sent by then. */
export function listenerFigures(record: Record, sentBy: (at: number) => number, now: number): ListenerFigures {
  const { name, soundAt, bornAt, endedAt } = record;
  if (soundAt === undefined) {
    const lived = (endedAt ?? now) - bornAt;
    return { name, onTimeShare: 1, gapsMs: [], lost: lived > soundMsMax ? "never had sound" : undefined };
  }
  const samples = record.samples.filter(({ at }) => at >= soundAt);
  const [first, last] = [samples[0], samples.at(-1)];
  if (first === undefined || last === undefined || first === last) {
    return { name, onTimeShare: 1, gapsMs: [], lost: undefined };
  }
  const expected = last.framesExpected - first.framesExpected;
  const behind = missingOf(sentBy, first, last, expected);
  const owed = expected + behind;
  const share = owed === 0 ? 1 : (last.framesOnTime - first.framesOnTime) / owed;
  return { name, onTimeShare: Math.min(1, share), gapsMs: gapsOf(samples), lost: lossOf(samples, sentBy) };
}

/** Why a speaker counts as lost; undefined: it does not. */
export function stageLoss({ name, bornAt, endedAt, stageAt }: Record, now: number): string | undefined {
  return stageAt === undefined && (endedAt ?? now) - bornAt > soundMsMax ? `${name} never got the stage` : undefined;
}

/** Frames that were sent meanwhile and of which the listener never learned. */
function missingOf(sentBy: (at: number) => number, from: SoakSample, to: SoakSample, expected: number): number {
  const behind = sentBy(to.at - slackMs) - sentBy(from.at) - expected;
  return behind > slackMs / frameMs ? Math.round(behind) : 0;
}

/** Sound that stopped and did not come back while the stage went on. */
function lossOf(samples: readonly SoakSample[], sentBy: (at: number) => number): string | undefined {
  const last = samples.at(-1);
  const since = samples.findLast(({ at }) => last !== undefined && at < last.at - 2 * slackMs);
  if (last === undefined || since === undefined) return undefined;
  const heard = last.framesExpected - since.framesExpected;
  const sent = sentBy(last.at - slackMs) - sentBy(since.at);
  return heard === 0 && sent > slackMs / frameMs ? "heard nothing more while the stage went on" : undefined;
}

/** Lengths of the gaps: one that spans several seconds stands in each of their lines, growing. */
function gapsOf(samples: readonly SoakSample[]): number[] {
  const gaps: number[] = [];
  samples.forEach(({ worstGapMs }, index) => {
    if (worstGapMs > 0 && !((samples[index + 1]?.worstGapMs ?? 0) > worstGapMs)) gaps.push(worstGapMs);
  });
  return gaps;
}

/** Frames that speakers had sent, by time: what everybody in the room was owed. */
export function sentByOf(speakers: readonly Record[]): (at: number) => number {
  return (at) => speakers.reduce((sum, { samples }) => sum + framesBy(samples, at), 0);
}

function framesBy(samples: readonly SoakSample[], at: number): number {
  const index = samples.findLastIndex((sample) => sample.at <= at);
  const [before, after] = [samples[index], samples[index + 1]];
  if (before === undefined) return 0;
  if (after === undefined) return before.framesSent;
  const share = (at - before.at) / (after.at - before.at);
  return before.framesSent + share * (after.framesSent - before.framesSent);
}

/**
 * Memory over time by least squares, with a level of its own for each process and one slope for the kind. What a process
 * allocates while it warms up is its level and no leak.
 */
export function memoryFigures(kind: Stay["kind"], records: readonly Record[], warmUpMs: number): MemoryFigures {
  const lives = records
    .filter((record) => record.kind === kind)
    .map(({ bornAt, samples }) => samples.filter(({ at }) => at >= bornAt + warmUpMs))
    .filter(({ length }) => length > 2);
  let [products, squares, hours, rssMbMax] = [0, 0, 0, 0];
  for (const samples of lives) {
    const atMean = mean(samples.map(({ at }) => at));
    const rssMean = mean(samples.map(({ rssMb }) => rssMb));
    for (const { at, rssMb } of samples) {
      const elapsed = (at - atMean) / hourMs;
      products += elapsed * (rssMb - rssMean);
      squares += elapsed * elapsed;
      rssMbMax = Math.max(rssMbMax, rssMb);
    }
    hours += ((samples.at(-1)?.at ?? 0) - (samples[0]?.at ?? 0)) / hourMs;
  }
  return {
    kind,
    processes: lives.length,
    hours: rounded(hours),
    mbPerHour: squares === 0 ? 0 : rounded(products / squares),
    rssMbMax,
  };
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

function rounded(value: number): number {
  return Math.round(value * 100) / 100;
}
