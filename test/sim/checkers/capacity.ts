import type { Journey } from "../journey.ts";
import type { MediaSighting, TraceListener } from "../media-trace.ts";
import type { Observer, Part, Violations } from "../observer.ts";

/** A relay may keep this share of its slots for children of a relay that dies: they are no room for newcomers. */
const rescueShare = 1 / 8;

interface Serving {
  readonly childrenMax: number;
  journey: Journey | undefined;
  /** Children to whom `journey` was passed on. */
  children: number;
  /** Everybody fed in this virtual second who is no relay: what its own count of slots can be at most. */
  readonly fed: Set<number>;
  /** Since when it has had a slot to give; undefined while it is full. */
  freeSince: number | undefined;
}

/**
 * No relay carries more children than it allowed. Children are those to whom it passes one and the same packet on;
 * the tree's own relays and the host are let in beyond that, as the rules of admission say ([OV8]).
 */
export class CapacityChecker implements TraceListener, Observer {
  private readonly serving = new Map<number, Serving>();
  private readonly parts = new Map<number, Part>();
  private readonly violations: Violations;
  private readonly elapsedMs: () => number;

  constructor(violations: Violations, elapsedMs: () => number) {
    this.violations = violations;
    this.elapsedMs = elapsedMs;
  }

  started(node: number, part: Part): void {
    this.parts.set(node, part);
  }

  ended(node: number): void {
    this.serving.delete(node);
  }

  /** What room it has is room for nobody. */
  blocked(relay: number): void {
    this.serving.delete(relay);
  }

  lent(node: number, childrenMax: number): void {
    const freeSince = this.elapsedMs();
    this.serving.set(node, { childrenMax, journey: undefined, children: 0, fed: new Set(), freeSince });
  }

  mediaSent({ from, to, journey, repeat, passedOn }: MediaSighting): void {
    const serving = this.serving.get(from);
    const part = this.parts.get(to);
    if (serving === undefined || part === "relay") return;
    serving.fed.add(to);
    if (!passedOn || repeat || part === "host") return;
    if (serving.journey !== journey) {
      serving.journey = journey;
      serving.children = 0;
    }
    const { childrenMax } = serving;
    if (++serving.children === childrenMax + 1) {
      this.violations.report("capacity", from, `feeds more than its ${childrenMax} children`);
    }
  }

  second(): void {
    for (const serving of this.serving.values()) {
      const { childrenMax } = serving;
      if (serving.fed.size >= childrenMax - Math.floor(childrenMax * rescueShare)) serving.freeSince = undefined;
      else serving.freeSince ??= this.elapsedMs();
      serving.fed.clear();
    }
  }

  /** A living relay that has had a slot for newcomers ever since, if there is one. */
  withRoomSince(since: number): number | undefined {
    for (const [node, { freeSince }] of this.serving) if (freeSince !== undefined && freeSince <= since) return node;
    return undefined;
  }
}
