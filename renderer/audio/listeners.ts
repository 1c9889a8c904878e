import type { Unsubscribe } from "./types.ts";

/** Those who want to be told one kind of thing. */
export class Listeners<Value> {
  readonly #listeners = new Set<(value: Value) => void>();

  /** Adds one; the result takes it away. */
  add(listener: (value: Value) => void): Unsubscribe {
    const own = (value: Value): void => listener(value);
    this.#listeners.add(own);
    return () => void this.#listeners.delete(own);
  }

  /** Tells all, in the order in which they came. */
  tell(value: Value): void {
    for (const listener of this.#listeners) listener(value);
  }
}
