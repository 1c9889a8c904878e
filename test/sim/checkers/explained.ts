import type { PeerEvent } from "../../../p2p/core/peer-io.ts";
import type { Observer, Violations } from "../observer.ts";
import type { Reference } from "../reference.ts";

/** When a rule falls that no sound passes, a person is told within this time. */
export const explainedMsMax = 30_000;

/**
 * Where the wall lets no sound through: whoever hears nothing was told why in time, and words still reach everybody.
 */
export class ExplainedChecker implements Observer {
  private readonly reference: Reference;
  private readonly violations: Violations;
  private readonly elapsedMs: () => number;
  private readonly fallsAt: number;
  private readonly told = new Map<number, number>();
  private readonly read = new Set<number>();

  /** @param fallsAt when the last rule falls, in virtual ms. */
  constructor(reference: Reference, violations: Violations, elapsedMs: () => number, fallsAt: number) {
    this.reference = reference;
    this.violations = violations;
    this.elapsedMs = elapsedMs;
    this.fallsAt = fallsAt;
  }

  event(node: number, event: PeerEvent): void {
    const now = this.elapsedMs();
    const frozen = event.event === "trouble" && event.code === "frozen";
    if (frozen && now >= this.fallsAt && !this.told.has(node)) this.told.set(node, now);
    if (event.event === "text" && now >= this.fallsAt) this.read.add(node);
  }

  finish(): void {
    for (const node of this.reference.members) {
      if (!this.reference.isAlive(node) || this.reference.startedAt(node) > this.fallsAt - 2000) continue;
      const at = this.told.get(node) ?? Infinity;
      if (at > this.fallsAt + explainedMsMax)
        this.violations.report("explained", node, "hears nothing and is not told why");
      if (!this.read.has(node)) this.violations.report("explained", node, "cannot read what the host types");
    }
  }
}
