import { type Millis, millis } from "../../../api/ids.ts";
import { equal } from "../../bytes.ts";
import type { Crypto } from "../../crypto.ts";
import type { Wish } from "./petition.ts";
import { useOf } from "../state/lists.ts";
import { hasKey, hasPerson, type RoomState } from "../state/state.ts";

/** Repeated this often until the room shows it ([RM22]). */
const repeatMs = 2000;
/** Then given up: somebody acts for the room by now, and does not want it. */
const triesMax = 15;

/** What one asks of the room beside a hand. */
export type OwnWish = Exclude<Wish, "speak" | "leave-stage" | "beat" | "here">;

interface Open {
  readonly wish: OwnWish;
  readonly id: Uint8Array;
  nextAt: Millis;
  tries: number;
}

/** A person's own requests, each repeated until the room shows it. */
export class Requests {
  readonly #crypto: Crypto;
  readonly #identityKey: Uint8Array;
  readonly #branch: Uint8Array;
  #open: Open[] = [];

  constructor(crypto: Crypto, identityKey: Uint8Array, branch: Uint8Array) {
    this.#crypto = crypto;
    this.#identityKey = identityKey;
    this.#branch = branch;
  }

  /** Asks from now on; what undoes it is not asked any more. */
  ask(wish: OwnWish, now: Millis): void {
    this.#open = this.#open.filter((open) => kindOf(open.wish) !== kindOf(wish));
    this.#open.push({ wish, id: this.#crypto.randomBytes(8), nextAt: now, tries: 0 });
  }

  /** What to send now. */
  due(state: RoomState, now: Millis): { wish: OwnWish; id: Uint8Array }[] {
    this.#open = this.#open.filter((open) => open.tries < triesMax && !this.#shows(state, open.wish));
    const due = this.#open.filter((open) => now >= open.nextAt);
    for (const open of due) {
      open.nextAt = millis(now + repeatMs);
      open.tries++;
    }
    return due;
  }

  get nextAt(): Millis | undefined {
    return this.#open.map(({ nextAt }) => nextAt).toSorted((left, right) => left - right)[0];
  }

  #shows(state: RoomState, wish: OwnWish): boolean {
    const own = this.#identityKey;
    const muted = state.muted.find(({ identityKey }) => equal(identityKey, own))?.by;
    switch (wish) {
      case "accept-stage":
      case "decline-stage":
        return !hasKey(state.invited, own);
      case "record":
        return hasPerson(state.recorders, own);
      case "stop-recording":
        return !hasPerson(state.recorders, own);
      case "mute-self":
        return muted !== undefined || !hasPerson(state.stage, own);
      case "unmute-self":
        return muted !== "self";
      case "present":
        return hasPerson(state.keepers, own) || useOf(state, this.#branch) !== undefined;
      default:
        return wish satisfies never;
    }
  }
}

function kindOf(wish: OwnWish): string {
  return wish.replace(/^(?:accept|decline|stop|un)-?/u, "").replace("recording", "record");
}
