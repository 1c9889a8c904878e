import { type Millis, millis } from "../../../api/ids.ts";
import { limits } from "../../../api/limits.ts";
import { equal, toHex } from "../../bytes.ts";
import { NewestSaid } from "../asking/newest-said.ts";
import type { Petitioner } from "../asking/petition.ts";
import type { RoomEvent } from "../chain/event.ts";
import { hasKey, hasPerson, type RoomState } from "../state/state.ts";

/** Who is on stage says so this often, or less where so many do: petitions of all of them share every link between relays. */
const hereMs = 5_000;
const hereMsEach = 400;
/** Who missed so many of these is gone. */
const missesMax = 3;
/** Whoever acts looks this often. */
const lookMs = 2_500;

/** How often somebody on stage says that they are here. */
export function hereEveryMs({ stage }: Pick<RoomState, "stage">): number {
  return Math.max(hereMs, stage.length * hereMsEach);
}

/** Who of those on stage is still here, as whoever acts for the room hears it ([RM54]). */
export class Presence {
  /** Of those on stage alone: others may be made up, without number. */
  readonly #heardAt = new Map<string, Millis>();
  /** Of a full stage, and of who left it lately. */
  readonly #said = new NewestSaid(2 * limits.voicesMax);
  /** At the last look. */
  #onStage: ReadonlySet<string> = new Set();
  #lookAt: Millis | undefined;

  /** From now on nobody is missed who was not heard before. */
  begin(now: Millis): void {
    this.#heardAt.clear();
    this.#onStage = new Set();
    this.#lookAt = millis(now + lookMs);
  }

  /** Somebody asked for something, or said that they are here. False when it is a recording of what they said before. */
  heard({ stage, away }: RoomState, petition: Petitioner, now: Millis): boolean {
    const { identityKey } = petition;
    if (!hasPerson(stage, identityKey)) return true;
    if (!this.#said.isNews(petition)) return false;
    if (this.#heardAt.size >= limits.voicesMax) this.#keep(new Set(stage.map((person) => toHex(person.identityKey))));
    this.#heardAt.set(toHex(identityKey), now);
    if (hasKey(away, identityKey)) this.#lookAt = now;
    return true;
  }

  #keep(onStage: ReadonlySet<string>): void {
    for (const name of this.#heardAt.keys()) if (!onStage.has(name)) this.#heardAt.delete(name);
  }

  /** When to look next; undefined while nobody else is on stage. */
  dueAt(state: RoomState): Millis | undefined {
    return state.stage.length > 1 || state.away.length > 0 ? this.#lookAt : undefined;
  }

  /** Who is gone, and who is back, since the last look. `self`: whoever acts. */
  look(state: RoomState, self: Uint8Array, now: Millis): RoomEvent[] {
    this.#lookAt = millis(now + lookMs);
    const goneMs = missesMax * hereEveryMs(state);
    const events: RoomEvent[] = [];
    const onStage = new Set<string>();
    for (const { identityKey } of state.stage) {
      const name = toHex(identityKey);
      onStage.add(name);
      const isAway = hasKey(state.away, identityKey);
      // Who has just come on stage, or was there when we began to act, is waited for.
      if (!this.#onStage.has(name) && !isAway) this.#heardAt.set(name, now);
      const silentMs = equal(identityKey, self) ? 0 : now - (this.#heardAt.get(name) ?? 0);
      const isGone = silentMs > goneMs;
      const isBack = isAway && silentMs < lookMs;
      if (isGone && !isAway) events.push({ kind: "away", identityKey, on: true });
      else if (isBack) events.push({ kind: "away", identityKey, on: false });
    }
    this.#keep(onStage);
    this.#onStage = onStage;
    return events;
  }
}
