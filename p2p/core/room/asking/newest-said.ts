import type { Millis } from "../../../api/ids.ts";
import { toHex } from "../../bytes.ts";

/** Tells what somebody says now from a recording of what they said before: of each person the newest counts ([RM22]). */
export class NewestSaid {
  /** By identity; who was heard last comes last. */
  readonly #saidAt = new Map<string, Millis>();
  readonly #peopleMax: number;

  /** Of so many people it is remembered: who was silent longest is forgotten first. */
  constructor(peopleMax: number) {
    this.#peopleMax = peopleMax;
  }

  /** Whether this was said after all that was heard of them; then it is what was said last. */
  isNews({ identityKey, at }: { readonly identityKey: Uint8Array; readonly at: Millis }): boolean {
    const name = toHex(identityKey);
    const known = this.#saidAt.get(name);
    if (known !== undefined && at <= known) return false;
    this.#saidAt.delete(name);
    this.#saidAt.set(name, at);
    const [oldest] = this.#saidAt.keys();
    if (oldest !== undefined && this.#saidAt.size > this.#peopleMax) this.#saidAt.delete(oldest);
    return true;
  }
}
