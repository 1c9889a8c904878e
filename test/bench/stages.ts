import type { BrowserContext, Page } from "playwright-core";
import { limits } from "../../p2p/api/limits.ts";
import type { FromCapture } from "../../renderer/audio/capture/capture-messages.ts";
import type { FromPlayout, ToPlayout } from "../../renderer/audio/playout/playout-messages.ts";

/** A packet that left the window's encoder, or came to its loudspeakers: Unix ms. */
interface Passing {
  readonly capturedAt: number;
  readonly at: number;
}

/** How playing stood: ms. */
interface Playing {
  readonly latencyMs: number;
  readonly bufferedMs: number;
}

interface Marks {
  readonly encoded: Passing[];
  readonly heard: Passing[];
  readonly playing: Playing[];
}

declare global {
  interface Window {
    marks: Marks;
  }
}

/** Where the time between a mouth and an ear goes: medians, ms. They add up to all of it. */
export interface Stages {
  /** From the page's microphone to the capture time of a packet, and whatever no other stage tells of. */
  readonly capture: number;
  /** So long a packet is gathered. */
  readonly packet: number;
  /** The window's thread for capture: encoding both layers. */
  readonly encode: number;
  /** Out of the window, through its engine, over all links, through the ear's engine to its window. */
  readonly links: number;
  /** What packets wait so that those after them come in time. */
  readonly buffer: number;
  /** Sound that waits for the device. */
  readonly fill: number;
  /** What the device adds. */
  readonly device: number;
}

/** Notes in pages to come when packets pass between their threads. */
export async function watchStages(browser: BrowserContext): Promise<void> {
  await browser.addInitScript(watch);
}

/** Runs in the page before anything else does. */
function watch(): void {
  const marks: Marks = { encoded: [], heard: [], playing: [] };
  window.marks = marks;
  const now = (): number => performance.timeOrigin + performance.now();
  const PlainWorker = Worker;
  window.Worker = class extends PlainWorker {
    constructor(url: string | URL, options?: WorkerOptions) {
      super(url, options);
      this.addEventListener("message", ({ data }: MessageEvent<FromCapture | FromPlayout>) => {
        if (data.kind === "packet") marks.encoded.push({ capturedAt: data.capturedAt, at: now() });
        if (data.kind !== "stats") return;
        for (const { latencyMs } of data.speakers.values())
          if (latencyMs !== null) marks.playing.push({ latencyMs, bufferedMs: data.bufferedMs });
      });
    }

    override postMessage(message: ToPlayout, options?: StructuredSerializeOptions | Transferable[]): void {
      if (message.kind === "heard") marks.heard.push({ capturedAt: message.packet.capturedAt, at: now() });
      super.postMessage(message, options as StructuredSerializeOptions);
    }
  };
}

/** Lets go of what was noted until now. */
export function forgetStages(page: Page): Promise<void> {
  return page.evaluate(() => {
    window.marks.encoded.length = window.marks.heard.length = window.marks.playing.length = 0;
  });
}

/** What became of `totalMs` between the two pages, both by one clock. `deviceMs`: what the ear's browser says that its device adds. */
export async function stagesBetween(mouth: Page, ear: Page, totalMs: number): Promise<Stages> {
  const { encoded } = await mouth.evaluate(() => window.marks);
  const { heard, playing } = await ear.evaluate(() => window.marks);
  const deviceMs = await ear.evaluate(() => {
    const context = window.tap.pieces.ear.at(-1)!.context;
    return (context.outputLatency || context.baseLatency) * 1000;
  });
  // The seal carries whole milliseconds.
  const sent = new Map(encoded.map(({ capturedAt, at }) => [Math.floor(capturedAt), at]));
  const links = heard.flatMap(({ capturedAt, at }) => {
    const sentAt = sent.get(Math.floor(capturedAt));
    return sentAt === undefined ? [] : [at - sentAt];
  });
  const encode = median(encoded.map(({ capturedAt, at }) => at - capturedAt - limits.packetMs));
  const arrival = median(heard.map(({ capturedAt, at }) => at - capturedAt));
  const fill = median(playing.map(({ bufferedMs }) => bufferedMs));
  const latency = median(playing.map(({ latencyMs }) => latencyMs));
  const stages = {
    packet: limits.packetMs,
    encode,
    links: median(links),
    buffer: latency - arrival - fill - deviceMs,
    fill,
    device: deviceMs,
  };
  const known = Object.values(stages).reduce((sum, ms) => sum + ms, 0);
  return rounded({ capture: totalMs - known, ...stages });
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? NaN;
}

function rounded(stages: Stages): Stages {
  return Object.fromEntries(Object.entries(stages).map(([name, ms]) => [name, Math.round(ms * 10) / 10])) as never;
}
