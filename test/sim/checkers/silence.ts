import type { PeerEvent } from "../../../p2p/core/peer-io.ts";
import type { Observer, Violations } from "../observer.ts";
import type { Reference } from "../reference.ts";
import type { CapacityChecker } from "./capacity.ts";

/** While faults last: nobody who could hear is left without sound this long. */
export const silenceMsMax = 10_000;

/**
 * Nobody is without sound for long, and nobody is told that there is no way in, while a microphone is open and a living
 * relay has a slot to give all the while. A cut network is an excuse for everybody until it is joined again.
 */
export class SilenceChecker implements Observer {
  private readonly reference: Reference;
  private readonly capacity: CapacityChecker;
  private readonly violations: Violations;
  private readonly elapsedMs: () => number;
  private readonly reported = new Set<number>();
  private cut = false;
  private excusedUntil = 0;

  constructor(reference: Reference, capacity: CapacityChecker, violations: Violations, elapsedMs: () => number) {
    this.reference = reference;
    this.capacity = capacity;
    this.violations = violations;
    this.elapsedMs = elapsedMs;
  }

  partitioned(cut: boolean): void {
    this.cut = cut;
    this.excusedUntil = this.elapsedMs();
  }

  event(node: number, event: PeerEvent): void {
    if (event.event !== "trouble" || !event.fatal || this.cut) return;
    const startedAt = this.reference.startedAt(node);
    const relay = this.excusedUntil > startedAt ? undefined : this.capacity.withRoomSince(startedAt);
    if (relay === undefined || !this.reference.isAlive(node)) return;
    this.violations.report("silence", node, `gives up (${event.code}) though relay ${relay} has room`);
  }

  second(): void {
    const now = this.elapsedMs();
    const from = now - silenceMsMax;
    if (this.cut || this.excusedUntil > from) return;
    const speakers = this.reference.speakersSince(from);
    const relay = this.capacity.withRoomSince(from);
    if (speakers.length === 0 || relay === undefined) return;
    for (const node of this.reference.members) {
      if (!this.reference.isAlive(node) || this.reported.has(node) || this.reference.startedAt(node) > from) continue;
      if (speakers.every((speaker) => speaker === node)) continue;
      if ((this.reference.lastHeardAt(node) ?? 0) > from) continue;
      this.reported.add(node);
      this.violations.report("silence", node, `hears nothing for ${silenceMsMax} ms though relay ${relay} has room`);
    }
  }
}
