/** Something that changes and can be read at any time. What is read stays the same object until it changes. */
export interface Value<T> {
  get(): T;
  /** Calls after every change; the result ends it. */
  subscribe(listener: () => void): () => void;
}

/** A value that its owner writes. */
export class Cell<T> implements Value<T> {
  #current: T;
  readonly #listeners = new Set<() => void>();

  constructor(initial: T) {
    this.#current = initial;
  }

  get(): T {
    return this.#current;
  }

  /** Listeners are called only when this is another value than before. */
  set(next: T): void {
    if (Object.is(this.#current, next)) return;
    this.#current = next;
    for (const listener of [...this.#listeners]) listener();
  }

  update(change: (current: T) => T): void {
    this.set(change(this.#current));
  }

  subscribe(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }
}
