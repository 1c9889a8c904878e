import { type Figure, figureOf, plainFigureOf } from "../figure.ts";
import { medianOf, runAll, seeded, sidesOf, type SimSummary } from "./runs.ts";

const room = "--listeners 700 --relays 0.25 --join-seconds 12 --speakers 0";
const mended = "--baseline reactive";

/** One after the other, a second and a half apart: each blow is mended before the next falls. */
const singleKills = Array.from({ length: 12 }, (_, index) => `--kill one@${30 + 1.5 * index}`).join(" ");

/** T2: those who lend die one by one, and, printed apart, a tenth of them at once; how long their children hear nothing. */
export async function measureOutages(): Promise<Figure[]> {
  const blows = [
    { kills: singleKills, who: "twelve who lend killed one by one" },
    { kills: "--kill 0.1@40", who: "a tenth of all who lend killed at once" },
  ] as const;
  const places = [
    { topology: "regional", goalMs: 250 },
    { topology: "global", goalMs: 380 },
  ] as const;
  const cases = blows.flatMap((blow) => places.map((place) => ({ ...blow, ...place })));
  const line = `${room} --seconds 60 ${mended} --seed 1`;
  const runs = await runAll(cases.map(({ topology, kills }) => `${line} --topology ${topology} ${kills}`));
  return cases.flatMap(({ topology, goalMs, who }, index) => {
    const run = runs[index]!;
    const sides = sidesOf([run], "outageToReactive");
    const what = `${topology}, 700 listeners, ${who}: outage of their children, p95 in ms`;
    return [
      plainFigureOf({ id: "T2", what, goal: goalMs, better: "less", sides }),
      figureOf({ id: "T2", what: `${what}: ours ÷ mended after the fact`, goal: 0.1, better: "less", sides }),
      plainFigureOf({
        id: "T2",
        what: `${topology}, ${who}: moves of peers that are no children of the dead, of all`,
        goal: 0,
        better: "less",
        sides: { ours: run.bystanderMoves, baseline: run.peers },
      }),
    ];
  });
}

/** T3: five joins or leaves a second, a tenth of those who lend killed, one percent of loss: what is there in time. */
export async function measureContinuity(): Promise<Figure[]> {
  const line = `${room} --topology global --seconds 85 --churn 5 --kill 0.1@50 --loss 0.01 ${mended}`;
  const runs = await runAll(seeded(line, 2));
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
 * S5, in virtual time: four hours in which everybody stays a thirtieth as long as people do, so that as many come and go as in
 * 120 hours of a room like Clubhouse's; of the first audience nobody is left. Microphones give a packet a second.
 */
export async function measureMarathon(): Promise<Figure[]> {
  const members = 16;
  const room = `--listeners ${members} --relays 0.5 --topology global --speakers 0 --core 4 --join-seconds 5`;
  const runs = await runAll([
    `${room} --sessions 0.0333 --seconds 14400 --packet-ms 1000 --loss 0.005 ${mended} --seed 1`,
  ]);
  const run = runs[0]!;
  const where = `${run.peers} people one after the other, ${members} at a time, as many as come and go in 120 hours`;
  return [
    ...continuityFigures("S5", where, runs),
    plainFigureOf({
      id: "S5",
      what: `${where}: without sound at the end`,
      goal: 0,
      better: "less",
      sides: { ours: run.withoutSound, baseline: members },
    }),
  ];
}
