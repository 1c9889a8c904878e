import { TeahouseError } from "../../p2p/api/errors.ts";
import { boxObstacle, sides, type Side } from "../censor/box.ts";
import type { CensorLine } from "../censor/figures.ts";
import { cases } from "../censor/rules/all.ts";
import { CensorSession } from "../censor/session.ts";
import { installNeeds } from "../needs.ts";
import { type Figure, figureOf } from "./figure.ts";

/** Joins through each rule of C3; all else is tried once. `npm run censor -- --tries 20` makes as many as one likes. */
const joins = 3;
/** GOALS.md, C3: ms from a cold invite to sound. */
const soundMsMax = { none: 5000, "string-drop": 10_000, popcount: 10_000, "only-tcp-443": 15_000 } as const;
/** C5: ms of silence while a route is reset every 30 s, and after a rule fell in mid-room. */
const resetGapMsMax = 1000;
const midroomGapMsMax = 15_000;

/** C1: what leaves a desktop begins as Chromium's, and names neither libp2p nor the app. */
export async function measureTraces(): Promise<readonly Figure[]> {
  const lines = await linesOf(["none"], ["desktop"]);
  return [
    figureOf({
      id: "C1",
      what: "flows that leave a desktop and do not begin as Chromium's, or name libp2p or the app ÷ TCP flows",
      goal: 0,
      better: "less",
      sides: { ours: sum(lines, ({ leaks }) => leaks.length), baseline: sum(lines, ({ tcpFlows }) => tcpFlows) },
    }),
  ];
}

/** C2: what a rule against fully encrypted traffic would block. */
export async function measureRandomLooks(): Promise<readonly Figure[]> {
  const lines = await linesOf(["none", "popcount"], sides);
  return [
    figureOf({
      id: "C2",
      what: "TCP flows that a rule against fully encrypted traffic blocks ÷ TCP flows",
      goal: 0,
      better: "less",
      sides: {
        ours: sum(lines, ({ popcountBlocked }) => popcountBlocked),
        baseline: sum(lines, ({ tcpFlows }) => tcpFlows),
      },
    }),
  ];
}

/** C3: cold joins through a censor. */
export async function measureJoins(): Promise<readonly Figure[]> {
  const figures: Figure[] = [];
  for (const [rule, limitMs] of Object.entries(soundMsMax)) {
    const lines = await linesOf([rule], sides, joins);
    figures.push(
      figureOf({
        id: "C3",
        what: `rule ${rule}: joins that came to sound ÷ joins`,
        goal: 0.95,
        better: "more",
        sides: { ours: sum(lines, ({ ok }) => ok), baseline: sum(lines, ({ tries }) => tries) },
      }),
      figureOf({
        id: "C3",
        what: `rule ${rule}: 95th percentile from a cold invite to sound, ms ÷ ${limitMs} ms`,
        goal: 1,
        better: "less",
        sides: { ours: Math.max(...lines.map(({ soundMsP95 }) => soundMsP95 ?? Infinity)), baseline: limitMs },
      }),
    );
  }
  return figures;
}

/** C5: routes that freeze, are reset, or are blocked in mid-room. */
export async function measureBrokenRoutes(): Promise<readonly Figure[]> {
  const resets = await linesOf(["random-resets"], ["desktop"]);
  const freezes = await linesOf(["freeze-16k", "freeze-16k-all"], ["desktop"]);
  const midroom = await linesOf(["string-drop-midroom", "only-tcp-443-midroom"], ["desktop"]);
  const gap = (lines: readonly CensorLine[]): number => Math.max(...lines.map(({ gapMsMax }) => gapMsMax));
  const gapFigure = (what: string, lines: readonly CensorLine[], limitMs: number): Figure =>
    figureOf({
      id: "C5",
      what: `${what}: longest gap, ms ÷ ${limitMs} ms`,
      goal: 1,
      better: "less",
      sides: { ours: gap(lines), baseline: limitMs },
    });
  return [
    figureOf({
      id: "C5",
      what: "routes that freeze after 16 KB, one or all: left or explained ÷ tries",
      goal: 1,
      better: "more",
      sides: { ours: sum(freezes, ({ ok }) => ok), baseline: sum(freezes, ({ tries }) => tries) },
    }),
    gapFigure("a route reset every 30 s", resets, resetGapMsMax),
    gapFigure("a rule falling in mid-room", midroom, midroomGapMsMax),
  ];
}

/** C7: a relay that is probed without its token. */
export async function measureProbes(): Promise<readonly Figure[]> {
  const lines = await linesOf(["active-probes"], sides);
  return [
    figureOf({
      id: "C7",
      what: "runs in which every probe got what the decoy site gives ÷ runs",
      goal: 1,
      better: "more",
      sides: { ours: sum(lines, ({ ok }) => ok), baseline: sum(lines, ({ tries }) => tries) },
    }),
  ];
}

async function linesOf(names: readonly string[], on: readonly Side[], tries = 1): Promise<CensorLine[]> {
  const obstacle = boxObstacle();
  if (obstacle !== undefined) throw new TeahouseError("usage", obstacle);
  installNeeds();
  const session = await CensorSession.open();
  const lines: CensorLine[] = [];
  try {
    for (const name of names) {
      const which = cases.find((one) => one.name === name);
      if (which === undefined) throw new Error(`there is no rule ${name}`);
      lines.push(...(await session.run(which, on, tries)));
    }
  } finally {
    await session.close();
  }
  return lines;
}

function sum(lines: readonly CensorLine[], of: (line: CensorLine) => number): number {
  return lines.reduce((total, line) => total + of(line), 0);
}
