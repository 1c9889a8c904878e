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

/** Where it is listened in: at the end of the page's audio graph, or at its microphone as the page is given it. */
export type TapPlace = "ear" | "mouth";

interface Piece {
  readonly context: AudioContext;
  readonly frame: number;
  readonly samples: Float32Array;
  /** When the page was told of it, ms. */
  readonly at: number;
}

/** What a page keeps for the test. */
interface Tap {
  /** Oldest first. */
  readonly pieces: Record<TapPlace, Piece[]>;
  /** When the pointer last went down, Unix ms. */
  clickAt: number;
  /** When the first control could be used, Unix ms. */
  interactiveAt: number | undefined;
}

declare global {
  interface Window {
    tap: Tap;
  }
}

/** A stretch of sound of a page. */
export interface Recording {
  /** When its first sample was at the ear, or came from the microphone, Unix ms. */
  readonly startMs: number;
  /** At 48 kHz. */
  readonly samples: Float32Array;
}

/**
 * Listens in at the very end of every audio graph of the pages to come, with `mouth` also at their microphone, and notes
 * when they can be used. The context must bypass the content's policy: the window itself lets nobody listen in.
 */
export async function installTap(browser: BrowserContext, { mouth }: { readonly mouth: boolean }): Promise<void> {
  await browser.addInitScript(listenIn, { worklet, piecesMax, mouth });
}

/** Runs in the page before anything else does. */
function listenIn(options: { readonly worklet: string; readonly piecesMax: number; readonly mouth: boolean }): void {
  const tap: Tap = { pieces: { ear: [], mouth: [] }, clickAt: 0, interactiveAt: undefined };
  window.tap = tap;
  const plainConnect = AudioNode.prototype.connect as (this: AudioNode, ...to: unknown[]) => AudioNode;
  const record = async (node: AudioNode, place: TapPlace): Promise<void> => {
    const context = node.context as AudioContext;
    const source = URL.createObjectURL(new Blob([options.worklet], { type: "text/javascript" }));
    await context.audioWorklet.addModule(source);
    const recorder = new AudioWorkletNode(context, "tap", { numberOfOutputs: 0 });
    const pieces = tap.pieces[place];
    recorder.port.onmessage = ({ data }: MessageEvent<{ frame: number; samples: Float32Array }>) => {
      pieces.push({ context, ...data, at: performance.now() });
      if (pieces.length > options.piecesMax) pieces.shift();
    };
    plainConnect.call(node, recorder);
  };
  AudioNode.prototype.connect = function (this: AudioNode, ...to: unknown[]): AudioNode {
    if (to[0] instanceof AudioDestinationNode) void record(this, "ear");
    return plainConnect.apply(this, to);
  };
  const { mediaDevices } = navigator;
  // Not in pages of no secure origin, such as the empty one that a tab begins with.
  const plainMedia = mediaDevices?.getUserMedia.bind(mediaDevices);
  if (options.mouth && plainMedia !== undefined) {
    mediaDevices.getUserMedia = async (constraints) => {
      const stream = await plainMedia(constraints);
      const context = new AudioContext({ sampleRate: 48_000, latencyHint: "interactive" });
      void record(context.createMediaStreamSource(stream), "mouth");
      return stream;
    };
  }
  addEventListener("pointerdown", ({ timeStamp }) => (tap.clickAt = performance.timeOrigin + timeStamp), true);
  const observer = new MutationObserver(() => {
    if (document.querySelector("button:enabled, textarea:enabled") === null) return;
    observer.disconnect();
    // After the frame in which it is drawn.
    requestAnimationFrame(() => setTimeout(() => (tap.interactiveAt = performance.timeOrigin + performance.now())));
  });
  observer.observe(document, { childList: true, subtree: true });
}

/** Lets go of what was recorded until now. */
export function forget(page: Page): Promise<void> {
  return page.evaluate(() => {
    window.tap.pieces.ear.length = 0;
    window.tap.pieces.mouth.length = 0;
  });
}

/** Resolves once so many ms are recorded. */
export async function recorded(page: Page, ms: number, place: TapPlace = "ear"): Promise<void> {
  const least = Math.ceil((ms * sampleRate) / 1000 / pieceSamples);
  await page.waitForFunction(
    (wanted) => window.tap.pieces[wanted.place].length >= wanted.least,
    { place, least },
    { polling: 50 },
  );
}

/** What was to be heard in the latest `ms`, or since it last began or was told to forget. */
export async function takeRecording(page: Page, place: TapPlace = "ear", ms = Infinity): Promise<Recording> {
  const count = Math.min(Math.ceil((ms * sampleRate) / 1000 / pieceSamples), piecesMax);
  const { startMs, text } = await page.evaluate(
    (wanted) => {
      const every = window.tap.pieces[wanted.place];
      const context = every.at(-1)!.context;
      const all = every.filter((piece) => piece.context === context);
      const pieces = all.slice(Math.max(0, all.length - wanted.count));
      const first = pieces[0]!.frame;
      const last = pieces.at(-1)!;
      const samples = new Int16Array(last.frame + last.samples.length - first);
      for (const piece of pieces) {
        const at = piece.frame - first;
        piece.samples.forEach((sample, index) => {
          samples[at + index] = Math.round(Math.max(-1, Math.min(1, sample)) * 32_767);
        });
      }
      const seconds = (frame: number): number => frame / context.sampleRate;
      let start: number;
      if (wanted.place === "ear") {
        const { contextTime = 0, performanceTime = 0 } = context.getOutputTimestamp();
        start = performanceTime + (seconds(first) - contextTime) * 1000;
      } else {
        // The quickest message tells when the graph had the sound; it was told at the end of its piece.
        const ends = pieces.map(({ at, frame, samples: { length } }) => at - seconds(frame + length) * 1000);
        start = Math.min(...ends) + seconds(first) * 1000;
      }
      const bytes = new Uint8Array(samples.buffer);
      let binary = "";
      for (let at = 0; at < bytes.length; at += 8192) binary += String.fromCharCode(...bytes.subarray(at, at + 8192));
      return { startMs: performance.timeOrigin + start, text: btoa(binary) };
    },
    { place, count },
  );
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
