import { type Millis, millis, type VoiceKey } from "../../../api/ids.ts";
import type { Crypto } from "../../crypto.ts";
import { type Deadline, never } from "../../machine.ts";
import type { RelayView } from "../../room/state/view.ts";
import type { Frame, Tick } from "../../session/frames.ts";
import type { MediaSignal } from "../../session/signals.ts";
import { Cover, type CoverWires } from "../heal/cover.ts";
import type { Edge, Edges } from "../edge.ts";
import { Feeds, type FeedWires } from "./feeds.ts";
import { KeepTicks } from "./keep-tick.ts";
import { Requests } from "./requests.ts";
import type { RoomResident } from "../room-wires.ts";
import { Spread } from "./spread.ts";
import { wishOfAll } from "../place/upward.ts";

/** What media needs of its room. */
export interface FlowWires extends Omit<FeedWires, "wish">, Pick<CoverWires, "move" | "refuses" | "lost" | "alone"> {
  resident(): RoomResident | undefined;
  /** A neighbour passed on what nobody honest passes on. */
  blame(edge: Edge, now: Millis): void;
  /** Whether everybody can sign as this voice: nothing of it is believed. */
  isRetired(voice: VoiceKey): boolean;
  /** Media came from above; `fresh`: by nobody else before. */
  cameFromAbove(edge: Edge, fresh: boolean, now: Millis): void;
}

/** Media in one room: what comes, where it goes, and how it heals when a parent falls silent. */
export class MediaFlow {
  readonly spread: Spread;
  readonly feeds: Feeds;
  readonly cover: Cover;
  readonly #keepTicks: KeepTicks;
  readonly #requests: Requests;
  readonly #edges: Edges;
  readonly #wires: FlowWires;

  constructor(crypto: Crypto, edges: Edges, wires: FlowWires) {
    this.#edges = edges;
    this.#wires = wires;
    this.spread = new Spread(crypto, edges, {
      fault: (edge, at) => wires.blame(edge, at),
      isRetired: (voice) => wires.isRetired(voice),
    });
    this.feeds = new Feeds(this.spread, {
      slots: () => wires.slots(),
      alternatives: (at) => wires.alternatives(at),
      mayFeed: (edge) => wires.mayFeed(edge),
      wish: () => wishOfAll(edges, wires.resident()),
    });
    this.#requests = new Requests(edges, this.spread, {
      layers: () => this.#edges.parent?.wish.layers ?? this.feeds.wish.layers,
      reject: (reason) => this.spread.reject(reason),
      blame: (edge, at) => wires.blame(edge, at),
    });
    this.#keepTicks = new KeepTicks(edges);
    this.cover = new Cover(edges, this.feeds, {
      covered: (reason, packets, at) => wires.resident()?.covered(reason, packets, at),
      move: (from, to, reason, packets, at) => wires.move(from, to, reason, packets, at),
      stalled: (at) => {
        this.#requests.pause();
        this.#keepTicks.tellAll(at);
      },
      refuses: (edge) => wires.refuses(edge),
      lost: (edge, reason, at) => wires.lost(edge, reason, at),
      alone: (at) => wires.alone(at),
    });
  }

  /** A frame came from a neighbour. */
  heard(edge: Edge, frame: Frame, now: Millis): void {
    if (edge.direction !== "up") return;
    this.cover.heard(edge, frame, now);
    // It lives and has nothing to send: what did not come does not exist.
    if (frame.kind === "tick" && edge === this.#edges.parent) this.#requests.pause();
  }

  /** Media, or a wish about it, came from a neighbour. */
  handle(edge: Edge, signal: MediaSignal, now: Millis): void {
    switch (signal.kind) {
      case "media":
        return this.#came(edge, signal.hops, [signal.packet], now);
      case "bundle":
        return this.#came(edge, signal.hops, signal.packets, now);
      case "request":
        return this.#requests.answer(edge, signal, now);
      case "cover":
        if (edge.direction === "down") this.feeds.lend(edge, signal, now);
        return;
      default:
        signal satisfies never;
    }
  }

  #came(edge: Edge, hops: number, packets: readonly Uint8Array[], now: Millis): void {
    const passed = this.spread.receive(edge, { hops, packets }, now);
    if (edge.direction === "up") {
      this.cover.heardMedia(edge, passed.length, now);
      this.#wires.cameFromAbove(edge, passed.length > 0, now);
    }
    if (passed.length === 0) return;
    this.#keepTicks.sent(now);
    this.#requests.arrived(passed, edge, now);
    const resident = this.#wires.resident();
    if (!resident) return;
    for (const each of passed) if (this.spread.wants(resident.layer, each, now)) resident.packet(each, now);
  }

  /** A new view names other voices. */
  setView(view: RelayView, now: Millis): void {
    this.#requests.retain(this.spread.setView(view, now));
  }

  /** Sends one tick of our own voice, a packet for each layer. False when it was not accepted. */
  originate(packets: readonly Uint8Array[], ways: readonly Edge[], now: Millis): boolean {
    this.cover.spoke(now);
    this.#keepTicks.sent(now);
    return this.spread.originate(packets, ways, now);
  }

  /** What a tick says of us. */
  condition(now: Millis): Pick<Tick, "stalled" | "passing"> {
    return { stalled: this.cover.isStalled, passing: this.spread.isPassing(now) };
  }

  /** Called after every change: whoever came may cover, and the parent is told what is wanted here. */
  settle(now: Millis): void {
    this.cover.review(now);
    const { parent } = this.#edges;
    if (parent) this.feeds.settleWish(parent, now);
  }

  handleTimeout(now: Millis): void {
    for (const edge of this.#edges.all) {
      if (edge.coverUntil !== undefined && now >= edge.coverUntil) edge.coverUntil = undefined;
    }
    // First, and always: it finds out who the parent is now.
    this.cover.handleTimeout(now);
    if (now < this.dueAt) return;
    this.spread.handleTimeout(now);
    this.#requests.handleTimeout(now);
    this.#keepTicks.handleTimeout(now);
  }

  /** When something is to be done here next; infinite when nothing is. Asked after every packet. */
  get dueAt(): number {
    return Math.min(this.cover.dueAt, this.#keepTicks.dueAt, this.spread.dueAt, this.#requests.dueAt);
  }

  deadline(): Deadline {
    const at = this.dueAt;
    if (at === Infinity) return never;
    if (at === this.cover.dueAt) return { at: millis(at), reason: "silence of the parent, or a cover" };
    if (at === this.#keepTicks.dueAt) return { at: millis(at), reason: "keep-tick" };
    return { at: millis(at), reason: at === this.spread.dueAt ? "a bundle" : "a missing packet" };
  }
}
