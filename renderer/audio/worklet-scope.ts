/** What an AudioWorklet's own thread offers; the types of pages do not know it. */
interface WorkletScope {
  readonly AudioWorkletProcessor: new () => { readonly port: MessagePort };
  registerProcessor(name: string, processor: new (options: WorkletNodeOptions) => WorkletProcessor): void;
}

/** What a processor is made with. */
export interface WorkletNodeOptions {
  readonly processorOptions?: unknown;
}

/** One node's work, 128 samples at a time. */
export interface WorkletProcessor {
  /** False: never again. */
  process(inputs: Float32Array[][], outputs: Float32Array[][]): boolean;
}

/** The global scope of the worklet in which this runs. */
export const workletScope = globalThis as unknown as WorkletScope;
