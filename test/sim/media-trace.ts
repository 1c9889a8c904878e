import type { LinkKind } from "../../p2p/api/link.ts";
import { equal } from "../../p2p/core/bytes.ts";
import { parsePacket } from "../../p2p/core/packet/format.ts";
import { parseFrame } from "../../p2p/core/session/frames.ts";
import type { Frame } from "../../p2p/core/session/frames.ts";
import { Journey } from "./journey.ts";

/** Packets are remembered this long after they were first seen: longer than any ring replays them. */
const rememberMs = 6000;

/** One packet of a media message on the wire, and what is known of it. Listeners keep nothing of it: it is used again. */
export interface MediaSighting {
  readonly from: number;
  readonly to: number;
  readonly kind: LinkKind;
  /** Links crossed, as the frame claims. */
  readonly claimedHops: number;
  readonly journey: Journey;
  /** Its share of the message's bytes. */
  readonly bytes: number;
  /** Sent: how often it went over this edge before. */
  readonly times: number;
  /** Sent: it went over this edge before. Delivered: the receiver had it already. */
  readonly repeat: boolean;
  /** Sent: the sender got it, or made it, in this very input; false for a replay from its ring. */
  readonly passedOn: boolean;
}

/** Everything on the wire that is not media. */
export type ControlFrame = Exclude<Frame, { kind: "media" | "bundle" }>;

/** A message as the trace understands it; undefined for what does not parse. */
export type Reading =
  | { readonly kind: "control"; readonly frame: ControlFrame }
  | { readonly kind: "media"; readonly hops: number; readonly journeys: readonly Journey[] }
  | undefined;

/** What the trace tells on. */
export interface TraceListener {
  mediaSent?(sighting: MediaSighting): void;
  mediaDelivered?(sighting: MediaSighting): void;
  frameSent?(from: number, to: number, frame: ControlFrame, bytes: number): void;
  frameDelivered?(from: number, to: number, frame: ControlFrame): void;
}

/** What the trace needs of the world's clock. */
export interface TraceClock {
  readonly elapsedMs: number;
  readonly inputs: number;
}

type Writable<Type> = { -readonly [Key in keyof Type]: Type[Key] };

/** Reads every message on the wire once, follows each packet from node to node, and tells who asked. */
export class MediaTrace {
  private readonly parents: Int32Array;
  private readonly broughtAt: Float64Array;
  private readonly journeys = new Map<number, Journey>();
  private readonly voices = new Map<number, number>();
  private readonly nodesMax: number;
  private readonly clock: () => TraceClock;
  private readonly listeners: Required<{ [Name in keyof TraceListener]: readonly TraceListener[] }>;
  private lastBytes: Uint8Array | undefined;
  private lastReading: Reading;
  private sighting: Writable<MediaSighting> | undefined;

  /** @param nodesMax no node of the run has a number so great. */
  constructor(nodesMax: number, clock: () => TraceClock, listeners: readonly TraceListener[]) {
    this.nodesMax = nodesMax;
    this.clock = clock;
    const who = (name: keyof TraceListener): TraceListener[] => listeners.filter((each) => each[name] !== undefined);
    this.listeners = {
      mediaSent: who("mediaSent"),
      mediaDelivered: who("mediaDelivered"),
      frameSent: who("frameSent"),
      frameDelivered: who("frameDelivered"),
    };
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

  /** A message was handed to a link; what it says comes back, for when it arrives. */
  sent(from: number, to: number, kind: LinkKind, bytes: Uint8Array): Reading {
    // The same bytes go to many children one after the other.
    const reading = bytes === this.lastBytes ? this.lastReading : this.read(bytes);
    this.lastBytes = bytes;
    this.lastReading = reading;
    if (reading === undefined) return undefined;
    if (reading.kind === "control") {
      for (const listener of this.listeners.frameSent) listener.frameSent!(from, to, reading.frame, bytes.length);
      return reading;
    }
    const { inputs, elapsedMs } = this.clock();
    for (const journey of reading.journeys) {
      if (!journey.reached(from)) journey.arrive(from, 0, inputs, elapsedMs);
      const sighting = this.sight(from, to, kind, reading.hops, journey, bytes.length / reading.journeys.length);
      sighting.times = journey.cross(from, to);
      sighting.repeat = sighting.times > 0;
      sighting.passedOn = journey.cameIn(from, inputs);
      for (const listener of this.listeners.mediaSent) listener.mediaSent!(sighting);
    }
    return reading;
  }

  /** Called before the input is counted: the receiver's first sight of the packet is the coming input. */
  delivered(from: number, to: number, kind: LinkKind, bytes: number, reading: Reading): void {
    if (reading === undefined) return;
    if (reading.kind === "control") {
      for (const listener of this.listeners.frameDelivered) listener.frameDelivered!(from, to, reading.frame);
      return;
    }
    const { elapsedMs, inputs } = this.clock();
    for (const journey of reading.journeys) {
      const sighting = this.sight(from, to, kind, reading.hops, journey, bytes / reading.journeys.length);
      sighting.repeat = journey.reached(to);
      if (!sighting.repeat) {
        journey.arrive(to, (journey.hops[from] ?? 0) + 1, inputs + 1, elapsedMs);
        this.parents[to] = from;
        this.broughtAt[to] = elapsedMs;
      }
      for (const listener of this.listeners.mediaDelivered) listener.mediaDelivered!(sighting);
    }
  }

  /** Once a virtual second: forgets what nobody replays any more. */
  forgetOld(): void {
    const { elapsedMs } = this.clock();
    for (const [key, journey] of this.journeys) {
      if (journey.firstSeenAt > elapsedMs - rememberMs) break;
      this.journeys.delete(key);
    }
  }

  private sight(
    from: number,
    to: number,
    kind: LinkKind,
    claimedHops: number,
    journey: Journey,
    bytes: number,
  ): Writable<MediaSighting> {
    const sighting = (this.sighting ??= {
      from,
      to,
      kind,
      claimedHops,
      journey,
      bytes,
      times: 0,
      repeat: false,
      passedOn: false,
    });
    sighting.from = from;
    sighting.to = to;
    sighting.kind = kind;
    sighting.claimedHops = claimedHops;
    sighting.journey = journey;
    sighting.bytes = bytes;
    sighting.passedOn = false;
    return sighting;
  }

  private read(bytes: Uint8Array): Reading {
    const frame = parseFrame(bytes);
    if (frame === undefined) return undefined;
    if (frame.kind !== "media" && frame.kind !== "bundle") return { kind: "control", frame };
    const packets = frame.kind === "media" ? [frame.packet] : frame.packets;
    const journeys = packets.flatMap((packet) => this.journeyOf(packet) ?? []);
    return { kind: "media", hops: frame.hops, journeys };
  }

  private journeyOf(packet: Uint8Array): Journey | undefined {
    const parsed = parsePacket(packet);
    if (!parsed.ok) return undefined;
    const { voiceId, layer, sequence } = parsed.value;
    let voice = this.voices.get(voiceId);
    if (voice === undefined) this.voices.set(voiceId, (voice = this.voices.size));
    const key = (voice * 2 + (layer === "low" ? 1 : 0)) * 2 ** 32 + sequence;
    const known = this.journeys.get(key);
    // What somebody damaged is another packet, which nobody takes: who had that did not have this one.
    if (known !== undefined) return equal(known.packet, packet) ? known : undefined;
    const journey = new Journey(packet, this.nodesMax, this.clock().elapsedMs);
    this.journeys.set(key, journey);
    return journey;
  }
}
