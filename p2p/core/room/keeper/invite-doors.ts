import type { Millis } from "../../../api/ids.ts";
import { limits } from "../../../api/limits.ts";
import { equal, toHex } from "../../bytes.ts";
import type { RoomState } from "../state/state.ts";
import { hasKey } from "../state/state.ts";

/** An invite that was given out, as relays come to know it. */
export interface InviteDoor {
  readonly name: Uint8Array;
  /** Of the room's link. */
  readonly generation: number;
  /** Unix seconds. */
  readonly expires: number;
}

/** The invites that let somebody in, as whoever acts for the room remembers them ([RM49]). */
export class InviteDoors {
  readonly #doors = new Map<string, InviteDoor>();

  add(door: InviteDoor): void {
    this.#doors.set(toHex(door.name), door);
  }

  /** Forgets those that are over by everybody's clock. */
  prune(now: Millis): void {
    for (const [name, { expires }] of this.#doors) {
      if (now > expires * 1000 + limits.clockToleranceMs) this.#doors.delete(name);
    }
  }

  get all(): readonly InviteDoor[] {
    return [...this.#doors.values()];
  }

  /** Those that are open by the room's state. */
  open({ access, generation, revoked, used }: RoomState): Uint8Array[] {
    if (access === "locked") return [];
    const isOpen = (door: InviteDoor): boolean =>
      door.generation >= generation &&
      !hasKey(revoked, door.name) &&
      !used.some(({ branch }) => equal(branch, door.name));
    return this.all.filter(isOpen).map(({ name }) => name);
  }
}
