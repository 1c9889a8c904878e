import type { HeardPacket, SpokenPacket } from "../../../p2p/api/engine.ts";
import { millis, type VoiceKey } from "../../../p2p/api/ids.ts";
import { Rng } from "../../../p2p/core/rng.ts";
import { clockNow } from "../../../renderer/audio/clock.ts";
import { createMicrophone } from "../../../renderer/audio/microphone-browser.ts";
import { createSpeakers } from "../../../renderer/audio/speakers-browser.ts";
import { webCodecsPasses } from "../../../renderer/audio/webcodecs-encoder.ts";
import type { SoundFaultCode } from "../../../renderer/audio/types.ts";
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
const packets: { readonly at: number; readonly capturedAt: number; readonly opus: readonly number[] }[] = [];
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
    const heard: HeardPacket = { speaker: self, sequence: number, ...packet, receivedAt: millis(clockNow()) };
    speakers.push(heard);
  }, delayMs);
}

function recording(): number[] {
  const all = new Float32Array(recorded.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const piece of recorded) {
    all.set(piece, at);
    at += piece.length;
  }
  return Array.from(Int16Array.from(all, (sample) => Math.round(Math.max(-1, Math.min(1, sample)) * 32_767)));
}

const harness = {
  microphone,
  speakers,
  webCodecsPasses,
  isolated: () => globalThis.crossOriginIsolated,
  /** Leads the microphone to the loudspeakers from now on. */
  connect: (channel: Channel) => {
    const rng = new Rng(channel.seed);
    microphone.onPacket((packet) => {
      packets.push({ at: performance.now(), capturedAt: packet.capturedAt, opus: [...packet.opus] });
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
  recordedMs: () => (recorded.length * 128) / 48,
  /** 16-bit samples at 48 kHz since the last call to `forget`. */
  recording,
  forget: () => void (recorded.length = packets.length = levels.length = 0),
  now: () => performance.now(),
};

/** What the test calls. */
export type Harness = typeof harness;

Object.assign(globalThis, { harness });
