import type { Value } from "./value.ts";

/** Owns subscriptions, timers and whatever else must end together: every one of them has a scope that ends it. */
export class Scope {
  readonly #ends: (() => void)[] = [];
  #ended = false;

  get ended(): boolean {
    return this.#ended;
  }

  /** Ends this with the scope; at once if the scope has ended already. */
  own(end: () => void): void {
    if (this.#ended) end();
    else this.#ends.push(end);
  }

  /** Calls now and after every change. */
  watch<T>(value: Value<T>, look: (current: T) => void): void {
    this.own(value.subscribe(() => look(value.get())));
    look(value.get());
  }

  /** Ends everything, the newest first. A second call does nothing. */
  end(): void {
    this.#ended = true;
    for (let end = this.#ends.pop(); end !== undefined; end = this.#ends.pop()) end();
  }
}
