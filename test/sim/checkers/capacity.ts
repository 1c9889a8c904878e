import { rescueSlots } from "../../../p2p/core/overlay/door/admission.ts";
import type { Journey } from "../journey.ts";
import type { MediaSighting, TraceClock, TraceListener } from "../media-trace.ts";
import type { Observer, Part, Violations } from "../observer.ts";

interface Serving {
  readonly childrenMax: number;
  /** In which input of the world it sent something last, and the first packet that it sent then. */
  input: number;
  journey: Journey | undefined;
  /** Children to whom that was sent in it: bundles that waited count as what is passed on at once. */
  children: number;
  /** Everybody fed in this virtual second who is no relay: what its own count of slots can be at most. */
  readonly fed: Set<number>;
  /** Since when it has had a slot to give; undefined while it is full. */
  freeSince: number | undefined;
}

/**
 * No relay carries more children than it allowed. Children are those to whom it sends one and the same packet at once;
 * the tree's own relays and the host are let in beyond that, as the rules of admission say ([OV8]).
 */
export class CapacityChecker implements TraceListener, Observer {
  private readonly serving = new Map<number, Serving>();
  private readonly parts = new Map<number, Part>();
  private readonly violations: Violations;
  private readonly clock: () => TraceClock;

  constructor(violations: Violations, clock: () => TraceClock) {
    this.violations = violations;
    this.clock = clock;
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
    const freeSince = this.clock().elapsedMs;
    this.serving.set(node, { childrenMax, input: -1, journey: undefined, children: 0, fed: new Set(), freeSince });
  }

  mediaSent({ from, to, journey, repeat }: MediaSighting): void {
    const serving = this.serving.get(from);
    const part = this.parts.get(to);
    if (serving === undefined || part === "relay") return;
    serving.fed.add(to);
    if (repeat || part === "host") return;
    const { inputs } = this.clock();
    if (serving.input !== inputs) {
      serving.input = inputs;
      serving.journey = journey;
      serving.children = 0;
    } else if (serving.journey !== journey) return;
    const { childrenMax } = serving;
    if (++serving.children === childrenMax + 1) {
      this.violations.report("capacity", from, `feeds more than its ${childrenMax} children`);
    }
  }

  second(): void {
    for (const serving of this.serving.values()) {
      const { childrenMax } = serving;
      if (serving.fed.size >= childrenMax - rescueSlots(childrenMax)) serving.freeSince = undefined;
      else serving.freeSince ??= this.clock().elapsedMs;
      serving.fed.clear();
    }
  }

  /** A living relay that has had a slot for newcomers ever since, if there is one. */
  withRoomSince(since: number): number | undefined {
    for (const [node, { freeSince }] of this.serving) if (freeSince !== undefined && freeSince <= since) return node;
    return undefined;
  }
}
