import { type Figure, figureOf, plainFigureOf } from "../figure.ts";
import { runAll, seeded, sidesOf, sumOf } from "./runs.ts";

/**
 * Sizes of T1, with as many seeds as fit into the forty minutes that all figures of the tree may take together. A microphone
 * gives a packet a second: the tree is the same, and its ways are what counts. Everybody looks for a better place each half
 * minute, so a tree is judged when all have looked twice.
 */
const sizes = [
  {
    name: "700 regional",
    line: "--listeners 700 --topology regional --relays 0.25 --join-seconds 12 --seconds 80",
    seeds: 5,
  },
  {
    name: "5,000 global",
    line: "--listeners 5000 --topology global --relays 0.25 --join-seconds 30 --seconds 80",
    seeds: 1,
  },
] as const;
/** By hand: hours of CPU. */
const largest = {
  name: "20,000 global",
  line: "--listeners 20000 --topology global --relays 0.2 --join-seconds 120 --seconds 190",
  seeds: 1,
} as const;
const probes = "--packet-ms 1000 --speakers 0 --core 12";

/** T1: how much longer the way from the core is than in an all-knowing tree, and than in a random one. */
export function measureTree(): Promise<Figure[]> {
  return measureSizes(sizes);
}

/** T1-20k: the same at 20,000 peers. */
export function measureLargestTree(): Promise<Figure[]> {
  return measureSizes([largest]);
}

async function measureSizes(
  measured: readonly { readonly name: string; readonly line: string; readonly seeds: number }[],
): Promise<Figure[]> {
  // The largest first, so that no core waits long for the other.
  const ordered = measured
    .toReversed()
    .map((size) => ({ ...size, lines: seeded(`${size.line} ${probes} --baseline all`, size.seeds) }));
  const results = await runAll(ordered.flatMap(({ lines }) => lines));
  const figures: Figure[] = [];
  for (const { name, seeds } of ordered) {
    const runs = results.splice(0, seeds);
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
  const shares = [0.03, 0.05];
  const room = "--listeners 5000 --topology global --join-seconds 30 --seconds 55";
  const runs = await runAll(shares.map((share) => `${room} --relays ${share} ${probes} --baseline none --seed 1`));
  return runs.map(({ withoutSound, peers }, index) =>
    plainFigureOf({
      id: "T1b",
      what: `5,000 listeners, ${shares[index]! * 100} % lend: without sound at the end, of all`,
      goal: 0,
      better: "less",
      sides: { ours: withoutSound, baseline: peers },
    }),
  );
}
