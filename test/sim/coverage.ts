import type { LinkCloseReason, LinkKind } from "../../p2p/api/link.ts";
import type { PeerEvent } from "../../p2p/core/peer-io.ts";
import type { ControlFrame, MediaTrace, TraceListener } from "./media-trace.ts";
import type { Ending } from "./network.ts";
import type { Observer } from "./observer.ts";

/** What a run with kills must have met, or it has shown nothing. */
export const landmarks = ["parent-death", "re-parent", "full", "replay", "core-promotion"] as const;
export type Landmark = (typeof landmarks)[number];

/** A move so long after a parent's death is no longer its consequence. */
const consequenceMs = 10_000;

/**
 * Which interesting things a run came by: a parent's death was noticed, somebody moved because of it, a full relay said
 * so, a hole was replayed, a relay rose into the core.
 */
export class Coverage implements Observer, TraceListener {
  private readonly seen = new Set<Landmark>();
  private readonly bereaved = new Map<number, number>();
  private readonly outsideCore = new Set<number>();
  private readonly elapsedMs: () => number;
  private trace: MediaTrace | undefined;
  private readonly killed = new Set<number>();

  constructor(elapsedMs: () => number) {
    this.elapsedMs = elapsedMs;
  }

  /** The trace knows who is whose parent. */
  follow(trace: MediaTrace): void {
    this.trace = trace;
  }

  ended(node: number, by: Ending): void {
    if (by === "leave" || this.trace === undefined) return;
    this.killed.add(node);
    const now = this.elapsedMs();
    for (const child of this.trace.childrenOf(node, now - 1000)) this.bereaved.set(child, now);
  }

  linkClosed(node: number, remote: number, _kind: LinkKind, _reason: LinkCloseReason): void {
    if (this.killed.has(remote) && this.isBereaved(node)) this.seen.add("parent-death");
  }

  event(node: number, event: PeerEvent): void {
    if (event.event !== "cover" && event.event !== "move") return;
    if (event.packetsRecovered > 0) this.seen.add("replay");
    if (event.event === "move" && this.isBereaved(node)) this.seen.add("re-parent");
  }

  frameSent(from: number, _to: number, frame: ControlFrame): void {
    if (frame.kind !== "hello") return;
    if (frame.role === "relay") this.outsideCore.add(from);
    if (frame.role === "core" && this.outsideCore.has(from)) this.seen.add("core-promotion");
  }

  frameDelivered(_from: number, _to: number, frame: ControlFrame): void {
    if (frame.kind === "refuse" && frame.reason === "full") this.seen.add("full");
  }

  /** A direct child of somebody killed just now. */
  isBereaved(node: number): boolean {
    return (this.bereaved.get(node) ?? -Infinity) > this.elapsedMs() - consequenceMs;
  }

  /** What never happened. */
  get missing(): Landmark[] {
    return landmarks.filter((landmark) => !this.seen.has(landmark));
  }
}
