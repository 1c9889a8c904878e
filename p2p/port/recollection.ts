import type { EngineEvent } from "../api/engine.ts";

type Kind = EngineEvent["event"];

/** Kinds that say how things are, and end with the room. */
const ofRoom: ReadonlySet<Kind> = new Set([
  "room",
  "joined",
  "role",
  "members",
  "stage",
  "text",
  "place",
  "step",
  "sound",
]);
/** Kinds that say how things are, with or without a room. */
const lasting: ReadonlySet<Kind> = new Set(["ready", "card", "stats", "way"]);

/** The last event of each kind that still holds, oldest first. What merely happened (a cover, an error) does not. */
export class Recollection {
  readonly #events = new Map<Kind, EngineEvent>();

  /** Takes what happened. */
  note(event: EngineEvent): void {
    const { event: kind } = event;
    if (kind === "left") {
      for (const name of ofRoom) this.#events.delete(name);
      return;
    }
    if (!ofRoom.has(kind) && !lasting.has(kind)) return;
    // The newest goes to the end.
    this.#events.delete(kind);
    this.#events.set(kind, event);
  }

  list(): readonly EngineEvent[] {
    return [...this.#events.values()];
  }

  /** Whether there is a room that we are in, or are on the way into. */
  get isInRoom(): boolean {
    return this.#events.has("joined") || this.#events.has("room");
  }

  clear(): void {
    this.#events.clear();
  }
}
