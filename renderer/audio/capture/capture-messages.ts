import type { Gate } from "../edges.ts";
import type { VoiceStrength } from "../../../p2p/api/engine.ts";
import type { EncodedVoice } from "../../../p2p/core/jitter/voice-codec.ts";
import type { MaskCharacter } from "../mask/mask-character.ts";

/** Samples that the capture worklet sends at a time: 20 ms. */
export const captureSamples = 960;

/** To the capture worker. */
export type ToCapture =
  /**
   * Where sound comes from: a ring shared with the worklet, or a port at which blocks of `captureSamples` samples come;
   * and how old their first sample is then, beside its 20 ms.
   */
  | { readonly kind: "begin"; readonly source: SharedArrayBuffer | MessagePort; readonly deviceLatencyMs: number }
  /** From now on this mask is worn, or none. */
  | { readonly kind: "mask"; readonly character: MaskCharacter | undefined }
  /** Keeps this many samples of what others would hear, from now on; 0 ends it, and what was kept comes. */
  | { readonly kind: "record"; readonly samples: number }
  /** How the normal layer is made from now on. */
  | { readonly kind: "strength"; readonly strength: VoiceStrength }
  | { readonly kind: "gate"; readonly gate: Gate };

/** What the capture worklet is made with. Without a ring, samples go over a port that is posted to it. */
export interface CaptureWorkletOptions {
  readonly ring?: SharedArrayBuffer;
}

/** To the capture worklet, over its own port: end for good. */
export type ToCaptureWorklet = "end";

/** From the capture worker. */
export type FromCapture =
  | { readonly kind: "begun" }
  /** Times in Unix ms. */
  | { readonly kind: "packet"; readonly packet: EncodedVoice; readonly capturedAt: number }
  | { readonly kind: "rms"; readonly rms: number }
  | { readonly kind: "recorded"; readonly pcm: Float32Array<ArrayBuffer> }
  | { readonly kind: "broken" };
