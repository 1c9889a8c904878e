import type { Crypto } from "../../crypto.ts";
import type { KnownSecrets } from "../epoch/secrets.ts";
import type { Epoch } from "../rights/keys.ts";
import { openState } from "../state/sealed-state.ts";
import type { RoomState } from "../state/state.ts";

/** The last state that could not be read, for want of its era's secret, and by whose session it came. */
export class ClosedState {
  readonly #crypto: Crypto;
  readonly #tag: Uint8Array;
  #held: { readonly bytes: Uint8Array; readonly session: Uint8Array } | undefined;

  constructor(crypto: Crypto, tag: Uint8Array) {
    this.#crypto = crypto;
    this.#tag = tag;
  }

  note(bytes: Uint8Array, session: Uint8Array): void {
    this.#held = { bytes, session };
  }

  /** Whether it opens by this era's secret. */
  opensBy({ number, secret }: Epoch): boolean {
    return typeof this.#open({ find: (mark) => (number % 256 === mark ? [secret] : []) }) === "object";
  }

  /** Takes it, when it opens by now, to be looked at once. */
  take(secrets: KnownSecrets): { readonly state: RoomState; readonly session: Uint8Array } | undefined {
    const state = this.#open(secrets);
    if (!this.#held || state === "closed") return undefined;
    const { session } = this.#held;
    this.#held = undefined;
    return state && { state, session };
  }

  #open(secrets: KnownSecrets): RoomState | "closed" | undefined {
    return this.#held && openState(this.#crypto, secrets, this.#tag, this.#held.bytes);
  }
}
