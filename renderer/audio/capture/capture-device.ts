import { sampleRateHz } from "../../../p2p/core/jitter/voice-codec.ts";
import { millis } from "../../../p2p/api/ids.ts";
import type { CaptureWorkletOptions, FromCapture, ToCapture, ToCaptureWorklet } from "./capture-messages.ts";
// The bundler makes a default export of it: the address.
// oxlint-disable-next-line import/default
import captureWorkletUrl from "./capture-worklet.ts?worker&url";
import { clockNow } from "../clock.ts";
import { listDevices, onDeviceChange } from "../devices.ts";
import { Staleness } from "./capture-clock.ts";
import type { Capture, CaptureEdge, CaptureHandlers } from "../edges.ts";
import { ringMemory } from "../ring.ts";

/** What a device says of itself beyond that is no delay that anybody could talk with. */
const latencyMsMax = 300;

/**
 * The browser's microphones. With `processing` the browser takes echo and noise away and levels what is said; without,
 * it gives what the device gives.
 */
export function captureDevice(processing: boolean): CaptureEdge {
  return {
    open: (device, handlers) => open(device, processing, handlers),
    devices: () => listDevices("audioinput"),
    onChange: onDeviceChange,
  };
}

/** Rejects as `getUserMedia` does, or with what kept a part of ours from starting. */
async function open(device: string | undefined, processing: boolean, handlers: CaptureHandlers): Promise<Capture> {
  const stream = await navigator.mediaDevices.getUserMedia({
    audio: {
      echoCancellation: processing,
      noiseSuppression: processing,
      autoGainControl: processing,
      channelCount: 1,
      ...(device === undefined ? {} : { deviceId: { exact: device } }),
    },
  });
  const track = stream.getAudioTracks()[0]!;
  // Shut until somebody wants it: the track gives silence from the first moment.
  track.enabled = false;
  try {
    return await opened(stream, track, handlers);
  } catch (error) {
    track.stop();
    throw error;
  }
}

/** Leads an open track to packets. When it rejects, the track is the caller's to stop. */
async function opened(stream: MediaStream, track: MediaStreamTrack, handlers: CaptureHandlers): Promise<Capture> {
  const worker = new Worker(new URL("./capture-worker.ts", import.meta.url), { type: "module" });
  const context = new AudioContext({ sampleRate: sampleRateHz, latencyHint: "interactive" });
  let closed = false;
  let node: AudioWorkletNode | undefined;
  const close = (): void => {
    if (closed) return;
    closed = true;
    track.stop();
    node?.port.postMessage("end" satisfies ToCaptureWorklet);
    worker.terminate();
    void context.close();
  };
  const say = (message: ToCapture, transfer: Transferable[] = []): void => worker.postMessage(message, transfer);
  // What is waited for below may never hear of it.
  const ended = whenEnded(track, () => {
    if (closed) return;
    close();
    handlers.onEnded();
  });
  try {
    const begun = listen(worker, handlers, close);
    await Promise.race([context.audioWorklet.addModule(captureWorkletUrl), ended]);
    const ring = globalThis.crossOriginIsolated ? (ringMemory(true) as SharedArrayBuffer) : undefined;
    node = connect(stream, context, ring);
    const source = ring ?? sourcePort(node);
    const { latency = 0 } = track.getSettings() as { latency?: number };
    const deviceLatencyMs = Math.min(latencyMsMax, Math.max(0, latency * 1000 || 0));
    say({ kind: "begin", source, deviceLatencyMs }, source instanceof MessagePort ? [source] : []);
    await Promise.race([begun, ended]);
  } catch (error) {
    close();
    throw error;
  }
  return {
    setGate: (gate) => {
      track.enabled = gate !== "shut";
      say({ kind: "gate", gate });
    },
    setMask: (character) => say({ kind: "mask", character }),
    setStrength: (strength) => say({ kind: "strength", strength }),
    record: (samples) => say({ kind: "record", samples }),
    close,
  };
}

/** Rejects when the device goes away, or is gone already, and calls `then` first. */
function whenEnded(track: MediaStreamTrack, then: () => void): Promise<never> {
  const ended = new Promise<never>((_resolve, reject) => {
    const end = (): void => {
      then();
      reject(new Error("the microphone went away"));
    };
    if (track.readyState === "ended") end();
    else track.addEventListener("ended", end);
  });
  // Once all is open nobody waits for it any more.
  ended.catch(() => undefined);
  return ended;
}

/** Resolves when the worker is ready; rejects when it broke before. */
function listen(worker: Worker, handlers: CaptureHandlers, close: () => void): Promise<void> {
  const staleness = new Staleness();
  return new Promise((resolve, reject) => {
    const broken = (): void => {
      close();
      reject(new Error("the capture worker failed"));
      handlers.onBroken();
    };
    worker.onerror = broken;
    worker.onmessage = ({ data }: MessageEvent<FromCapture>) => {
      switch (data.kind) {
        case "begun":
          return resolve();
        case "packet":
          if (staleness.isStale(data.capturedAt, clockNow())) return undefined;
          return handlers.onPacket({ ...data.packet, capturedAt: millis(data.capturedAt) });
        case "rms":
          return handlers.onRms(data.rms);
        case "recorded":
          return handlers.onRecorded(data.pcm);
        case "broken":
          return broken();
        default:
          return data satisfies never;
      }
    };
  });
}

/** Leads the stream into the worklet. */
function connect(stream: MediaStream, context: AudioContext, ring: SharedArrayBuffer | undefined): AudioWorkletNode {
  const processorOptions: CaptureWorkletOptions = ring === undefined ? {} : { ring };
  const node = new AudioWorkletNode(context, "capture", { numberOfInputs: 1, numberOfOutputs: 0, processorOptions });
  context.createMediaStreamSource(stream).connect(node);
  // A page that captures may play; where it may not, it waits for a click without harm.
  context.resume().catch(() => undefined);
  return node;
}

function sourcePort(node: AudioWorkletNode): MessagePort {
  const { port1, port2 } = new MessageChannel();
  node.port.postMessage(port1, [port1]);
  return port2;
}
