import type { Timers } from "../../../renderer/audio/edges.ts";

/** Time that stands still until it is moved. */
export class HandTimers implements Timers {
  #now = 1000;
  #due: { readonly at: number; readonly run: () => void }[] = [];

  now(): number {
    return this.#now;
  }

  after(ms: number, run: () => void): () => void {
    const one = { at: this.#now + ms, run };
    this.#due.push(one);
    return () => (this.#due = this.#due.filter((each) => each !== one));
  }

  /** Moves time on, and runs what falls due on the way. */
  pass(ms: number): void {
    const end = this.#now + ms;
    for (;;) {
      const [first] = this.#due.filter(({ at }) => at <= end).toSorted((left, right) => left.at - right.at);
      if (first === undefined) break;
      this.#due = this.#due.filter((each) => each !== first);
      this.#now = first.at;
      first.run();
    }
    this.#now = end;
  }
}

/** Lets everything that waits for nothing but its turn have it. */
export async function settled(): Promise<void> {
  await new Promise((resolve) => setImmediate(resolve));
}
