import type { Stats, Totals } from "../api/engine.ts";

/** What this process costs, which only the process itself can say. */
export interface ProcessUsage {
  /** Resident memory, in MiB. */
  readonly rssMb: number;
  /** CPU time used since start, user and system, in ms. */
  readonly cpuMs: number;
}

/** The line of each second. */
export type StatsEvent = { readonly event: "stats" } & Stats & ProcessUsage;

/** The last line. */
export type SummaryEvent = { readonly event: "summary" } & Omit<Stats, "latencyMs"> & ProcessUsage & Totals;

/** The `stats` event of one second, with what the engine cannot know. */
export function statsEvent(stats: { readonly event: "stats" } & Stats, usage: ProcessUsage): StatsEvent {
  return { ...stats, ...usage };
}

/** The `summary` event: totals of `stats`, and what only a whole run has. */
export function summaryEvent(stats: Stats, totals: Totals, usage: ProcessUsage): SummaryEvent {
  return { event: "summary", ...stats, ...usage, ...totals };
}

/** Memory and CPU of this process. */
export function processUsage(): ProcessUsage {
  const { user, system } = process.cpuUsage();
  return { rssMb: Math.round(process.memoryUsage.rss() / 2 ** 20), cpuMs: Math.round((user + system) / 1000) };
}
