import type { Gate } from "./edges.ts";

/** Samples that the capture worklet sends at a time: 20 ms. */
export const captureSamples = 960;

/** To the capture worker. */
export type ToCapture =
  /** Where blocks of `captureSamples` samples come from, and how old their first sample is then, beside its 20 ms. */
  | { readonly kind: "begin"; readonly source: MessagePort; readonly deviceLatencyMs: number }
  | { readonly kind: "gate"; readonly gate: Gate };

/** From the capture worker. */
export type FromCapture =
  /** Which encoder passed. */
  | { readonly kind: "begun"; readonly encoder: "webcodecs" | "wasm" }
  /** Times in Unix ms. */
  | { readonly kind: "packet"; readonly opus: Uint8Array; readonly capturedAt: number }
  | { readonly kind: "rms"; readonly rms: number }
  | { readonly kind: "broken" };
