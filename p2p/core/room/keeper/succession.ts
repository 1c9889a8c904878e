import { type Millis, millis } from "../../../api/ids.ts";
import { equal } from "../../bytes.ts";
import type { Keeper, Office, RoomState } from "../state/state.ts";

/** Whoever acts for the room is heard this often by the heirs. */
export const beatMs = 1000;
/** The first heir acts when nobody was heard for this long ([RM36]). */
const silenceMs = 3000;
/** Each later one waits this much longer: the one before would have been heard by then. */
const turnMs = 1500;

/** When somebody who may acts for a room whose host is silent. */
export class Succession {
  #heardAt: Millis;
  #leader: Uint8Array | undefined;
  #isHeir = false;

  constructor(now: Millis) {
    this.#heardAt = now;
  }

  /** By which key the room was last kept. */
  get leader(): Uint8Array | undefined {
    return this.#leader;
  }

  /** Who acts for the room said something. */
  heard(leader: Uint8Array, now: Millis): void {
    this.#leader = leader;
    this.#heardAt = now;
  }

  /** Nothing could be heard: nobody is to blame for that. */
  excuse(now: Millis): void {
    this.#heardAt = now;
  }

  /** Whether we are an heir. Whoever acts tells heirs that they are there, and has only just heard of one that was named. */
  waits(isHeir: boolean, now: Millis): void {
    if (isHeir && !this.#isHeir) this.excuse(now);
    this.#isHeir = isHeir;
  }

  /** When it is our turn; undefined for who is no heir. */
  dueAt(state: RoomState, identityKey: Uint8Array): Millis | undefined {
    const heirs = state.keepers.filter(({ role }) => role === "heir");
    // Who acted last and is silent was the first in turn.
    const waiting = heirs.filter(({ key }) => !this.#leader || !equal(key, this.#leader));
    const turn = waiting.findIndex((heir) => equal(heir.identityKey, identityKey));
    return turn < 0 ? undefined : millis(this.#heardAt + silenceMs + turn * turnMs);
  }
}

/** Whether an office is over at this time: whoever acted by it would sign what nobody takes. */
export function hasEnded(office: Office | undefined, time: Millis): boolean {
  return office !== undefined && time > office.capability.expires * 1000;
}

/** Whether somebody waits to hear from whoever acts. */
export function hasHeirs(state: RoomState, except: Uint8Array): boolean {
  return state.keepers.some((keeper) => keeper.role === "heir" && !equal(keeper.identityKey, except));
}

/** Whether one of two who may act goes before the other: the host, then the heirs in the order they were named. */
export function goesBefore(state: RoomState, left: Uint8Array, right: Uint8Array): boolean {
  const place = (key: Uint8Array): number => {
    const order = (keeper: Keeper): boolean => equal(keeper.key, key) || equal(keeper.identityKey, key);
    const found = state.keepers.findIndex(order);
    return found < 0 ? state.keepers.length : found;
  };
  return place(left) < place(right);
}
