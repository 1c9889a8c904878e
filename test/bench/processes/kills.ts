import { Rng } from "../../../p2p/core/rng.ts";
import { demoFigures, percentile, type Window } from "../../demo/figures.ts";
import { numbered, parseDemoOptions } from "../../demo/options.ts";
import { DemoRoom } from "../../demo/room.ts";
import { type Figure, figureOf } from "../figure.ts";

/** GOALS.md, C4: share of relays killed, and the 95th percentile of gaps that is borne. */
const blows = [
  { share: 0.3, gapMsMax: 2000 },
  { share: 0.5, gapMsMax: 3000 },
  { share: 0.8, gapMsMax: 10_000 },
] as const;
const relays = 10;
const listeners = 12;
/** An invite names the first of a room's relays. */
const hintedRelays = 5;
const blowAt = "4s";
/** Long enough for whoever has to come back by the third dial ([OV7]). */
const span = "26s";

/** C4, its real part: ten relays, of which so many are killed at once while everybody hears. */
export async function measureKills(): Promise<readonly Figure[]> {
  const figures: Figure[] = [];
  for (const blow of blows) figures.push(...(await strike(blow.share, blow.gapMsMax)));
  return figures;
}

async function strike(share: number, gapMsMax: number): Promise<Figure[]> {
  const victims = victimsOf(share);
  const kills = victims.flatMap((name) => ["--kill", `${name}@${blowAt}`]);
  const size = `--json --for ${span} --listeners ${listeners} --relays ${relays} --depth 3 --profile webrtc`;
  const options = parseDemoOptions([...size.split(" "), ...kills]);
  if (options === undefined) throw new Error("the options are the demo's own");
  const room = new DemoRoom(options, () => undefined);
  try {
    await room.open();
    const { signal } = new AbortController();
    const window = await room.pass(signal);
    return figuresOf(room, window, await room.lost(window, signal), share, gapMsMax);
  } finally {
    await room.close();
  }
}

/** Drawn, but one relay that the invite names lives. */
function victimsOf(share: number): string[] {
  const rng = new Rng(`C4 ${share}`);
  const spared = `relay-${1 + rng.int(hintedRelays)}`;
  const drawn = numbered("relay", relays).map((name) => ({ name, draw: rng.next() }));
  const others = drawn.filter(({ name }) => name !== spared).sort((a, b) => a.draw - b.draw);
  return others.slice(0, Math.round(relays * share)).map(({ name }) => name);
}

function figuresOf(room: DemoRoom, window: Window, lost: readonly string[], share: number, gapMsMax: number): Figure[] {
  const gapsMs = demoFigures(room.observed("listener"), [], window).listeners.map(({ worstGapMs }) => worstGapMs);
  const where = `real processes, ${100 * share} % of ${relays} relays killed`;
  return [
    figureOf({
      id: "C4",
      what: `${where}: 95th percentile of the longest gap, ms ÷ ${gapMsMax} ms`,
      goal: 1,
      better: "less",
      sides: {
        ours: percentile(gapsMs, 0.95) ?? Infinity,
        baseline: gapMsMax,
        median: percentile(gapsMs, 0.5) ?? Infinity,
        worst: Math.max(...gapsMs),
      },
    }),
    figureOf({
      id: "C4",
      what: `${where}: listeners lost for good ÷ listeners`,
      goal: 0,
      better: "less",
      sides: { ours: lost.length, baseline: listeners },
    }),
  ];
}
