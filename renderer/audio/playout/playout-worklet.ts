import type { OutletReport, PlayoutWorkletOptions, ToPlayoutWorklet } from "./playout-messages.ts";
import { blockSamples, ringMemory, SampleRing } from "../ring.ts";
import { workletScope, type WorkletNodeOptions, type WorkletProcessor } from "../worklet-scope.ts";

/** The worker is told that sound was taken after so much of it, 5 ms: half of what it makes at a time, so that little need wait. */
const noticeSamples = blockSamples / 2;

/** Plays what the worker wrote. Runs on the sound thread: with a shared ring it neither waits nor allocates. */
class PlayoutProcessor extends workletScope.AudioWorkletProcessor implements WorkletProcessor {
  readonly #ring: SampleRing;
  /** Where memory is not shared: the worker's end. */
  #outlet: MessagePort | undefined;
  #unreported = 0;
  #ended = false;

  constructor(options: WorkletNodeOptions) {
    super();
    const { ring } = options.processorOptions as PlayoutWorkletOptions;
    this.#ring = new SampleRing(ring ?? ringMemory(false));
    this.port.onmessage = ({ data }: MessageEvent<ToPlayoutWorklet | MessagePort>) => {
      if (data === "end") this.#ended = true;
      else this.#listen(data);
    };
  }

  process(_inputs: Float32Array[][], outputs: Float32Array[][]): boolean {
    const channel = outputs[0]?.[0];
    if (channel === undefined) return !this.#ended;
    this.#ring.read(channel);
    this.#unreported += channel.length;
    if (this.#unreported >= noticeSamples) {
      this.#unreported = 0;
      if (this.#outlet === undefined) this.#ring.notify();
      else this.#report(this.#outlet);
    }
    return !this.#ended;
  }

  #listen(outlet: MessagePort): void {
    this.#outlet = outlet;
    outlet.onmessage = ({ data }: MessageEvent<Float32Array>) => void this.#ring.write(data);
    this.#report(outlet);
  }

  #report(outlet: MessagePort): void {
    const { filled, underruns } = this.#ring;
    outlet.postMessage({ filled, underruns } satisfies OutletReport);
  }
}

workletScope.registerProcessor("playout", PlayoutProcessor);
