import { parsePacket } from "../../p2p/core/packet/format.ts";
import { parseFrame } from "../../p2p/core/session/frames.ts";
import type { Frame } from "../../p2p/core/session/frames.ts";
import type { LinkKind } from "../../p2p/api/link.ts";
import type { Observer } from "./observer.ts";

/** Packets are remembered this long after they were first seen: longer than any ring replays them. */
const rememberMs = 6000;
const noHops = 255;

/** One packet's way through the room so far. */
export interface Journey {
  readonly firstSeenAt: number;
  /** Links crossed until a node first had it; 255: it does not have it. */
  readonly hops: Uint8Array;
  /** World input in which each node first had it. */
  readonly input: Float64Array;
  /** `from * nodes + to` of every edge it was sent over, and how often. */
  readonly edges: Map<number, number>;
}

/** A media frame on the wire, and what is known of its packet. */
export interface MediaSighting {
  readonly from: number;
  readonly to: number;
  readonly kind: LinkKind;
  /** Links crossed, as the frame claims. */
  readonly claimedHops: number;
  readonly journey: Journey;
  readonly bytes: number;
  /** Sent: it went over this edge before. Delivered: the receiver had it already. */
  readonly repeat: boolean;
  /** Sent: the sender got it, or made it, in this very input; false for a replay from its ring. */
  readonly passedOn: boolean;
}

/** Everything on the wire that is not media. */
export type ControlFrame = Exclude<Frame, { kind: "media" }>;

type Reading = ControlFrame | { readonly kind: "media"; readonly hops: number; readonly journey: Journey };

/** What the trace tells on. */
export interface TraceListener {
  mediaSent?(sighting: MediaSighting): void;
  mediaDelivered?(sighting: MediaSighting): void;
  frameSent?(from: number, to: number, frame: ControlFrame, bytes: number): void;
  frameDelivered?(from: number, to: number, frame: ControlFrame): void;
}

/** Reads every message on the wire once, follows each packet from node to node, and tells who asked. */
export class MediaTrace implements Observer {
  private readonly parents: Int32Array;
  private readonly broughtAt: Float64Array;
  private readonly journeys = new Map<number, Journey>();
  private readonly readings = new WeakMap<Uint8Array, Reading>();
  private readonly voices = new Map<number, number>();
  private readonly listeners: readonly TraceListener[];
  private readonly nodesMax: number;
  private readonly clock: () => { readonly elapsedMs: number; readonly inputs: number };

  /** @param nodesMax no node of the run has a number so great. */
  constructor(
    nodesMax: number,
    clock: () => { readonly elapsedMs: number; readonly inputs: number },
    listeners: readonly TraceListener[],
  ) {
    this.nodesMax = nodesMax;
    this.clock = clock;
    this.listeners = listeners;
    this.parents = new Int32Array(nodesMax).fill(-1);
    this.broughtAt = new Float64Array(nodesMax).fill(-Infinity);
  }

  /** Who last brought a node a packet that it did not have: its parent as the wire shows it, if that was after `since`. */
  parentOf(node: number, since: number): number | undefined {
    return this.broughtAt[node]! > since ? this.parents[node] : undefined;
  }

  /** Everybody to whom this node was the last to bring something new, after `since`. */
  childrenOf(parent: number, since: number): number[] {
    const children: number[] = [];
    let child = this.parents.indexOf(parent);
    for (; child >= 0; child = this.parents.indexOf(parent, child + 1)) {
      if (this.broughtAt[child]! > since) children.push(child);
    }
    return children;
  }

  sent(from: number, to: number, kind: LinkKind, bytes: Uint8Array): void {
    const frame = this.read(bytes);
    if (frame?.kind !== "media") {
      if (frame) for (const listener of this.listeners) listener.frameSent?.(from, to, frame, bytes.length);
      return;
    }
    const { journey } = frame;
    const { inputs } = this.clock();
    if (journey.hops[from] === noHops) {
      journey.hops[from] = 0;
      journey.input[from] = inputs;
    }
    const edge = from * this.nodesMax + to;
    const times = journey.edges.get(edge) ?? 0;
    journey.edges.set(edge, times + 1);
    const passedOn = journey.input[from] === inputs;
    const sighting = { from, to, kind, claimedHops: frame.hops, journey, repeat: times > 0, passedOn };
    for (const listener of this.listeners) listener.mediaSent?.({ ...sighting, bytes: bytes.length });
  }

  /** Called before the input is counted: the receiver's first sight of the packet is the coming input. */
  delivered(from: number, to: number, kind: LinkKind, bytes: Uint8Array): void {
    const frame = this.read(bytes);
    if (frame === undefined) return;
    if (frame.kind !== "media") {
      for (const listener of this.listeners) listener.frameDelivered?.(from, to, frame);
      return;
    }
    const { journey } = frame;
    const { elapsedMs, inputs } = this.clock();
    const repeat = journey.hops[to] !== noHops;
    if (!repeat) {
      journey.hops[to] = Math.min(noHops - 1, (journey.hops[from] ?? 0) + 1);
      journey.input[to] = inputs + 1;
      this.parents[to] = from;
      this.broughtAt[to] = elapsedMs;
    }
    const sighting = { from, to, kind, claimedHops: frame.hops, journey, repeat, passedOn: false };
    for (const listener of this.listeners) listener.mediaDelivered?.({ ...sighting, bytes: bytes.length });
  }

  second(): void {
    const { elapsedMs } = this.clock();
    for (const [key, journey] of this.journeys) {
      if (journey.firstSeenAt > elapsedMs - rememberMs) break;
      this.journeys.delete(key);
    }
  }

  /** What a message says. The same bytes go to many children and are read once; undefined for what does not parse. */
  private read(bytes: Uint8Array): Reading | undefined {
    const known = this.readings.get(bytes);
    if (known !== undefined) return known;
    const reading = this.readFresh(bytes);
    if (reading !== undefined) this.readings.set(bytes, reading);
    return reading;
  }

  private readFresh(bytes: Uint8Array): Reading | undefined {
    const frame = parseFrame(bytes);
    if (frame?.kind !== "media") return frame;
    const journey = this.journeyOf(frame.packet);
    return journey && { kind: "media", hops: frame.hops, journey };
  }

  private journeyOf(packet: Uint8Array): Journey | undefined {
    const parsed = parsePacket(packet);
    if (!parsed.ok) return undefined;
    const { voiceId, layer, sequence } = parsed.value;
    let voice = this.voices.get(voiceId);
    if (voice === undefined) this.voices.set(voiceId, (voice = this.voices.size));
    const key = (voice * 2 + (layer === "low" ? 1 : 0)) * 2 ** 32 + sequence;
    const known = this.journeys.get(key);
    if (known !== undefined) return known;
    const journey = {
      firstSeenAt: this.clock().elapsedMs,
      hops: new Uint8Array(this.nodesMax).fill(noHops),
      input: new Float64Array(this.nodesMax),
      edges: new Map<number, number>(),
    };
    this.journeys.set(key, journey);
    return journey;
  }
}
