import type { EngineEvent } from "../api/engine.ts";

type Kind = EngineEvent["event"];

/** Kinds that say how things are, and end with the room. */
const ofRoom: ReadonlySet<Kind> = new Set([
  "room",
  "joined",
  "role",
  "members",
  "short",
  "strength",
  "stage",
  "room-state",
  "invites-issued",
  "invite",
  "place",
  "step",
  "sound",
]);
/** Kinds that say how things are, with or without a room. */
const lasting: ReadonlySet<Kind> = new Set(["ready", "card", "stats", "way", "lending"]);

/** Texts kept for a window that opens late: more than anybody scrolls back, little enough for memory. */
export const textsMax = 200;

/**
 * The last event of each kind that still holds, oldest first, and what was typed in this room. What merely happened (a
 * cover, an error) does not.
 */
export class Recollection {
  readonly #events = new Map<Kind, EngineEvent>();
  readonly #texts: EngineEvent[] = [];

  /** Takes what happened. */
  note(event: EngineEvent): void {
    const { event: kind } = event;
    if (kind === "left") {
      for (const name of ofRoom) this.#events.delete(name);
      this.#texts.length = 0;
      return;
    }
    if (kind === "text") {
      this.#texts.push(event);
      if (this.#texts.length > textsMax) this.#texts.shift();
      return;
    }
    if (!ofRoom.has(kind) && !lasting.has(kind)) return;
    // The newest goes to the end.
    this.#events.delete(kind);
    this.#events.set(kind, event);
  }

  list(): readonly EngineEvent[] {
    return [...this.#events.values(), ...this.#texts];
  }

  /** Whether there is a room that we are in, or are on the way into. */
  get isInRoom(): boolean {
    return this.#events.has("joined") || this.#events.has("room");
  }

  clear(): void {
    this.#events.clear();
    this.#texts.length = 0;
  }
}
