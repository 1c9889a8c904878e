import type { Observer, Violations } from "../observer.ts";
import type { Reference } from "../reference.ts";
import type { CapacityChecker } from "./capacity.ts";
import { silenceMsMax } from "./silence.ts";

/** Once faults have stopped, every living listener hears every open microphone after this long. */
export const recoverMs = 5000;
/** Packets said in the last moment may still be on their way when the run ends. */
const tailMs = 1500;
/** Links that a packet crosses in a deep tree, each with its loss: what may be missing though all is well. */
const hopsReckoned = 6;
/** Fewer packets than a second's are no measure: of five, one that the network lost would be deafness. */
const judgedMin = 25;
/** What the reference forgives beyond loss: one short hole in the calm, such as a voluntary move may leave. */
const forgiven = 0.9;

/**
 * After the faults: every living listener hears every open microphone again, and goes on hearing it, at the share that
 * the network's loss leaves. Where relays have no room left, who is without sound is counted, not blamed.
 */
export class LivenessChecker implements Observer {
  private readonly reference: Reference;
  private readonly capacity: CapacityChecker;
  private readonly violations: Violations;
  private readonly elapsedMs: () => number;
  private readonly shareMin: number;
  private calmAt: number | undefined;

  /** @param loss share of messages that one link loses. */
  constructor(
    reference: Reference,
    capacity: CapacityChecker,
    violations: Violations,
    elapsedMs: () => number,
    loss: number,
  ) {
    this.reference = reference;
    this.capacity = capacity;
    this.violations = violations;
    this.elapsedMs = elapsedMs;
    this.shareMin = forgiven * (1 - loss) ** hopsReckoned;
  }

  calm(): void {
    this.calmAt = this.elapsedMs();
  }

  finish(): void {
    if (this.calmAt === undefined) return;
    const from = this.calmAt + recoverMs;
    const to = this.elapsedMs() - tailMs;
    const speakers = this.reference.speakersSince(from);
    const room = this.capacity.withRoomSince(this.calmAt) !== undefined;
    for (const node of this.reference.members) {
      if (!this.reference.isAlive(node) || this.reference.startedAt(node) > this.calmAt) continue;
      if (!room && this.isDeaf(node, from)) continue;
      // Who came in the last moment is still finding a place; the other checker minds how long that takes.
      const settled = Math.max(from, this.reference.startedAt(node) + silenceMsMax);
      for (const speaker of speakers) if (speaker !== node) this.check(node, speaker, settled, to);
    }
  }

  private isDeaf(node: number, from: number): boolean {
    return (this.reference.lastHeardAt(node) ?? -1) < from;
  }

  private check(node: number, speaker: number, from: number, to: number): void {
    let said = 0;
    let heard = 0;
    for (const delay of this.reference.delays(node, speaker, from, to)) {
      said++;
      if (delay !== undefined) heard++;
    }
    if (said < judgedMin || heard >= said * this.shareMin) return;
    this.violations.report("liveness", node, `heard ${heard} of ${said} packets of ${speaker} after the faults`);
  }
}
