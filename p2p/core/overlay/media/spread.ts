import type { Millis, VoiceKey } from "../../../api/ids.ts";
import { limits } from "../../../api/limits.ts";
import type { Crypto } from "../../crypto.ts";
import { type Admitted, PacketGate } from "../../packet/gate.ts";
import { voiceIdOf } from "../../packet/format.ts";
import type { RelayView } from "../../room/state/view.ts";
import { encodeMedia } from "../../session/media-frames.ts";
import { type Bundled, Bundler } from "./bundler.ts";
import { type Edge, type Edges, isFed, layersOf, takeReplay } from "../edge.ts";
import { type Layers, layersOnWire, LayerWatch } from "./layers.ts";
import { Pairs } from "./pairs.ts";
import { type Have, Ring } from "./ring.ts";

const framesPerPacket = limits.packetMs / limits.frameMs;
/** Media passes here as long after a packet: a listener must not take the pause after the last one for a parent's fault. */
const passingMs = 200;
/** Links a packet may cross; the tree is never this deep, so more is a lie or a loop. */
const hopsMax = 32;
/** What was replayed to a neighbour is not replayed to it again within this time: it is on its way. */
const replayPauseMs = 100;
/** Neighbours that are given each packet at once because they say that they speak: the stage. */
const promptMax = limits.voicesMax;

/** What the spread of media needs of its room. */
export interface SpreadWires {
  /** A packet came that nobody honest passes on. */
  fault(edge: Edge, now: Millis): void;
  /** Whether everybody can sign as this voice. */
  isRetired(voice: VoiceKey): boolean;
}

/** A packet that may be played or passed on. */
export interface Passed extends Admitted {
  readonly bytes: Uint8Array;
  /** Links from the speaker's engine to this one. */
  readonly hops: number;
  /** When it came. */
  readonly at: Millis;
}

/** Media as it came from a neighbour. */
export interface Arrival {
  readonly hops: number;
  readonly packets: readonly Uint8Array[];
}

/**
 * How media moves through one room's tree ([OV5], [OV6], [OV43]): checked once, kept for two seconds, sent down every edge
 * that wants it, and, when it came from below or from ourselves, up to the parent and across the core. At the top the
 * microphones are bundled for the audience; below it a bundle is passed on as it came.
 */
export class Spread {
  packetsForwarded = 0;
  framesDuplicate = 0;
  #passedAt: Millis | undefined;
  readonly rejected = new Map<string, number>();
  readonly ring = new Ring();
  readonly #layers = new LayerWatch();
  readonly #bundler: Bundler;
  readonly #pairs: Pairs;
  readonly #crypto: Crypto;
  #gate: PacketGate | undefined;
  readonly #edges: Edges;
  readonly #wires: SpreadWires;

  constructor(crypto: Crypto, edges: Edges, wires: SpreadWires) {
    this.#wires = wires;
    this.#crypto = crypto;
    this.#edges = edges;
    this.#bundler = new Bundler((bundled, now) => this.#toAudience(bundled, now));
    this.#pairs = new Pairs((packets, now) => this.#toPairs(packets, now));
  }

  /** Goes by this view from now on. Returns the voices that it holds. */
  setView(view: RelayView, now: Millis): ReadonlySet<number> {
    if (this.#gate) this.#gate.setView(view, now);
    else this.#gate = new PacketGate(this.#crypto, view, now, (voice) => this.#wires.isRetired(voice));
    const voices = new Set(view.voices.map((voice) => voiceIdOf(this.#crypto, voice.key)));
    this.ring.retain(voices);
    this.#layers.retain(voices);
    return voices;
  }

  /** Checks packets that came on `edge` and passes them on. Gives those that are good; why others are not is counted. */
  receive(edge: Edge, { hops, packets }: Arrival, now: Millis): readonly Passed[] {
    const good: Passed[] = [];
    for (const packet of packets) {
      const passed = this.#check(edge, packet, hops, now);
      if (passed) good.push(passed);
    }
    if (good.length === 0) return good;
    for (const passed of good) this.#keep(passed, now);
    if (edge.direction === "up") this.#down(good, edge, now);
    else {
      if (edge.direction === "down") this.#across(good, now);
      this.#fromTop(good, edge, now);
    }
    return good;
  }

  /** Sends one tick of our own voice on its way, a packet for each layer. */
  originate(packets: readonly Uint8Array[], ups: readonly Edge[], now: Millis): boolean {
    const good: Passed[] = [];
    for (const packet of packets) {
      const checked = this.#gate?.admit(packet, now);
      if (checked?.ok) good.push({ ...checked.value, bytes: packet, hops: 0, at: now });
      else this.reject(checked?.reason ?? "no-view");
    }
    if (good.length === 0) return false;
    for (const passed of good) this.#keep(passed, now);
    for (const frame of encodeMedia(1, packets)) {
      for (const edge of ups) edge.session.sendMedia(frame, now);
      for (const edge of this.#edges.meshes) this.#send(edge, frame, packets.length, now);
    }
    this.#fromTop(good, undefined, now);
    return true;
  }

  /** Sends a child what it lacks, once for wishes that come at once: a path that was cut may let several through. Returns how many packets. */
  replay(edge: Edge, have: readonly Have[], now: Millis): number {
    if (edge.replayedAt !== undefined && now - edge.replayedAt < replayPauseMs) return 0;
    if (!takeReplay(edge, now)) {
      this.reject("replay-rate");
      return 0;
    }
    const missing = this.ring.after(have, layersOf(edge), now);
    this.#sendEach(edge, missing, now);
    return missing.length;
  }

  /** Sends a neighbour single packets that it asked for, as far as they are kept. Returns how many. */
  answer(
    edge: Edge,
    { voiceId, layer, sequences }: { voiceId: number; layer: Passed["layer"]; sequences: readonly number[] },
    now: Millis,
  ): number {
    const found = sequences.map((sequence) => this.ring.find(voiceId, layer, sequence, now));
    const packets = found.filter((packet) => packet !== undefined);
    this.#sendEach(edge, packets, now);
    return packets.length;
  }

  /** Whether somebody who asked for these layers is to be given this packet. */
  wants(layers: Layers | undefined, { voiceId, layer }: Passed, now: Millis): boolean {
    return layers !== undefined && this.#layers.wants(layers, voiceId, layer, now);
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

  handleTimeout(now: Millis): void {
    this.#bundler.handleTimeout(now);
    this.#pairs.handleTimeout(now);
  }

  /** When something that waits is sent; infinite while nothing waits. */
  get dueAt(): number {
    return Math.min(this.#bundler.dueAt, this.#pairs.dueAt);
  }

  #check(edge: Edge, packet: Uint8Array, hops: number, now: Millis): Passed | undefined {
    if (hops >= hopsMax) return this.reject("hops");
    const checked = this.#gate?.admit(packet, now);
    if (!checked) return this.reject("no-view");
    if (checked.ok) return { ...checked.value, bytes: packet, hops, at: now };
    if (checked.reason === "signature" || checked.reason === "malformed") this.#wires.fault(edge, now);
    if (checked.reason !== "duplicate") return this.reject(checked.reason);
    this.framesDuplicate += framesPerPacket;
    return undefined;
  }

  /** From below: up to the parent and across the core, at once. */
  #across(good: readonly Passed[], now: Millis): void {
    const frames = framesOf(good);
    const { parent } = this.#edges;
    for (const frame of frames) {
      if (parent) this.#send(parent, frame, good.length, now);
      for (const edge of this.#edges.meshes) this.#send(edge, frame, good.length, now);
    }
  }

  /** What did not come from above: who speaks has it at once, the audience with all the rest of the tick. */
  #fromTop(good: readonly Passed[], from: Edge | undefined, now: Millis): void {
    // Below the core somebody else bundles; what this node alone has from below goes down as it is.
    if (this.#edges.parent) return this.#down(good, from, now);
    this.#fanOut(good, now, (edge) => edge.wish.prompt && edge !== from);
    this.#bundler.add(good, from, now);
  }

  /** Down to everybody whom we feed, as it came. */
  #down(good: readonly Passed[], from: Edge | undefined, now: Millis): void {
    this.#fanOut(good, now, (edge) => edge !== from);
    this.#pair(good, now);
  }

  /** For leaves on the low layer, if there are any. */
  #pair(packets: readonly Passed[], now: Millis): void {
    if (this.#edges.all.some((edge) => isFed(edge, now) && isPaired(edge)))
      this.#pairs.add(this.#selected(packets, "low", now), now);
  }

  #toAudience({ packets, from }: Bundled, now: Millis): void {
    this.#fanOut(packets, now, (edge) => !edge.wish.prompt && !from.has(edge));
    for (const [edge, own] of from) {
      // Whoever brought some of it is not sent that back.
      if (edge.wish.prompt || !isFed(edge, now) || isPaired(edge)) continue;
      const others = this.#selected(packets, layersOf(edge), now).filter((packet) => !own.includes(packet));
      this.#sendEach(edge, others, now);
    }
    this.#pair(packets, now);
  }

  #toPairs(packets: readonly Passed[], now: Millis): void {
    const frames = framesOf(packets);
    for (const edge of this.#edges.all) {
      if (!isFed(edge, now) || !isPaired(edge)) continue;
      for (const frame of frames) this.#send(edge, frame, packets.length, now);
    }
  }

  /** Encodes what each kind of child wants once, and sends all of that kind the same bytes. */
  #fanOut(packets: readonly Passed[], now: Millis, takes: (edge: Edge) => boolean): void {
    const byLayers: (readonly [frames: readonly Uint8Array[], packets: number] | undefined)[] = [];
    let prompt = 0;
    for (const edge of this.#edges.all) {
      if (!isFed(edge, now) || !takes(edge) || isPaired(edge)) continue;
      if (edge.wish.prompt && ++prompt > promptMax) continue;
      const layers = layersOf(edge);
      const place = layersOnWire.indexOf(layers);
      let some = byLayers[place];
      if (!some) {
        const chosen = this.#selected(packets, layers, now);
        some = [framesOf(chosen), chosen.length];
        byLayers[place] = some;
      }
      const [frames, count] = some;
      for (const frame of frames) this.#send(edge, frame, count / frames.length, now);
    }
  }

  #selected(packets: readonly Passed[], layers: Layers, now: Millis): readonly Passed[] {
    if (layers === "both") return packets;
    return packets.filter(({ voiceId, layer }) => this.#layers.wants(layers, voiceId, layer, now));
  }

  #sendEach(edge: Edge, packets: readonly { readonly hops: number; readonly bytes: Uint8Array }[], now: Millis): void {
    for (const { hops, bytes } of packets) {
      for (const frame of encodeMedia(hops + 1, [bytes])) this.#send(edge, frame, 1, now);
    }
  }

  #send(edge: Edge, frame: Uint8Array, packets: number, now: Millis): void {
    if (edge.session.sendMedia(frame, now)) this.packetsForwarded += packets;
  }

  #keep(passed: Passed, now: Millis): void {
    this.#passedAt = now;
    this.ring.add(passed);
    this.#layers.saw(passed.voiceId, passed.layer, now);
  }
}

/** Messages that hold these packets, after one more link. */
function framesOf(packets: readonly Passed[]): readonly Uint8Array[] {
  let hops = 0;
  for (const packet of packets) hops = Math.max(hops, packet.hops);
  return encodeMedia(
    hops + 1,
    packets.map((packet) => packet.bytes),
  );
}

/** Whether it gets two ticks in one message: a leaf on the low layer that does not speak. */
function isPaired(edge: Edge): boolean {
  return edge.role === "member" && edge.advert === undefined && !edge.wish.prompt && layersOf(edge) === "low";
}
