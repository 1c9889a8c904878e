import type { EngineEvent } from "../api/engine.ts";

/** Events that tell of a moment and not of how things are. */
const momentary: ReadonlySet<EngineEvent["event"]> = new Set([
  "cover",
  "move",
  "refused",
  "error",
  "text",
  "reaction",
  "probe",
]);
/** Events that hold as long as the room is not left. */
const ofRoom = [
  "room",
  "joined",
  "sound",
  "role",
  "stage",
  "room-state",
  "invites-issued",
  "invite",
  "place",
  "step",
  "members",
  "short",
  "strength",
  "left",
] as const;

/** The last event of each kind that still holds; what a room told is over when it is left. */
export class Standing {
  readonly #latest = new Map<EngineEvent["event"], EngineEvent>();

  note(event: EngineEvent): void {
    if (momentary.has(event.event)) return;
    this.#latest.delete(event.event);
    this.#latest.set(event.event, event);
    if (event.event === "left") for (const kind of ofRoom) this.#latest.delete(kind);
  }

  /** Forgets all but that the engine is up. */
  clear(): void {
    for (const kind of [...this.#latest.keys()]) if (kind !== "ready") this.#latest.delete(kind);
  }

  /** Oldest first. */
  list(): readonly EngineEvent[] {
    return [...this.#latest.values()];
  }
}
