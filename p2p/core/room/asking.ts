import type { Role } from "../../api/engine.ts";
import { type Millis, millis } from "../../api/ids.ts";
import { equal } from "../bytes.ts";
import type { Crypto } from "../crypto.ts";
import type { Wish } from "./petition.ts";
import type { RoomState } from "./state.ts";

/** A petition is repeated this often until the state shows it: hands must arrive. */
const repeatMs = 2000;

/** One's own hand: what is asked of the host, until it is answered ([RM22]). */
export class Asking {
  readonly #crypto: Crypto;
  #hand: { readonly wish: Wish; readonly id: Uint8Array; nextAt: Millis } | undefined;

  constructor(crypto: Crypto) {
    this.#crypto = crypto;
  }

  get wish(): Wish | undefined {
    return this.#hand?.wish;
  }

  /** Names the petition: 8 bytes. */
  get id(): Uint8Array | undefined {
    return this.#hand?.id;
  }

  raise(wish: Wish, now: Millis): void {
    this.#hand = { wish, id: this.#crypto.randomBytes(8), nextAt: now };
  }

  /** What to send now, if anything. */
  due(state: RoomState | undefined, role: Role, now: Millis): { wish: Wish; id: Uint8Array } | undefined {
    const hand = this.#hand;
    if (!hand || now < hand.nextAt) return undefined;
    hand.nextAt = millis(now + repeatMs);
    // The state shows a hand that has to wait.
    if (state?.hands.some((known) => equal(known.id, hand.id))) return undefined;
    // Who asks for what already is gets no answer.
    if ((hand.wish === "speak") === (role !== "listener")) this.#hand = undefined;
    return hand;
  }

  /** The state was read: `onStage` by it, and whether our voice is let through. */
  answered(onStage: boolean, heard: boolean): void {
    if (this.#hand?.wish === "speak" && onStage && heard) this.#hand = undefined;
    if (this.#hand?.wish === "leave-stage" && !onStage) this.#hand = undefined;
  }

  get nextAt(): Millis | undefined {
    return this.#hand?.nextAt;
  }
}
