import { type Figure, figureOf, plainFigureOf } from "../figure.ts";
import { medianOf, runAll, seeded, sidesOf, sumOf, type SimSummary } from "./runs.ts";

const room = "--listeners 700 --relays 0.25 --join-seconds 12 --speakers 0";
const mended = "--baseline reactive";

/** T2: a tenth of all who lend dies at once; how long their children hear nothing. */
export async function measureOutages(): Promise<Figure[]> {
  const figures: Figure[] = [];
  for (const [topology, goalMs] of [
    ["regional", 250],
    ["global", 380],
  ] as const) {
    const line = `${room} --topology ${topology} --seconds 55 --kill 0.1@40 ${mended}`;
    const runs = await runAll(seeded(line, 3));
    const sides = sidesOf(runs, "outageToReactive");
    const what = `${topology}, 700 listeners, a tenth of all who lend killed: outage of their children, p95 in ms`;
    figures.push(
      plainFigureOf({ id: "T2", what, goal: goalMs, better: "less", sides }),
      figureOf({ id: "T2", what: `${what}: ours ÷ mended after the fact`, goal: 0.1, better: "less", sides }),
      plainFigureOf({
        id: "T2",
        what: `${topology}: moves of peers that are no children of the dead, of all`,
        goal: 0,
        better: "less",
        sides: { ours: sumOf(runs.map((run) => run.bystanderMoves)), baseline: sumOf(runs.map((run) => run.peers)) },
      }),
    );
  }
  return figures;
}

/** T3: five joins or leaves a second, a tenth of those who lend killed, one percent of loss: what is there in time. */
export async function measureContinuity(): Promise<Figure[]> {
  const line = `${room} --topology global --seconds 85 --churn 5 --kill 0.1@50 --loss 0.01 ${mended}`;
  const runs = await runAll(seeded(line, 3));
  return continuityFigures("T3", "700 listeners, the minute around the blow", runs);
}

/** Median member and the worst twentieth; and what is missed beside a tree without backups. */
export function continuityFigures(id: string, where: string, runs: readonly SimSummary[]): Figure[] {
  const misses = sidesOf(runs, "missToNoBackup");
  const share = (ours: number, what: string, goal: number): Figure =>
    plainFigureOf({
      id,
      what: `${where}: share ready within 400 ms, ${what}; beside it the mean of a tree without backups`,
      goal,
      better: "more",
      sides: { ours, baseline: 1 - misses.baseline },
    });
  return [
    share(medianOf(runs.map((run) => run.onTimeMedian)), "median peer", 0.999),
    share(medianOf(runs.map((run) => run.onTimeP5)), "5th percentile", 0.995),
    figureOf({
      id,
      what: `${where}: share missed ÷ missed in a tree without backups`,
      goal: 0.02,
      better: "less",
      sides: misses,
    }),
  ];
}

/** C4, in virtual time: most of those who lend are killed at once. */
export async function measureManyKills(): Promise<Figure[]> {
  const blows = [
    { share: 0.3, gapMsMax: 2000 },
    { share: 0.5, gapMsMax: 3000 },
    { share: 0.8, gapMsMax: 10_000 },
  ] as const;
  const runs = await runAll(
    blows.map(({ share }) => `${room} --topology global --seconds 65 --kill ${share}@35 ${mended} --seed 1`),
  );
  return blows.flatMap(({ share, gapMsMax }, index) => {
    const run = runs[index]!;
    const where = `700 simulated listeners, ${share * 100} % of those who lend killed`;
    return [
      plainFigureOf({
        id: "C4",
        what: `${where}: gap of their children, p95 in ms; beside it mended after the fact`,
        goal: gapMsMax,
        better: "less",
        sides: sidesOf([run], "outageToReactive"),
      }),
      plainFigureOf({
        id: "C4",
        what: `${where}: without sound at the end, of all`,
        goal: 0,
        better: "less",
        sides: { ours: run.withoutSound, baseline: run.peers },
      }),
    ];
  });
}

/**
 * S5, in virtual time: twelve hours in which everybody stays a tenth as long as people do, so that as many come and go as in 120
 * hours of a room like Clubhouse's; of the first audience nobody is left. Microphones give a packet a second.
 */
export async function measureMarathon(): Promise<Figure[]> {
  const line = "--listeners 60 --relays 0.5 --topology global --sessions 0.1 --packet-ms 1000 --speakers 0 --core 6";
  const runs = await runAll([`${line} --seconds 43200 --loss 0.005 ${mended} --seed 1`]);
  const [run] = runs;
  return [
    ...continuityFigures("S5", `${run!.peers} people one after the other in 12 hours, 60 at a time`, runs),
    plainFigureOf({
      id: "S5",
      what: "without sound after 12 hours, of 60",
      goal: 0,
      better: "less",
      sides: { ours: run!.withoutSound, baseline: 60 },
    }),
  ];
}
