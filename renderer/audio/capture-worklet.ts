import { captureSamples } from "./capture-messages.ts";
import { workletScope, type WorkletProcessor } from "./worklet-scope.ts";

/** Gathers 20 ms of the microphone (its first channel) and sends them to the worker. */
class CaptureProcessor extends workletScope.AudioWorkletProcessor implements WorkletProcessor {
  #block = new Float32Array(captureSamples);
  #filled = 0;
  #sink: MessagePort | undefined;
  #ended = false;

  constructor() {
    super();
    this.port.onmessage = ({ data }: MessageEvent<MessagePort | "end">) => {
      if (data === "end") this.#ended = true;
      else this.#sink = data;
    };
  }

  process(inputs: Float32Array[][]): boolean {
    const channel = inputs[0]?.[0];
    for (let start = 0; channel !== undefined && start < channel.length;) {
      const piece = channel.subarray(start, start + captureSamples - this.#filled);
      this.#block.set(piece, this.#filled);
      this.#filled += piece.length;
      start += piece.length;
      if (this.#filled === captureSamples) this.#send();
    }
    return !this.#ended;
  }

  #send(): void {
    this.#sink?.postMessage(this.#block, [this.#block.buffer]);
    this.#block = new Float32Array(captureSamples);
    this.#filled = 0;
  }
}

workletScope.registerProcessor("capture", CaptureProcessor);
