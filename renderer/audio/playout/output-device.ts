import { sampleRateHz } from "../../../p2p/core/jitter/voice-codec.ts";
import { clockNow } from "../clock.ts";
import { hasLoudspeaker, listDevices, onDeviceChange } from "../devices.ts";
import type { Output, OutputEdge, OutputHandlers, OutputPace } from "../edges.ts";
import type { FromPlayout, PlayoutWorkletOptions, ToPlayout, ToPlayoutWorklet } from "./playout-messages.ts";
// The bundler makes a default export of it: the address.
// oxlint-disable-next-line import/default
import playoutWorkletUrl from "./playout-worklet.ts?worker&url";
import { ringMemory } from "../ring.ts";
import { playCue } from "./cues.ts";

/** So long the browser may take to say whether sound may come out: without a click it says nothing at all. */
const unblockMsMax = 500;

/**
 * What the browser is asked for, in s: as little as the device can. Chromium rounds anything above the least up to what
 * "interactive" is, mostly 10 ms, three times which then wait in the device.
 */
const latencyHints = { quick: 0, calm: "interactive" } as const satisfies Record<OutputPace, unknown>;

/** Where the sound goes on its way out, for tests that listen in. */
export type Tap = (context: AudioContext, last: AudioNode) => void;

/** The browser's loudspeakers. `tap` is shown each new audio graph. */
export function outputDevice(tap: Tap = () => {}): OutputEdge {
  return {
    open: (handlers, pace) => open(handlers, pace, tap),
    playBack,
    devices: () => listDevices("audiooutput"),
    hasOutput: hasLoudspeaker,
    onChange: onDeviceChange,
  };
}

async function open(handlers: OutputHandlers, pace: OutputPace, tap: Tap): Promise<Output> {
  const context = new AudioContext({ sampleRate: sampleRateHz, latencyHint: latencyHints[pace] });
  const worker = new Worker(new URL("./playout-worker.ts", import.meta.url), { type: "module" });
  let node: AudioWorkletNode | undefined;
  const close = (): void => {
    node?.port.postMessage("end" satisfies ToPlayoutWorklet);
    worker.terminate();
    if (context.state !== "closed") void context.close();
  };
  const say = (message: ToPlayout, transfer: Transferable[] = []): void => worker.postMessage(message, transfer);
  const outputLatencyMs = (): number => ((context.outputLatency || context.baseLatency) ?? 0) * 1000;
  try {
    const begun = listen(worker, handlers, outputLatencyMs);
    await context.audioWorklet.addModule(playoutWorkletUrl);
    const ring = globalThis.crossOriginIsolated ? (ringMemory(true) as SharedArrayBuffer) : undefined;
    const processorOptions: PlayoutWorkletOptions = ring === undefined ? {} : { ring };
    node = new AudioWorkletNode(context, "playout", {
      numberOfInputs: 0,
      numberOfOutputs: 1,
      outputChannelCount: [1],
      processorOptions,
    });
    const gain = new GainNode(context);
    node.connect(gain).connect(context.destination);
    tap(context, gain);
    const outlet = ring ?? outletPort(node);
    say({ kind: "begin", outlet, outputLatencyMs: outputLatencyMs() }, outlet instanceof MessagePort ? [outlet] : []);
    await begun;
    context.onstatechange = () => handlers.onBlocked(isHeldBack(context));
    const unblock = (): Promise<void> => resume(context, handlers);
    await unblock();
    return {
      // What passed since the engine had it scatters too: the worker can play it from now on.
      push: (packet) => say({ kind: "heard", packet: { ...packet, receivedAt: clockNow() } }),
      // Quieter is heard at once; what is louder than sent must be bent where it is mixed, or it is cut off here.
      setVolume: (volume) => {
        gain.gain.setTargetAtTime(Math.min(1, volume), context.currentTime, volumeSeconds);
        say({ kind: "boost", boost: Math.max(1, volume) });
      },
      setSpeakerVolume: (speaker, volume) => say({ kind: "volume", speaker, volume }),
      setLevelling: (levelling) => say({ kind: "levelling", levelling }),
      setAttention: (attention) => say({ kind: "attention", attention }),
      cue: (kind) => playCue(context, kind),
      setSink: (device) => setSink(context, device),
      unblock,
      close,
    };
  } catch (error) {
    close();
    throw error;
  }
}

/** Rejects where nothing can be played. */
async function playBack(
  pcm: Float32Array<ArrayBuffer>,
  device: string | undefined,
  signal: AbortSignal,
): Promise<void> {
  const context = new AudioContext({ sampleRate: sampleRateHz });
  try {
    if (device !== undefined) await setSink(context, device).catch(() => {});
    await context.resume();
    const buffer = context.createBuffer(1, Math.max(1, pcm.length), sampleRateHz);
    buffer.copyToChannel(pcm, 0);
    const source = new AudioBufferSourceNode(context, { buffer });
    source.connect(context.destination);
    await new Promise<void>((resolve) => {
      source.onended = () => resolve();
      signal.addEventListener("abort", () => resolve());
      if (signal.aborted) resolve();
      source.start();
    });
  } finally {
    void context.close();
  }
}

/** A volume that jumps clicks. */
const volumeSeconds = 0.02;

function outletPort(node: AudioWorkletNode): MessagePort {
  const { port1, port2 } = new MessageChannel();
  node.port.postMessage(port1, [port1]);
  return port2;
}

/** Resolves when the worker is ready; rejects when it broke before. */
function listen(worker: Worker, handlers: OutputHandlers, outputLatencyMs: () => number): Promise<void> {
  return new Promise((resolve, reject) => {
    const broken = (): void => {
      reject(new Error("the playout worker failed"));
      handlers.onBroken();
    };
    worker.onerror = broken;
    worker.onmessage = ({ data }: MessageEvent<FromPlayout>) => {
      switch (data.kind) {
        case "begun":
          return resolve();
        case "levels":
          return handlers.onLevels(data.levels);
        case "stats":
          return handlers.onStats({ ...data, outputLatencyMs: outputLatencyMs() });
        case "dropping":
          return handlers.onDropping();
        case "broken":
          return broken();
        default:
          return data satisfies never;
      }
    };
  });
}

async function resume(context: AudioContext, handlers: OutputHandlers): Promise<void> {
  const answered = context.resume().catch(() => {});
  await Promise.race([answered, new Promise((resolve) => setTimeout(resolve, unblockMsMax))]);
  handlers.onBlocked(isHeldBack(context));
}

/** Suspended before the first click, or interrupted, as by a call that takes the loudspeakers. */
function isHeldBack({ state }: AudioContext): boolean {
  return state !== "running" && state !== "closed";
}

/** Of a working draft, whose types are not in the language's library. */
type SinkContext = AudioContext & { setSinkId?: (id: string) => Promise<void> };

async function setSink(context: SinkContext, device: string | undefined): Promise<void> {
  if (context.setSinkId !== undefined) await context.setSinkId(device ?? "");
  else if (device !== undefined) throw new Error("this browser offers no choice of loudspeakers");
}
