import { captureSamples, type CaptureWorkletOptions, type ToCaptureWorklet } from "./capture-messages.ts";
import { SampleRing } from "../ring.ts";
import { workletScope, type WorkletNodeOptions, type WorkletProcessor } from "../worklet-scope.ts";

/** Blocks that lie ready where no memory is shared: 160 ms, before the worker gives the first one back. */
const sparesMax = 8;

/**
 * Takes the microphone's sound (its first channel) to the worker. Runs on the sound thread: into a shared ring it neither
 * waits nor allocates. Over a port, blocks of 20 ms come back to be filled again.
 */
class CaptureProcessor extends workletScope.AudioWorkletProcessor implements WorkletProcessor {
  readonly #ring: SampleRing | undefined;
  readonly #spares: Float32Array<ArrayBuffer>[] = [];
  #block: Float32Array<ArrayBuffer> | undefined;
  #filled = 0;
  #sink: MessagePort | undefined;
  #unreported = 0;
  #ended = false;

  constructor(options: WorkletNodeOptions) {
    super();
    const { ring } = options.processorOptions as CaptureWorkletOptions;
    if (ring !== undefined) this.#ring = new SampleRing(ring);
    this.port.onmessage = ({ data }: MessageEvent<MessagePort | ToCaptureWorklet>) => {
      if (data === "end") this.#ended = true;
      else this.#send(data);
    };
  }

  process(inputs: Float32Array[][]): boolean {
    const channel = inputs[0]?.[0];
    if (channel === undefined) return !this.#ended;
    if (this.#ring === undefined) this.#gather(channel);
    else this.#pour(this.#ring, channel);
    return !this.#ended;
  }

  /** What finds no room is lost: the worker was away for a third of a second. */
  #pour(ring: SampleRing, channel: Float32Array): void {
    ring.write(channel);
    this.#unreported += channel.length;
    if (this.#unreported < captureSamples) return;
    this.#unreported -= captureSamples;
    ring.notifyWritten();
  }

  #send(sink: MessagePort): void {
    this.#sink = sink;
    for (let count = 0; count < sparesMax; count += 1) this.#spares.push(new Float32Array(captureSamples));
    sink.onmessage = ({ data }: MessageEvent<Float32Array<ArrayBuffer>>) => void this.#spares.push(data);
  }

  #gather(channel: Float32Array): void {
    for (let at = 0; at < channel.length; at += 1) {
      this.#block ??= this.#spares.pop();
      if (this.#block === undefined) return;
      this.#block[this.#filled] = channel[at]!;
      this.#filled += 1;
      if (this.#filled < captureSamples) continue;
      this.#sink?.postMessage(this.#block, [this.#block.buffer]);
      this.#block = undefined;
      this.#filled = 0;
    }
  }
}

workletScope.registerProcessor("capture", CaptureProcessor);
