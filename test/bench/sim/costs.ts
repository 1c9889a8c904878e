import { type Figure, figureOf, plainFigureOf } from "../figure.ts";
import { medianOf, runAll, seeded, sidesOf } from "./runs.ts";

/** T4: what is sent beside media, and media that was there already, while three people speak. */
export async function measureOverhead(): Promise<Figure[]> {
  const line = "--listeners 700 --relays 0.25 --topology global --join-seconds 10 --seconds 60 --speakers 2";
  const runs = await runAll(seeded(`${line} --baseline gossip`, 1));
  const gossip = sidesOf(runs, "duplicatesToGossip");
  const where = "700 listeners, three open microphones";
  return [
    plainFigureOf({
      id: "T4",
      what: `${where}: control bytes ÷ media bytes`,
      goal: 0.01,
      better: "less",
      sides: { ours: medianOf(runs.map((run) => run.controlShare)), baseline: 1 },
    }),
    plainFigureOf({
      id: "T4",
      what: `${where}: control, kbit/s a peer; beside it NICE at 100 peers`,
      goal: 1,
      better: "less",
      sides: { ours: medianOf(runs.map((run) => run.controlKbpsPerPeer)), baseline: 1 },
    }),
    plainFigureOf({
      id: "T4",
      what: `${where}: messages that brought nothing new, of all; beside it gossip flooding`,
      goal: 0.02,
      better: "less",
      sides: gossip,
    }),
  ];
}

/** T5, in virtual time: from the invite to the first sound, one by one and in a crowd. */
export async function measureSimulatedJoins(): Promise<Figure[]> {
  const calm = "--listeners 700 --relays 0.25 --topology global --join-seconds 30 --seconds 50 --speakers 0";
  const crowd = "--listeners 300 --relays 0.25 --topology global --join-seconds 10 --seconds 90 --speakers 0";
  const [joins, flood] = await runAll([
    `${calm} --baseline reactive --seed 1`,
    `${crowd} --flash 1500@15/60 --baseline reactive --seed 1`,
  ]);
  const sides = sidesOf([joins!], "joinToNaive");
  return [
    plainFigureOf({
      id: "T5",
      what: "simulated, global: invite to sound, p95 in ms",
      goal: 1200,
      better: "less",
      sides,
    }),
    figureOf({
      id: "T5",
      what: "simulated: invite to sound, p95 ÷ one step after the other",
      goal: 0.5,
      better: "less",
      sides,
    }),
    plainFigureOf({
      id: "T5",
      what: "simulated: 1,500 joins within 60 s: invite to sound, p95 in ms",
      goal: 2000,
      better: "less",
      sides: sidesOf([flood!], "joinToNaive"),
    }),
  ];
}

/**
 * T13: what the simulator itself costs, CPU seconds of one core. Twenty seconds and 10,000 peers stand for the minute and the
 * 100,000 of the goal: what is divided by what stays the same.
 */
export async function measureSimulator(): Promise<Figure[]> {
  const virtualSeconds = 20;
  const churnShare = 0.1;
  const [full, churn] = await runAll([
    `--listeners 5000 --relays 0.25 --topology global --join-seconds 8 --seconds ${virtualSeconds} --speakers 0 --baseline none`,
    "--listeners 10000 --relays 0.2 --topology global --join-seconds 10 --seconds 15 --speakers 0 --packet-ms 5000 " +
      "--churn 100 --baseline none",
  ]);
  return [
    figureOf({
      id: "T13",
      what: "5,000 peers at full rate: CPU seconds ÷ virtual seconds",
      goal: 1,
      better: "less",
      sides: { ours: full!.cpuSeconds, baseline: virtualSeconds, rssMb: full!.rssMb },
    }),
    figureOf({
      id: "T13",
      what: "10,000 peers come within 10 s, 100 more come or go a second: CPU seconds ÷ a tenth of 120",
      goal: 1,
      better: "less",
      sides: { ours: churn!.cpuSeconds, baseline: churnShare * 120, rssMb: churn!.rssMb },
    }),
    figureOf({
      id: "T13",
      what: "the same: MB ÷ a tenth of 2 GB",
      goal: 1,
      better: "less",
      sides: { ours: churn!.rssMb, baseline: churnShare * 2048 },
    }),
  ];
}
