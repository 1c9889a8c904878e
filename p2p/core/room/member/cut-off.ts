import { type Millis, millis } from "../../../api/ids.ts";

/** Without a parent for so long, a person is told. */
const cutOffMs = 3000;

/** Nobody is left in silence without a word: knows when to say that the room was lost ([RM30]). */
export class CutOff {
  #since: Millis | undefined;
  #told = false;

  /** The parent is gone. */
  lost(now: Millis): void {
    this.#since ??= now;
  }

  /** True once in each time without a parent: when no standby has taken over by now. */
  isDue(cutOff: boolean, now: Millis): boolean {
    if (!cutOff) {
      this.#since = undefined;
      this.#told = false;
      return false;
    }
    if (this.#told || this.#since === undefined || now < this.#since + cutOffMs) return false;
    this.#told = true;
    return true;
  }

  /** When to look again. */
  get dueAt(): Millis | undefined {
    return this.#since === undefined || this.#told ? undefined : millis(this.#since + cutOffMs);
  }
}
