import { blockSamples, SampleRing } from "../../../renderer/audio/ring.ts";

/** Kept filled, in samples: 40 ms, as much as ours begins with. */
const fillSamples = 4 * blockSamples;
const tone = Float32Array.from({ length: blockSamples }, (_, index) => 0.01 * Math.sin((index * 2 * Math.PI) / 96));

/** A tone and nothing else into the ring of a worklet: what this computer does to the simplest sound there is. */
async function play(ring: SampleRing): Promise<never> {
  for (;;) {
    while (ring.filled < fillSamples) ring.write(tone);
    await ring.drained(50);
  }
}

addEventListener("message", ({ data }: MessageEvent<SharedArrayBuffer>) => void play(new SampleRing(data)));
