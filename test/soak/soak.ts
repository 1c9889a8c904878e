/** `npm run soak`: hours of a room of real processes, in which nobody stays and nobody may be lost. */
import { Rng } from "../../p2p/core/rng.ts";
import { optionsOf } from "../demo/command-words.ts";
import { Cast, type Witness } from "./cast.ts";
import { parseSoakOptions, soakHelp, type SoakOptions } from "./options.ts";
import { soakReport, soakText } from "./report.ts";
import { scheduleOf, type Stay } from "./schedule.ts";

const interruption = new AbortController();
const say = (line: string): boolean => process.stdout.write(`${line}\n`);
/** Of a process's events, those that tell the story; an hour of everybody's `stats` is nobody's reading. */
const told: ReadonlySet<string> = new Set([
  "joined",
  "sound",
  "crashed",
  "leaves",
  "move",
  "cover",
  "refused",
  "error",
]);
/** Starting a process costs half a second of CPU, and two cores are shared. */
const startingAtOnce = 2;
/** A stats line comes each second: what the last one says has come by then. */
const lastLineMs = 1500;

async function soak(wanted: SoakOptions): Promise<void> {
  const witness: Witness = (from, { event, ...fields }) => {
    if (!told.has(event)) return;
    say(wanted.json ? JSON.stringify({ event, from, ...fields }) : `${from}: ${event}`);
  };
  const cast = new Cast(wanted, witness);
  process.on("exit", () => cast.abandon());
  try {
    const stays = scheduleOf(wanted, new Rng(wanted.seed));
    await fill(cast, stays);
    const fromAt = performance.now();
    await pass(cast, stays, wanted.durationMs);
    const toAt = performance.now();
    await elapsed(lastLineMs);
    const report = soakReport({
      seed: wanted.seed,
      records: cast.records,
      broken: cast.broken,
      crashes: stays.filter(({ ending, toMs }) => ending === "crash" && toMs < wanted.durationMs).length,
      fromAt,
      toAt,
    });
    await cast.close();
    say(wanted.json ? JSON.stringify(report) : soakText(report));
    process.exitCode = report.lost.length === 0 ? 0 : 1;
  } finally {
    await cast.close();
  }
}

/** Everybody who is there from the beginning; resolves when all of them have sound. */
async function fill(cast: Cast, stays: readonly Stay[]): Promise<void> {
  const first = stays.filter(({ fromMs }) => fromMs === 0);
  const of = (kind: Stay["kind"]): Stay[] => first.filter((stay) => stay.kind === kind);
  const [host] = of("host");
  if (host === undefined) throw new Error("a room has a host");
  await cast.open(of("relay"), host);
  await Promise.all(of("speaker").map(async (stay) => (await cast.enter(stay)).process.next("role")));
  await Promise.all(of("heir").map(async (stay) => (await cast.enter(stay)).process.next("joined")));
  const waiting = of("listener");
  const arrive = async (): Promise<void> => {
    for (let stay = waiting.shift(); stay !== undefined; stay = waiting.shift()) {
      await (await cast.enter(stay)).process.next("sound");
    }
  };
  await Promise.all(Array.from({ length: startingAtOnce }, arrive));
}

/** Lets the run pass: whoever comes comes, whoever goes goes. */
async function pass(cast: Cast, stays: readonly Stay[], durationMs: number): Promise<void> {
  const timers: NodeJS.Timeout[] = [];
  for (const stay of stays) {
    if (stay.fromMs > 0) timers.push(setTimeout(() => void cast.enter(stay), stay.fromMs));
    if (stay.toMs < durationMs) timers.push(setTimeout(() => cast.exit(stay), stay.toMs));
  }
  await elapsed(durationMs);
  timers.forEach(clearTimeout);
}

/** Resolves after the time, or when interrupted. */
async function elapsed(ms: number): Promise<void> {
  if (interruption.signal.aborted) return;
  await new Promise<void>((resolve) => {
    const timer = setTimeout(resolve, ms);
    const stop = (): void => {
      clearTimeout(timer);
      resolve();
    };
    interruption.signal.addEventListener("abort", stop, { once: true });
  });
}

function interrupt(): void {
  if (interruption.signal.aborted) process.exit(1);
  interruption.abort();
}

process.on("SIGINT", interrupt);
process.on("SIGTERM", interrupt);
process.stdout.on("error", interrupt);

const wanted = optionsOf(parseSoakOptions, soakHelp);
if (wanted !== undefined) await soak(wanted);
