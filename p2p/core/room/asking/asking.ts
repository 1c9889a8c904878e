import type { Role } from "../../../api/engine.ts";
import { type Millis, millis } from "../../../api/ids.ts";
import { equal } from "../../bytes.ts";
import type { Crypto } from "../../crypto.ts";
import type { Wish } from "./petition.ts";
import { hasPerson, type RoomState } from "../state/state.ts";

/** A petition is repeated this often until the state shows it: hands must arrive. */
const repeatMs = 2000;

interface OwnHand {
  readonly wish: Wish;
  readonly id: Uint8Array;
  nextAt: Millis;
  /** The state showed it: the host has it. */
  shown: boolean;
}

/** One's own hand: what is asked of the host, until it is answered ([RM22]). */
export class Asking {
  readonly #crypto: Crypto;
  #hand: OwnHand | undefined;
  /** The hand before, which the host may still hold up. */
  #former: Uint8Array | undefined;

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
    if (this.#hand?.wish === "speak") this.#former = this.#hand.id;
    this.#hand = { wish, id: this.#crypto.randomBytes(8), nextAt: now, shown: false };
  }

  /** What to send now, if anything. */
  due(state: RoomState | undefined, role: Role, now: Millis): { wish: Wish; id: Uint8Array } | undefined {
    const hand = this.#hand;
    if (!hand || now < hand.nextAt) return undefined;
    hand.nextAt = millis(now + repeatMs);
    // The state shows a hand that has to wait.
    if (shows(state, hand.id)) return undefined;
    // Who asks for what already is gets no answer.
    const isSo = hand.wish === "speak" ? role !== "listener" : role === "listener" && !shows(state, this.#former);
    if (isSo) this.#hand = undefined;
    return hand;
  }

  /** The state was read; `heard`: whether our voice is let through. What we are now. */
  answered(state: RoomState | undefined, identityKey: Uint8Array, heard: boolean): Role {
    const mine = state?.stage.find((person) => equal(person.identityKey, identityKey));
    this.#settle(state, mine !== undefined, heard);
    // Whose microphone is shut is on stage all the same.
    const isShut = state !== undefined && hasPerson(state.muted, identityKey);
    return mine && (heard || isShut) ? mine.role : "listener";
  }

  #settle(state: RoomState | undefined, onStage: boolean, heard: boolean): void {
    const hand = this.#hand;
    if (!hand) return;
    if (hand.wish === "leave-stage") {
      if (!onStage && !shows(state, this.#former)) this.#hand = undefined;
    } else if (onStage) {
      if (heard) this.#hand = undefined;
    } else if (shows(state, hand.id)) hand.shown = true;
    // It was up and is no more: the host said no.
    else if (hand.shown) this.#hand = undefined;
  }

  get nextAt(): Millis | undefined {
    return this.#hand?.nextAt;
  }
}

function shows(state: RoomState | undefined, id: Uint8Array | undefined): boolean {
  return id !== undefined && state !== undefined && state.hands.some((known) => equal(known.id, id));
}
