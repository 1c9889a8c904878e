import type { HeardPacket } from "../../../p2p/api/engine.ts";
import type { Observer, Violations } from "../observer.ts";
import type { Reference } from "../reference.ts";

const faults = {
  again: "hears a packet twice",
  "own-voice": "hears itself",
  "never-spoken": "hears what nobody said",
  damaged: "hears bytes that are not what was said",
} as const;

/** What reaches an ear was said by somebody else in the room, is unharmed, and comes at most once. */
export class EarChecker implements Observer {
  private readonly reference: Reference;
  private readonly violations: Violations;

  constructor(reference: Reference, violations: Violations) {
    this.reference = reference;
    this.violations = violations;
  }

  heard(node: number, packet: HeardPacket): void {
    const hearing = this.reference.record(node, packet);
    if (hearing !== "first") this.violations.report("ear", node, `${faults[hearing]}: sequence ${packet.sequence}`);
  }
}
