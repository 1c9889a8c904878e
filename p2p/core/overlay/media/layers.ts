import type { Layer } from "../../../api/engine.ts";
import { limits } from "../../../api/limits.ts";
import type { Millis } from "../../../api/ids.ts";
import { layerBit } from "../../packet/format.ts";

/** What one neighbour is to be sent of each voice: one layer, or, for a relay whose children want this and that, both. */
export type Layers = Layer | "both";

/** As they stand on the wire; the number is the place in this list. */
export const layersOnWire: readonly Layers[] = ["normal", "low", "both"];

/** What a neighbour below asks for. */
export interface Wish {
  readonly layers: Layers;
  /** Each packet at once, because it speaks itself: not in bundles. */
  readonly prompt: boolean;
  /** Not asked for but told: more than one packet in a hundred never came, whatever was asked for again ([OV50]). */
  readonly lossy: boolean;
}

/** What is asked for when nobody said anything. */
export const plainWish: Wish = { layers: "normal", prompt: false, lossy: false };

/** A layer of a voice counts as had for so long after its last packet: a burst of loss is shorter, a speaker without it is noticed. */
const hadMs = 12 * limits.packetMs;

/** Knows which layers of which voices are to be had here, and so what each neighbour is sent ([OV17]). */
export class LayerWatch {
  /** Last arrival of a layer, by voice id and layer bit. */
  readonly #lastAt = new Map<number, Millis>();

  /** A packet of this voice and layer passed the gate. */
  saw(voiceId: number, layer: Layer, now: Millis): void {
    this.#lastAt.set(keyOf(voiceId, layer), now);
  }

  /** Whether somebody who asked for these layers is sent this one: the other one only while the wanted one is not to be had. */
  wants(layers: Layers, voiceId: number, layer: Layer, now: Millis): boolean {
    if (layers === "both" || layers === layer) return true;
    const wantedAt = this.#lastAt.get(keyOf(voiceId, layers));
    return wantedAt === undefined || now - wantedAt > hadMs;
  }

  /** Forgets voices that the view no longer holds. */
  retain(voices: ReadonlySet<number>): void {
    for (const key of this.#lastAt.keys()) if (!voices.has(Math.floor(key / 2))) this.#lastAt.delete(key);
  }
}

/** What to ask for that satisfies all of these; undefined of none. */
export function unionOf(several: Iterable<Layers>): Layers | undefined {
  let union: Layers | undefined;
  for (const layers of several) union = union === undefined || union === layers ? layers : "both";
  return union;
}

function keyOf(voiceId: number, layer: Layer): number {
  return voiceId * 2 + layerBit(layer);
}
