import type { HeardPacket } from "../../../p2p/api/engine.ts";
import type { VoiceKey } from "../../../p2p/api/ids.ts";
import type { Attention } from "../../../p2p/core/jitter/delay.ts";
import type { SpeakerStats } from "../types.ts";

/** To the playout worker. */
export type ToPlayout =
  /** Where the sound goes: a ring shared with the worklet, or a port to it. */
  | { readonly kind: "begin"; readonly outlet: SharedArrayBuffer | MessagePort; readonly outputLatencyMs: number }
  | { readonly kind: "heard"; readonly packet: HeardPacket }
  /** One speaker among the others: 0 to 2. */
  | { readonly kind: "volume"; readonly speaker: VoiceKey; readonly volume: number }
  /** Everybody together: 1 to 2. */
  | { readonly kind: "boost"; readonly boost: number }
  | { readonly kind: "levelling"; readonly levelling: boolean }
  | { readonly kind: "attention"; readonly attention: Attention };

/** From the playout worker. */
export type FromPlayout =
  | { readonly kind: "begun" }
  /** 20 times a second while somebody sounds, then once more, empty. */
  | { readonly kind: "levels"; readonly levels: ReadonlyMap<VoiceKey, number> }
  /** Once a second. */
  | {
      readonly kind: "stats";
      readonly underruns: number;
      readonly bufferedMs: number;
      readonly speakers: ReadonlyMap<VoiceKey, SpeakerStats>;
    }
  /** The device keeps dropping sound. Told once. */
  | { readonly kind: "dropping" }
  /** libopus could not be loaded. */
  | { readonly kind: "broken" };

/** To the playout worklet, over its own port: end for good. */
export type ToPlayoutWorklet = "end";

/** What the playout worklet is made with. Without a ring, samples come over a port that is posted to it. */
export interface PlayoutWorkletOptions {
  readonly ring?: SharedArrayBuffer;
}

/** From the worklet to the worker over their port, every 5 ms: how it stands, where no memory is shared. */
export interface OutletReport {
  readonly filled: number;
  readonly underruns: number;
}
