/// <reference types="vite/client" />
import type { HeardPacket, SpokenPacket } from "../../../p2p/api/engine.ts";
import { millis, type VoiceKey } from "../../../p2p/api/ids.ts";
import { Rng } from "../../../p2p/core/rng.ts";
import { clockNow } from "../../../renderer/audio/clock.ts";
import { createMicrophone } from "../../../renderer/audio/capture/microphone-browser.ts";
import { createSpeakers } from "../../../renderer/audio/playout/speakers-browser.ts";
import { ringMemory, SampleRing } from "../../../renderer/audio/ring.ts";
import type { SoundFaultCode } from "../../../renderer/audio/types.ts";
// The bundler makes a default export of them: the address.
// oxlint-disable-next-line import/default
import playoutWorkletUrl from "../../../renderer/audio/playout/playout-worklet.ts?worker&url";
// oxlint-disable-next-line import/default
import recorderUrl from "./recorder-worklet.ts?worker&url";

/** What the network between microphone and loudspeakers does. */
export interface Channel {
  readonly seed: string;
  readonly lossShare: number;
  /** Mean of what is added to 30 ms; exponential. */
  readonly jitterMs: number;
}

const self = "5e1f" as VoiceKey;
const microphone = createMicrophone({ processing: location.hash !== "#unprocessed" });
const recorded: Float32Array[] = [];
const speakers = createSpeakers((context, last) => void record(context, last));
const packets: {
  readonly at: number;
  readonly capturedAt: number;
  readonly opus: readonly number[];
  readonly low: readonly number[];
}[] = [];
const levels: { readonly at: number; readonly level: number }[] = [];
const microphoneFaults: (SoundFaultCode | undefined)[] = [];
let heardLevelMax = 0;
let sequence = 0;

microphone.onFault((fault) => microphoneFaults.push(fault?.code));
microphone.onLevel((level) => levels.push({ at: performance.now(), level }));
speakers.onLevels((all) => (heardLevelMax = Math.max(heardLevelMax, all.get(self) ?? 0)));

async function record(context: AudioContext, last: AudioNode): Promise<void> {
  await context.audioWorklet.addModule(recorderUrl);
  const recorder = new AudioWorkletNode(context, "recorder", { numberOfOutputs: 0 });
  recorder.port.onmessage = ({ data }: MessageEvent<Float32Array>) => void recorded.push(data);
  last.connect(recorder);
}

/** The packet over the channel to the loudspeakers. */
function send(packet: SpokenPacket, { lossShare, jitterMs }: Channel, rng: Rng): void {
  const lost = rng.next() < lossShare;
  const delayMs = 30 - jitterMs * Math.log(1 - rng.next());
  const number = sequence++;
  if (lost) return;
  setTimeout(() => {
    const { opus, capturedAt } = packet;
    const heard: HeardPacket = {
      speaker: self,
      sequence: number,
      layer: "normal",
      opus,
      capturedAt,
      receivedAt: millis(clockNow()),
    };
    speakers.push(heard);
  }, delayMs);
}

/** The latest samples, 16 bits each, as base64: playwright carries text fastest. */
function recording(samples: number): string {
  const pieces = recorded.slice(-Math.ceil(samples / 128));
  const pcm = new Int16Array(pieces.length * 128);
  pieces.forEach((piece, index) =>
    pcm.set(
      piece.map((sample) => Math.max(-1, Math.min(1, sample)) * 32_767),
      index * 128,
    ),
  );
  let bytes = "";
  for (let at = 0; at < pcm.length; at += 8192)
    bytes += String.fromCharCode(...new Uint8Array(pcm.buffer).subarray(at * 2, (at + 8192) * 2));
  return btoa(bytes);
}

/** Tracks that the page was given since `watchTracks`. */
const tracks: MediaStreamTrack[] = [];

/** `endsFirst`: the first one goes away while it is still being opened. */
function watchTracks(endsFirst = false): void {
  const devices = navigator.mediaDevices;
  const real = devices.getUserMedia.bind(devices);
  devices.getUserMedia = async (constraints) => {
    const stream = await real(constraints);
    tracks.push(...stream.getTracks());
    if (endsFirst && tracks.length === 1) setTimeout(unplug);
    return stream;
  };
}

/** What the browser tells of a device that is pulled out. */
function unplug(): void {
  const track = tracks.at(-1)!;
  track.stop();
  track.dispatchEvent(new Event("ended"));
}

/** The ring of the tone that plays beside ours, once it does. */
let bare: SampleRing | undefined;

/** Plays a tone from a worker of its own, through the window's own worklet. Needs shared memory. */
async function playBare(): Promise<void> {
  const memory = ringMemory(true) as SharedArrayBuffer;
  const context = new AudioContext({ sampleRate: 48_000, latencyHint: "interactive" });
  await context.audioWorklet.addModule(playoutWorkletUrl);
  const options = { numberOfInputs: 0, outputChannelCount: [1], processorOptions: { ring: memory } };
  new AudioWorkletNode(context, "playout", options).connect(context.destination);
  new Worker(new URL("./bare-worker.ts", import.meta.url), { type: "module" }).postMessage(memory);
  bare = new SampleRing(memory);
}

const harness = {
  microphone,
  speakers,
  isolated: () => globalThis.crossOriginIsolated,
  /** Leads the microphone to the loudspeakers from now on. */
  connect: (channel: Channel) => {
    const rng = new Rng(channel.seed);
    microphone.onPacket((packet) => {
      packets.push({
        at: performance.now(),
        capturedAt: packet.capturedAt,
        opus: [...packet.opus],
        low: [...(packet.low ?? [])],
      });
      send(packet, channel, rng);
    });
  },
  packets: () => packets,
  levels: () => levels,
  heardLevelMax: () => heardLevelMax,
  microphoneFaults: () => microphoneFaults,
  stats: () => {
    const { speakers: all, ...rest } = speakers.stats();
    return { ...rest, speaker: all.get(self) };
  },
  playBare,
  bareUnderruns: () => bare?.underruns ?? 0,
  recordedMs: () => (recorded.length * 128) / 48,
  recording,
  watchTracks,
  unplug,
  now: () => performance.now(),
};

/** What the test calls. */
export type Harness = typeof harness;

Object.assign(globalThis, { harness });

// Whatever playwright runs counts as a click: only the page itself can begin without one, and say what came of it.
if (location.hash === "#start") {
  speakers.onFault((fault) => console.log(fault?.code ?? "no fault"));
  void speakers.start();
}
