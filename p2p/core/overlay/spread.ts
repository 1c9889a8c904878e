import type { Millis } from "../../api/ids.ts";
import { limits } from "../../api/limits.ts";
import type { Crypto } from "../crypto.ts";
import { type Admitted, PacketGate } from "../packet/gate.ts";
import { voiceIdOf } from "../packet/format.ts";
import type { RelayView } from "../room/view.ts";
import { encodeFrame } from "../session/frames.ts";
import { type Edge, type Edges, isFed, layersOf } from "./edge.ts";
import { LayerWatch, type Layers } from "./layers.ts";
import { type Have, Ring } from "./ring.ts";

const framesPerPacket = limits.packetMs / limits.frameMs;
/** Media passes here as long after a packet: a listener must not take the pause after the last one for a parent's fault. */
const passingMs = 200;
/** Links a packet may cross; the tree is never this deep, so more is a lie or a loop. */
const hopsMax = 32;

/** A packet that may be played or passed on. */
export interface Passed extends Admitted {
  readonly bytes: Uint8Array;
  /** Links from the speaker's engine to this one. */
  readonly hops: number;
  /** When it came. */
  readonly at: Millis;
}

/**
 * How media moves through one room's tree ([OV5], [OV6]): checked once, kept for two seconds, sent down every edge that
 * wants it, and, when it came from below or from ourselves, up to the parent and across the core.
 */
export class Spread {
  packetsForwarded = 0;
  framesDuplicate = 0;
  #passedAt: Millis | undefined;
  readonly rejected = new Map<string, number>();
  readonly ring = new Ring();
  readonly #layers = new LayerWatch();
  readonly #crypto: Crypto;
  #gate: PacketGate | undefined;
  readonly #edges: Edges;
  readonly #onFault: (edge: Edge, now: Millis) => void;

  /** `onFault` hears of a packet that nobody honest passes on. */
  constructor(crypto: Crypto, edges: Edges, onFault: (edge: Edge, now: Millis) => void) {
    this.#onFault = onFault;
    this.#crypto = crypto;
    this.#edges = edges;
  }

  setView(view: RelayView, now: Millis): void {
    if (this.#gate) this.#gate.setView(view, now);
    else this.#gate = new PacketGate(this.#crypto, view, now);
    const voices = new Set(view.voices.map((voice) => voiceIdOf(this.#crypto, voice.key)));
    this.ring.retain(voices);
    this.#layers.retain(voices);
  }

  /** Checks a packet that came on `edge` and passes it on. Undefined when it was refused; the reason is counted. */
  receive(edge: Edge, packet: Uint8Array, hops: number, now: Millis): Passed | undefined {
    if (hops >= hopsMax) return this.reject("hops");
    const checked = this.#gate?.admit(packet, now);
    if (!checked) return this.reject("no-view");
    if (!checked.ok) {
      if (checked.reason === "signature" || checked.reason === "malformed") this.#onFault(edge, now);
      if (checked.reason !== "duplicate") return this.reject(checked.reason);
      this.framesDuplicate += framesPerPacket;
      return undefined;
    }
    const passed: Passed = { ...checked.value, bytes: packet, hops, at: now };
    this.#pass(passed, edge, now);
    return passed;
  }

  /** Sends a packet of our own voice on its way: one layer of it. */
  originate(packet: Uint8Array, ups: readonly Edge[], now: Millis): boolean {
    const checked = this.#gate?.admit(packet, now);
    if (!checked?.ok) {
      this.reject(checked?.reason ?? "no-view");
      return false;
    }
    const passed: Passed = { ...checked.value, bytes: packet, hops: 0, at: now };
    this.#keep(passed, now);
    const frame = encodeFrame({ kind: "media", hops: 1, packet });
    for (const edge of ups) edge.session.sendMedia(frame, now);
    this.#down(passed, frame, undefined, now);
    for (const edge of this.#edges.meshes) this.#send(edge, frame, now);
    return true;
  }

  /** Sends a child what it lacks. Returns how many packets. */
  replay(edge: Edge, have: readonly Have[], now: Millis): number {
    const missing = this.ring.after(have, layersOf(edge), now);
    for (const packet of missing) {
      this.#send(edge, encodeFrame({ kind: "media", hops: packet.hops + 1, packet: packet.bytes }), now);
    }
    return missing.length;
  }

  #pass(passed: Passed, from: Edge, now: Millis): void {
    this.#keep(passed, now);
    const frame = encodeFrame({ kind: "media", hops: passed.hops + 1, packet: passed.bytes });
    this.#down(passed, frame, from, now);
    if (from.direction !== "down") return;
    const parent = this.#edges.parent;
    if (parent) this.#send(parent, frame, now);
    for (const edge of this.#edges.meshes) this.#send(edge, frame, now);
  }

  #down(passed: Passed, frame: Uint8Array, from: Edge | undefined, now: Millis): void {
    for (const edge of this.#edges.all) {
      if (edge === from || !isFed(edge, now)) continue;
      if (this.wants(layersOf(edge), passed, now)) this.#send(edge, frame, now);
    }
  }

  /** Whether somebody who asked for these layers is to be given this packet. */
  wants(layers: Layers | undefined, { voiceId, layer }: Passed, now: Millis): boolean {
    return layers !== undefined && this.#layers.wants(layers, voiceId, layer, now);
  }

  #send(edge: Edge, frame: Uint8Array, now: Millis): void {
    if (edge.session.sendMedia(frame, now)) this.packetsForwarded++;
  }

  #keep(passed: Passed, now: Millis): void {
    this.#passedAt = now;
    this.ring.add(passed);
    this.#layers.saw(passed.voiceId, passed.layer, now);
  }

  /** Whether media passes here at present. */
  isPassing(now: Millis): boolean {
    return this.#passedAt !== undefined && now - this.#passedAt < passingMs;
  }

  /** Counts something that was refused. */
  reject(reason: string): undefined {
    this.rejected.set(reason, (this.rejected.get(reason) ?? 0) + 1);
    return undefined;
  }
}
