export { frameSamples, packetSamples, sampleRateHz } from "../../core/jitter/voice-codec.ts";

/** The sample itself, or the nearest that a loudspeaker can play: within ±1, and 0 for NaN. */
export function playable(sample: number): number {
  if (sample > 1) return 1;
  if (sample < -1) return -1;
  return Number.isNaN(sample) ? 0 : sample;
}

/** Mean over the channels (all of one length), each sample made `playable`: float files may hold anything. */
export function downmix(channels: readonly Float32Array[]): Float32Array {
  const mono = new Float32Array(channels[0]?.length ?? 0);
  for (const channel of channels) {
    for (let index = 0; index < mono.length; index += 1) mono[index]! += channel[index] ?? 0;
  }
  for (let index = 0; index < mono.length; index += 1) mono[index] = playable(mono[index]! / channels.length);
  return mono;
}
