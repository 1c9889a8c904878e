import type { Layer } from "../../../api/engine.ts";
import type { Millis } from "../../../api/ids.ts";
import { type Asked, MissingPackets } from "../../jitter/requests.ts";
import type { Frame } from "../../session/frames.ts";
import type { Edge, Edges } from "../edge.ts";
import type { Layers } from "./layers.ts";
import type { Passed, Spread } from "./spread.ts";

/** A round trip that was not measured yet, ms. */
const roundTripMsUnknown = 100;
/** Single packets of each open microphone that one neighbour is answered a second, a fifth of it in both layers, and at once: two seconds' worth. */
const answersPerVoice = 10;
const answersBurstPerVoice = 20;
/** Who asks for so many more is no longer somebody who lacks them. */
const excessMax = 240;
/**
 * And that we ask one neighbour for: fewer, so that nobody honest is ever charged, whatever a speaker skips. A fifth of a voice
 * can be asked for nearly twice, as it is on a lossy way, and at once the longest hole that is no outage.
 */
const asksPerVoice = 9;
const asksBurstPerVoice = 18;
/** But never for fewer voices than a bundle holds: of who opens a microphone some hear before others. */
const voicesMin = 6;
/** A microphone of which nothing came for so long is closed. */
const openMs = 1000;

/** What requests need of their room. */
export interface RequestWires {
  /** What is wanted here: both layers of a voice are missed apart where both are wanted. */
  layers(): Layers;
  reject(reason: string): void;
  /** A neighbour asks for more than anybody can miss. */
  blame(edge: Edge, now: Millis): void;
}

interface Tracked {
  readonly voiceId: number;
  readonly layer: Layer;
  readonly missing: MissingPackets;
  /** Who brought this voice last: who is asked where there is no parent. */
  from: Edge;
  lastAt: Millis;
}

/**
 * Asks for single packets that are missing ([OV42], [JB13]): the parent, then the backup, within the time in which they still
 * help; and answers neighbours that ask. A relay's hole would be a hole for everybody below it.
 */
export class Requests {
  readonly #edges: Edges;
  readonly #spread: Spread;
  readonly #wires: RequestWires;
  readonly #tracked = new Map<number, Tracked>();
  #layers: Layers = "normal";
  /** What each neighbour may still be asked for: a bucket. */
  readonly #asks = new WeakMap<Edge, { left: number; at: Millis }>();
  /** Undefined when it is to be found out again. */
  #dueAt: number | undefined;

  constructor(edges: Edges, spread: Spread, wires: RequestWires) {
    this.#edges = edges;
    this.#spread = spread;
    this.#wires = wires;
  }

  /** Packets passed that came on this edge. */
  arrived(packets: readonly Passed[], edge: Edge, now: Millis): void {
    const layers = this.#wires.layers();
    if (layers !== this.#layers) this.#tracked.clear();
    this.#layers = layers;
    for (const { voiceId, layer, sequence } of packets) {
      // Who wants one layer is content with either.
      const own = layers === "both" ? layer : layers;
      const key = 2 * voiceId + (own === "low" ? 1 : 0);
      let tracked = this.#tracked.get(key);
      if (!tracked) {
        const roundTripMs = { parent: roundTripMsUnknown, backup: roundTripMsUnknown };
        tracked = { voiceId, layer: own, missing: new MissingPackets(roundTripMs), from: edge, lastAt: now };
        this.#tracked.set(key, tracked);
      }
      if (edge.direction !== "up" || edge.feed) tracked.from = edge;
      tracked.lastAt = now;
      tracked.missing.arrived(sequence, now);
    }
    this.#ask(now);
  }

  /** The parent has nothing to send, or the backup replays what is missing: nothing is asked for until more comes. */
  pause(): void {
    this.#dueAt = undefined;
    for (const { missing } of this.#tracked.values()) missing.pause();
  }

  /** Forgets voices that the view no longer holds. */
  retain(voices: ReadonlySet<number>): void {
    this.#dueAt = undefined;
    for (const [key, { voiceId }] of this.#tracked) if (!voices.has(voiceId)) this.#tracked.delete(key);
  }

  /** A neighbour asks for single packets. */
  answer(edge: Edge, request: Extract<Frame, { kind: "request" }>, now: Millis): void {
    const voices = this.#openVoices(now);
    const earned = ((now - edge.answersAt) / 1000) * answersPerVoice * voices;
    edge.answersLeft = Math.min(answersBurstPerVoice * voices, edge.answersLeft + earned);
    edge.answersAt = now;
    edge.answersLeft -= request.sequences.length;
    if (edge.answersLeft < 0) {
      this.#wires.reject("request-rate");
      if (edge.answersLeft < -excessMax) this.#wires.blame(edge, now);
      edge.answersLeft = Math.max(edge.answersLeft, -excessMax);
      return;
    }
    this.#spread.answer(edge, request, now);
  }

  handleTimeout(now: Millis): void {
    this.#ask(now);
  }

  /** When a packet is to be asked for; infinite while none is missing. */
  get dueAt(): number {
    return (this.#dueAt ??= this.#soonest());
  }

  #soonest(): number {
    let at = Infinity;
    for (const { missing } of this.#tracked.values()) at = Math.min(at, missing.deadline ?? Infinity);
    return at;
  }

  #ask(now: Millis): void {
    this.#dueAt = undefined;
    if (now < this.dueAt) return;
    this.#dueAt = undefined;
    for (const tracked of this.#tracked.values()) {
      const { missing, voiceId, layer } = tracked;
      const asked: Partial<Record<Asked, number[]>> = {};
      for (let ask = missing.due(now); ask !== undefined; ask = missing.due(now))
        (asked[ask.from] ??= []).push(ask.sequence);
      for (const from of ["parent", "backup"] as const) {
        const sequences = asked[from];
        const edge = sequences && this.#edgeOf(from, tracked);
        if (!edge || !sequences || !this.#mayAsk(edge, sequences.length, now)) continue;
        missing.setRoundTrip(from, edge.session.roundTrip.leastMs ?? roundTripMsUnknown);
        edge.session.sendFast({ kind: "request", voiceId, layer, sequences }, now);
      }
    }
  }

  #mayAsk(edge: Edge, count: number, now: Millis): boolean {
    const voices = this.#openVoices(now);
    const burst = asksBurstPerVoice * voices;
    const { left, at } = this.#asks.get(edge) ?? { left: burst, at: now };
    const earned = ((now - at) / 1000) * asksPerVoice * voices;
    const have = Math.min(burst, left + earned);
    const may = have >= count;
    this.#asks.set(edge, { left: may ? have - count : have, at: now });
    return may;
  }

  /** Microphones that are open, by what came lately; no fewer than a bundle holds. */
  #openVoices(now: Millis): number {
    const open = new Set<number>();
    for (const { voiceId, lastAt } of this.#tracked.values()) if (now - lastAt < openMs) open.add(voiceId);
    return Math.max(voicesMin, open.size);
  }

  /** The parent, or in the core whoever brought the voice; then whoever else is above or beside. */
  #edgeOf(asked: Asked, { from }: Tracked): Edge | undefined {
    const { parent } = this.#edges;
    const first = parent ?? (this.#edges.all.includes(from) ? from : undefined);
    if (asked === "parent") return first;
    const able = (edge: Edge): boolean => edge !== first && edge.welcomed && !edge.away && edge.direction !== "down";
    return this.#edges.all.find((edge) => able(edge) && !edge.session.isDoubtful);
  }
}
