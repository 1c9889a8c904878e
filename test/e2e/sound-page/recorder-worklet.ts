import { workletScope, type WorkletProcessor } from "../../../renderer/audio/worklet-scope.ts";

/** Sends every sample of its first input channel to the page; silence where nothing is connected. */
class Recorder extends workletScope.AudioWorkletProcessor implements WorkletProcessor {
  process(inputs: Float32Array[][]): boolean {
    this.port.postMessage(inputs[0]?.[0]?.slice() ?? new Float32Array(128));
    return true;
  }
}

workletScope.registerProcessor("recorder", Recorder);
