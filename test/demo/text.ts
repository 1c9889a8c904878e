import type { EventLine } from "../e2e/processes.ts";
import { demoFigures } from "./figures.ts";
import type { DemoFigures, Observed } from "./figures.ts";

/** A sentence for the events that people want to know of; undefined for the rest. */
export function demoSentence(from: string, line: EventLine): string | undefined {
  switch (line.event) {
    case "card":
      return `${from} is up.`;
    case "room":
      return "The host's room is open, and the host speaks.";
    case "sound":
      return `${from} hears it after ${seconds(Number(line["ms"]))}.`;
    case "move":
      return `${from} moved: ${String(line["reason"])}.`;
    case "killed":
      return `${from} was killed.`;
    case "window":
      return String(line["message"]);
    case "stopped":
      return `${from} stands still.`;
    case "resumed":
      return `${from} goes on.`;
    case "refused":
    case "error":
      return `${from}: ${String(line["message"])}`;
    default:
      return undefined;
  }
}

/** How the room is doing, over the last seconds. */
export function demoPulse(listeners: readonly Observed[], nowMs: number): string | undefined {
  const { listeners: figures } = demoFigures(listeners, [], { from: nowMs - 3500, to: nowMs - 500 });
  const owed = figures.reduce((sum, { framesExpected }) => sum + framesExpected, 0);
  if (owed === 0) return undefined;
  const share = figures.reduce((sum, { framesOnTime }) => sum + framesOnTime, 0) / owed;
  const hearing = figures.filter(({ framesOnTime }) => framesOnTime > 0).length;
  const depth = Math.max(...figures.map(({ hops }) => hops));
  return `${hearing} of ${figures.length} hear, ${percent(share)} on time, ${depth} links deep.`;
}

/** The figures for people. */
export function demoTable(figures: DemoFigures): string {
  const listeners = figures.listeners.map(({ from, framesExpected, framesOnTime, hops, link, worstGapMs, rssMb }) => {
    const share = framesExpected === 0 ? "no frames" : `${percent(framesOnTime / framesExpected)} on time`;
    return `${from}: ${share}, ${hops} links deep by ${link}, longest gap ${worstGapMs} ms, ${rssMb} MB`;
  });
  const relays = figures.relays.map(
    ({ from, children, packetsForwarded, cpuShare, rssMb }) =>
      `${from}: ${children} below it, ${packetsForwarded} packets passed on, ${percent(cpuShare)} of a core, ${rssMb} MB`,
  );
  const sound = figures.soundMsP95 === null ? "never" : seconds(figures.soundMsP95);
  return [...listeners, ...relays, `First sound (p95): ${sound}. Longest gap: ${figures.worstGapMs} ms.`].join("\n");
}

function percent(share: number): string {
  return `${(100 * share).toFixed(1)} %`;
}

function seconds(ms: number): string {
  return `${(ms / 1000).toFixed(1)} s`;
}
