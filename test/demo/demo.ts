import { optionsOf } from "./command-words.ts";
import { demoFigures } from "./figures.ts";
import { demoHelp, parseDemoOptions } from "./options.ts";
import type { DemoOptions } from "./options.ts";
import { DemoFailure, DemoRoom } from "./room.ts";
import type { Witness } from "./room.ts";
import { demoPulse, demoSentence, demoTable } from "./text.ts";

/** `npm run demo`: a whole room on this machine, real processes and real links; see the command-line contract. */

const pulseMs = 2000;
const interruption = new AbortController();
const say = (line: string): boolean => process.stdout.write(`${line}\n`);

/** Prefixes every event with the process it comes from. */
const jsonWitness: Witness = (from, { event, ...fields }) => say(JSON.stringify({ event, from, ...fields }));

const textWitness: Witness = (from, line) => {
  const sentence = demoSentence(from, line);
  if (sentence !== undefined) say(sentence);
};

async function show(demo: DemoOptions): Promise<void> {
  const room = new DemoRoom(demo, demo.json ? jsonWitness : textWitness);
  process.on("exit", () => room.abandon());
  let pulse: NodeJS.Timeout | undefined;
  try {
    await Promise.race([room.open(), aborted()]);
    if (interruption.signal.aborted) return;
    if (!demo.json) {
      await Promise.race([room.show(), aborted()]);
      pulse = setInterval(() => {
        const sentence = demoPulse(room.observed("listener"), performance.now());
        if (sentence !== undefined) say(sentence);
      }, pulseMs);
    }
    const window = await room.pass(interruption.signal);
    const lost = await room.lost(window, interruption.signal);
    if (lost.length > 0) throw new DemoFailure(`${lost.join(", ")} heard nothing more while others went on.`);
    const figures = demoFigures(room.observed("listener"), room.observed("relay"), window);
    // Everybody's own last lines come before ours.
    clearInterval(pulse);
    await room.close();
    say(demo.json ? JSON.stringify(figures) : demoTable(figures));
  } catch (error) {
    if (!(error instanceof DemoFailure)) throw error;
    process.stderr.write(`${error.message}\n`);
    process.exitCode = 1;
  } finally {
    clearInterval(pulse);
    await room.close();
  }
}

async function aborted(): Promise<void> {
  await new Promise<void>((resolve) => interruption.signal.addEventListener("abort", () => resolve(), { once: true }));
}

function interrupt(): void {
  if (interruption.signal.aborted) process.exit(1);
  interruption.abort();
}

process.on("SIGINT", interrupt);
process.on("SIGTERM", interrupt);
process.stdout.on("error", () => interruption.abort());

const demo = optionsOf(parseDemoOptions, demoHelp);
if (demo !== undefined) await show(demo);
