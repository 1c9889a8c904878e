/**
 * `npm run busy -- [--for 10m]`: a microphone talks to loudspeakers in a real browser while the page's own thread is busy
 * four fifths of the time. Counts underruns of the sound device and sound that the microphone lost; exit 1 when there are
 * any. Baselines in the same run: the page idle, and the page idle while another process works as much, each as long; and
 * all the while, beside ours, a tone from a worker that does nothing else, through the same worklet with 40 ms waiting: what
 * it lacks, this computer has not given to anybody.
 */
import { spawn } from "node:child_process";
import { fileURLToPath } from "node:url";
import type { Page } from "playwright-core";
import { fixturePath, readAudio } from "../audio/sounds.ts";
import type { Harness } from "../e2e/sound-page/page.ts";
import { SoundPages } from "../e2e/sound-pages.ts";

declare const harness: Harness;

/** The page's thread works for so long, and rests for so long, in ms: a heavy screen drawn again and again. */
const busyMs = 120;
const restMs = 30;
/** Packets are 40 ms apart; the clock that follows the device's drift moves them by less than this. */
const stepMsMax = 45;

/** What a stretch of time with a busy page brought. */
export interface BusyStretch {
  /** Times that the sound device found nothing to play. */
  readonly underruns: number;
  /** The same of a tone that plays beside it. */
  readonly bareUnderruns: number;
  /** What waited for the device at the end, ms. */
  readonly bufferedMs: number;
  /** Packets of the microphone, and places between them where sound is missing. */
  readonly packets: number;
  readonly holes: number;
  /** How much of the time the page's thread worked. */
  readonly busyShare: number;
  /** The longest that it worked without a break, ms. */
  readonly longestBusyMs: number;
}

/** Opens a page that talks and listens over shared memory. */
export async function openBusyPage(pages: SoundPages): Promise<Page> {
  const speech = await readAudio(fixturePath("speech.flac"));
  const page = await pages.open({ speech, mayCapture: true, mayPlay: true, isolated: true, begin: "unprocessed" });
  await page.evaluate(async () => {
    harness.connect({ seed: "busy", lossShare: 0, jitterMs: 0 });
    await harness.speakers.start();
    await harness.playBare();
    await harness.microphone.start();
    harness.microphone.setMuted(false);
  });
  await page.waitForFunction(() => harness.packets().length >= 50);
  return page;
}

/** Keeps the page busy for so long, or idle. Its statistics are a second old at most: that second is let pass at both ends. */
export async function stretch(page: Page, ms: number, busy = true): Promise<BusyStretch> {
  return page.evaluate(
    async ([duration, work, rest, stepMax]) => {
      const pause = (length: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, length));
      await pause(1100);
      const before = {
        underruns: harness.stats().underruns,
        bareUnderruns: harness.bareUnderruns(),
        packets: harness.packets().length,
      };
      const start = performance.now();
      let worked = 0;
      let longestBusyMs = 0;
      while (performance.now() - start < duration) {
        const began = performance.now();
        while (performance.now() - began < work);
        worked += performance.now() - began;
        longestBusyMs = Math.max(longestBusyMs, performance.now() - began);
        await pause(rest);
      }
      const busyShare = worked / (performance.now() - start);
      await pause(1100);
      const packets = harness.packets().slice(before.packets);
      const steps = packets.slice(1).map(({ capturedAt }, index) => capturedAt - packets[index]!.capturedAt);
      return {
        underruns: harness.stats().underruns - before.underruns,
        bareUnderruns: harness.bareUnderruns() - before.bareUnderruns,
        bufferedMs: Math.round(harness.stats().bufferedMs),
        packets: packets.length,
        holes: steps.filter((step) => step > stepMax).length,
        busyShare,
        longestBusyMs,
      };
    },
    [ms, busy ? busyMs : 0, restMs, stepMsMax] as const,
  );
}

/** While another process works and rests as the page would. */
async function besideWork<Result>(measure: () => Promise<Result>): Promise<Result> {
  const work = `setInterval(() => { const began = Date.now(); while (Date.now() - began < ${busyMs}); }, ${busyMs + restMs})`;
  const worker = spawn(process.execPath, ["--eval", work], { stdio: "ignore" });
  try {
    return await measure();
  } finally {
    worker.kill();
  }
}

async function run(words: readonly string[]): Promise<void> {
  const [, count = "10", unit = "m"] = /^(\d+)(s|m)$/.exec(words[words.indexOf("--for") + 1] ?? "") ?? [];
  const pages = await SoundPages.build();
  try {
    const page = await openBusyPage(pages);
    const ms = Number(count) * (unit === "m" ? 60_000 : 1000);
    const idle = await stretch(page, ms, false);
    const elsewhere = await besideWork(() => stretch(page, ms, false));
    const busy = await stretch(page, ms);
    console.log(JSON.stringify({ idle, elsewhere, busy }));
    process.exitCode = busy.underruns + busy.holes > 0 ? 1 : 0;
  } finally {
    await pages.close();
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await run(process.argv.slice(2));
