import type { Journey, MediaSighting, TraceListener } from "../media-trace.ts";
import type { Observer, Part, Violations } from "../observer.ts";

interface Serving {
  journey: Journey | undefined;
  children: number;
  /** Most children of one packet in this virtual second, and in the last. */
  busiest: number;
  before: number;
}

/**
 * No relay carries more children than it allowed. Children are those to whom it passes one and the same packet on;
 * the tree's own relays and the host do not count, as the rules of admission say ([OV8]).
 */
export class CapacityChecker implements TraceListener, Observer {
  private readonly caps = new Map<number, number>();
  private readonly serving = new Map<number, Serving>();
  private readonly parts = new Map<number, Part>();
  private readonly violations: Violations;

  constructor(violations: Violations) {
    this.violations = violations;
  }

  started(node: number, part: Part): void {
    this.parts.set(node, part);
  }

  /** A relay allows so many children. */
  allow(node: number, childrenMax: number): void {
    this.caps.set(node, childrenMax);
    this.serving.set(node, { journey: undefined, children: 0, busiest: 0, before: 0 });
  }

  mediaSent({ from, to, journey, repeat, passedOn }: MediaSighting): void {
    const serving = this.serving.get(from);
    if (serving === undefined || !passedOn || repeat || !this.isChild(to)) return;
    if (serving.journey !== journey) {
      serving.journey = journey;
      serving.children = 0;
    }
    serving.children++;
    serving.busiest = Math.max(serving.busiest, serving.children);
    const cap = this.caps.get(from) ?? 0;
    if (serving.children === cap + 1) this.violations.report("capacity", from, `feeds more than its ${cap} children`);
  }

  second(): void {
    for (const serving of this.serving.values()) {
      serving.before = serving.busiest;
      serving.busiest = 0;
    }
  }

  /** Whether the relay could feed one more, by what it fed in the last second. */
  hasFreeSlot(node: number): boolean {
    const serving = this.serving.get(node);
    return serving !== undefined && Math.max(serving.before, serving.busiest) < (this.caps.get(node) ?? 0);
  }

  private isChild(node: number): boolean {
    const part = this.parts.get(node);
    return part === "listener" || part === "speaker";
  }
}
