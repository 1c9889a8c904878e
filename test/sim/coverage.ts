import type { LinkCloseReason, LinkKind } from "../../p2p/api/link.ts";
import { encodePaper } from "../../p2p/core/overlay/news/papers.ts";
import { placeTypes } from "../../p2p/core/overlay/directory/place-papers.ts";
import type { PeerEvent } from "../../p2p/core/peer-io.ts";
import type { ControlFrame, MediaTrace, TraceListener } from "./media-trace.ts";
import type { Ending } from "./network.ts";
import type { Observer, Part } from "./observer.ts";

/** What a run with kills must have met, or it has shown nothing. */
const landmarks = ["parent-death", "cover", "re-parent", "full", "replay", "core-promotion", "stall-notice"] as const;
/** What it must have met beside where members lend. */
const lendingLandmarks = ["offer", "hand-off", "loop-attempt"] as const;
/** Something worth meeting. */
export type Landmark = (typeof landmarks)[number] | (typeof lendingLandmarks)[number];

/** How the paper begins that says that there is no slot. */
const noFeedType = encodePaper({ kind: "no-feed", alternatives: [] })[0];

/** A move so long after a parent's death is no longer its consequence. */
const consequenceMs = 10_000;
/** Who brought something so lately is a parent; and no tree is deeper than so many links. */
const lastMs = 1000;
const linksMax = 32;

/**
 * Which interesting things a run came by: a parent's death was noticed, a backup covered for it, somebody moved because of
 * it, a full relay said so, a hole was replayed, a relay rose into the core, one whose own parent was silent said that it was
 * stalled, somebody was offered a place, one who lends nothing was handed on to make room, and a place that would close a loop
 * was at hand.
 */
export class Coverage implements Observer, TraceListener {
  private readonly seen = new Set<Landmark>();
  private readonly bereaved = new Map<number, number>();
  private readonly outsideCore = new Set<number>();
  private readonly elapsedMs: () => number;
  private trace: MediaTrace | undefined;
  private readonly killed = new Set<number>();
  /** Relays of the view: those of the core tell each other all the time. */
  private readonly ranked = new Set<number>();

  private readonly wanted: readonly Landmark[];

  /** @param lending whether members lend in this run. */
  constructor(elapsedMs: () => number, lending: boolean) {
    this.elapsedMs = elapsedMs;
    this.wanted = lending ? [...landmarks, ...lendingLandmarks] : landmarks;
  }

  /** The trace knows who is whose parent. */
  follow(trace: MediaTrace): void {
    this.trace = trace;
  }

  started(node: number, part: Part): void {
    if (part === "relay") this.ranked.add(node);
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
    if (frame.kind === "cover" && frame.on) this.seen.add("cover");
    if (frame.kind === "tick" && frame.stalled) this.seen.add("stall-notice");
    // A paper's kind is its first byte; these two fit into one frame or begin one.
    if (frame.kind === "fragment" && frame.bytes[0] === placeTypes.offers) this.seen.add("offer");
    if (frame.kind === "fragment" && frame.last && frame.bytes[0] === placeTypes["hand-off"]) this.seen.add("hand-off");
    if (frame.kind !== "hello") return;
    if (frame.role === "relay") this.outsideCore.add(from);
    if (frame.role === "core" && this.outsideCore.has(from)) this.seen.add("core-promotion");
  }

  frameDelivered(from: number, to: number, frame: ControlFrame): void {
    // Whoever tells where it stands may become the parent of who hears it, though it hangs below it just now.
    const stands = frame.kind === "fragment" && frame.bytes[0] === placeTypes.standing;
    if (stands && !this.ranked.has(to) && this.isAbove(to, from)) this.seen.add("loop-attempt");
    const waits = frame.kind === "fragment" && frame.bytes[0] === noFeedType;
    if (waits || (frame.kind === "refuse" && frame.reason === "full")) this.seen.add("full");
  }

  /** Whether what `below` hears comes by way of `above`, as the wire shows. */
  private isAbove(above: number, below: number): boolean {
    const since = this.elapsedMs() - lastMs;
    let node = below;
    for (let links = 0; links < linksMax; links++) {
      const parent = this.trace?.parentOf(node, since);
      if (parent === undefined) return false;
      if (parent === above) return true;
      node = parent;
    }
    return false;
  }

  /** A direct child of somebody killed just now. */
  isBereaved(node: number): boolean {
    return (this.bereaved.get(node) ?? -Infinity) > this.elapsedMs() - consequenceMs;
  }

  /** What never happened. */
  get missing(): Landmark[] {
    return this.wanted.filter((landmark) => !this.seen.has(landmark));
  }
}
