import { type Figure, figureOf, plainFigureOf } from "../figure.ts";
import { medianOf, runAll, seeded, sidesOf, sumOf } from "./runs.ts";

/**
 * Sizes of T1. Twenty seeds where a run takes seconds; at 5,000 and 20,000 peers as many as fit into the forty minutes that all
 * of this figures may take. A microphone gives a packet a second: the tree is the same, and its ways are what counts.
 */
const sizes = [
  {
    name: "700 regional",
    line: "--listeners 700 --topology regional --relays 0.25 --join-seconds 15 --seconds 75",
    seeds: 20,
  },
  {
    name: "5,000 global",
    line: "--listeners 5000 --topology global --relays 0.25 --join-seconds 60 --seconds 130",
    seeds: 3,
  },
  {
    name: "20,000 global",
    line: "--listeners 20000 --topology global --relays 0.2 --join-seconds 120 --seconds 190",
    seeds: 1,
  },
] as const;
const probes = "--packet-ms 1000 --speakers 0 --core 12";

/** T1: how much longer the way from the core is than in an all-knowing tree, and than in a random one. */
export async function measureTree(): Promise<Figure[]> {
  const figures: Figure[] = [];
  for (const { name, line, seeds } of sizes) {
    const runs = await runAll(seeded(`${line} ${probes} --baseline all`, seeds));
    const of = `${name}, p95 root to listener, median of ${seeds} seeds, ms`;
    const without = sumOf(runs.map((run) => run.withoutSound));
    figures.push(
      figureOf({
        id: "T1",
        what: `${of}: ours ÷ an all-knowing greedy tree`,
        goal: 1.1,
        better: "less",
        sides: { ...sidesOf(runs, "delayToGreedy"), withoutSound: without },
      }),
      figureOf({
        id: "T1",
        what: `${of}: ours ÷ random join`,
        goal: 0.2,
        better: "less",
        sides: { ...sidesOf(runs, "delayToRandom"), allKnowing: sidesOf(runs, "delayToGreedy").baseline },
      }),
    );
  }
  return figures;
}

/** T1b: very few lend, a fifth of them servers: nobody may be left without sound. */
export async function measureScarcity(): Promise<Figure[]> {
  const figures: Figure[] = [];
  for (const share of [0.03, 0.05]) {
    const line = `--listeners 5000 --topology global --relays ${share} --join-seconds 60 --seconds 130 ${probes}`;
    const runs = await runAll(seeded(`${line} --baseline greedy`, 2));
    figures.push(
      plainFigureOf({
        id: "T1b",
        what: `5,000 listeners, ${share * 100} % lend: without sound at the end, of all`,
        goal: 0,
        better: "less",
        sides: {
          ours: Math.max(...runs.map((run) => run.withoutSound)),
          baseline: medianOf(runs.map((run) => run.peers)),
        },
      }),
    );
  }
  return figures;
}
