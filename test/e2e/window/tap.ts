import type { BrowserContext, Page } from "playwright-core";

const sampleRate = 48_000;
/** Samples the worklet gathers before it tells of them. */
const pieceSamples = 1024;
/** What the page keeps: 40 s, longer than any test records. */
const piecesMax = Math.ceil((40 * sampleRate) / pieceSamples);

/** Gathers the first channel of its input and the frame of the audio graph at which it began. */
const worklet = `
registerProcessor("tap", class extends AudioWorkletProcessor {
  samples = new Float32Array(${pieceSamples});
  filled = 0;
  process([input]) {
    if (this.filled === 0) this.frame = currentFrame;
    if (input[0]) this.samples.set(input[0], this.filled);
    this.filled += 128;
    if (this.filled < ${pieceSamples}) return true;
    this.port.postMessage({ frame: this.frame, samples: this.samples });
    this.samples = new Float32Array(${pieceSamples});
    this.filled = 0;
    return true;
  }
});
`;

/** What a page keeps for the test. */
interface Tap {
  /** Sound as it went to the loudspeakers, oldest first. */
  pieces: { readonly context: AudioContext; readonly frame: number; readonly samples: Float32Array }[];
  /** When the pointer last went down, Unix ms. */
  clickAt: number;
  /** When the first control could be used, ms after the navigation began. */
  interactiveMs: number | undefined;
}

declare global {
  interface Window {
    tap: Tap;
  }
}

/** A stretch of what a window played. */
export interface Recording {
  /** When its first sample was at the ear, Unix ms. */
  readonly startMs: number;
  /** At 48 kHz. */
  readonly samples: Float32Array;
}

/**
 * Listens in at the very end of every audio graph of the pages to come, and notes when their window can be used. The
 * context must bypass the content's policy: the window itself lets nobody listen in.
 */
export async function installTap(browser: BrowserContext): Promise<void> {
  await browser.addInitScript(listenIn, { worklet, piecesMax });
}

/** Runs in the page before anything else does. */
function listenIn(options: { readonly worklet: string; readonly piecesMax: number }): void {
  const tap: Tap = { pieces: [], clickAt: 0, interactiveMs: undefined };
  window.tap = tap;
  const plainConnect = AudioNode.prototype.connect as (this: AudioNode, ...to: unknown[]) => AudioNode;
  const record = async (node: AudioNode): Promise<void> => {
    const context = node.context as AudioContext;
    const source = URL.createObjectURL(new Blob([options.worklet], { type: "text/javascript" }));
    await context.audioWorklet.addModule(source);
    const recorder = new AudioWorkletNode(context, "tap", { numberOfOutputs: 0 });
    recorder.port.onmessage = ({ data }: MessageEvent<{ frame: number; samples: Float32Array }>) => {
      tap.pieces.push({ context, ...data });
      if (tap.pieces.length > options.piecesMax) tap.pieces.shift();
    };
    plainConnect.call(node, recorder);
  };
  AudioNode.prototype.connect = function (this: AudioNode, ...to: unknown[]): AudioNode {
    if (to[0] instanceof AudioDestinationNode) void record(this);
    return plainConnect.apply(this, to);
  } as typeof AudioNode.prototype.connect;
  addEventListener("pointerdown", ({ timeStamp }) => (tap.clickAt = performance.timeOrigin + timeStamp), true);
  const observer = new MutationObserver(() => {
    if (document.querySelector("button:enabled, textarea:enabled") === null) return;
    observer.disconnect();
    // After the frame in which it is drawn.
    requestAnimationFrame(() => setTimeout(() => (tap.interactiveMs = performance.now())));
  });
  observer.observe(document, { childList: true, subtree: true });
}

/** Lets go of what was recorded until now. */
export function forget(page: Page): Promise<void> {
  return page.evaluate(() => void (window.tap.pieces.length = 0));
}

/** Resolves once so many ms are recorded. */
export async function recorded(page: Page, ms: number): Promise<void> {
  const pieces = Math.ceil((ms * sampleRate) / 1000 / pieceSamples);
  await page.waitForFunction((least) => window.tap.pieces.length >= least, pieces, { polling: 50 });
}

/** What the window played in the latest `ms`, or since it last began or was told to forget. */
export async function takeRecording(page: Page, ms = Infinity): Promise<Recording> {
  const latest = Math.ceil((ms * sampleRate) / 1000 / pieceSamples);
  const { startMs, text } = await page.evaluate((count) => {
    const context = window.tap.pieces.at(-1)!.context;
    const all = window.tap.pieces.filter((piece) => piece.context === context);
    const pieces = all.slice(Math.max(0, all.length - count));
    const first = pieces[0]!.frame;
    const last = pieces.at(-1)!;
    const samples = new Int16Array(last.frame + last.samples.length - first);
    for (const piece of pieces) {
      const at = piece.frame - first;
      piece.samples.forEach((sample, index) => {
        samples[at + index] = Math.round(Math.max(-1, Math.min(1, sample)) * 32_767);
      });
    }
    const { contextTime = 0, performanceTime = 0 } = context.getOutputTimestamp();
    const bytes = new Uint8Array(samples.buffer);
    let text = "";
    for (let at = 0; at < bytes.length; at += 8192) text += String.fromCharCode(...bytes.subarray(at, at + 8192));
    return {
      startMs: performance.timeOrigin + performanceTime + (first / context.sampleRate - contextTime) * 1000,
      text: btoa(text),
    };
  }, Math.min(latest, piecesMax));
  const bytes = Buffer.from(text, "base64");
  const samples = Float32Array.from({ length: bytes.length / 2 }, (_, index) => bytes.readInt16LE(index * 2) / 32_767);
  return { startMs, samples };
}

/** When the recording's last sound louder than 1 % of its loudest was at the ear, Unix ms. */
export function lastSoundAt({ startMs, samples }: Recording): number {
  const loudest = samples.reduce((most, sample) => Math.max(most, Math.abs(sample)), 0);
  const index = samples.findLastIndex((sample) => Math.abs(sample) > loudest * 0.01);
  return startMs + (index * 1000) / sampleRate;
}
