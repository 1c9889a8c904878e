import type { Clock } from "./ports.ts";
import type { Machine } from "../core/machine.ts";

/** Outputs drained after one input before something must be wrong: a machine that never stops talking is a bug. */
const outputsMax = 100_000;

/**
 * Runs a machine on the real clock: one input, drain, sleep until the deadline it names. It carries and decides nothing.
 */
export class Drive<Input, Output> {
  readonly #machine: Machine<Input, Output>;
  readonly #clock: Clock;
  readonly #timeout: Input;
  readonly #carry: (output: Output) => void;
  readonly #inputs: Input[] = [];
  #running = false;
  #cancel: (() => void) | undefined;
  #wakeAt: number | undefined;
  #stopped = false;

  constructor(machine: Machine<Input, Output>, clock: Clock, timeout: Input, carry: (output: Output) => void) {
    this.#machine = machine;
    this.#clock = clock;
    this.#timeout = timeout;
    this.#carry = carry;
  }

  /** Gives the machine an input. Inputs that arrive while it is being drained wait their turn. */
  push(input: Input): void {
    if (this.#stopped) return;
    this.#inputs.push(input);
    if (this.#running) return;
    this.#running = true;
    try {
      for (let next = this.#inputs.shift(); next !== undefined; next = this.#inputs.shift()) {
        this.#machine.handle(next, this.#clock.now());
        this.#drain();
      }
    } finally {
      this.#running = false;
    }
    this.#sleep();
  }

  /** Nothing is carried after this. */
  stop(): void {
    this.#stopped = true;
    this.#cancel?.();
  }

  #drain(): void {
    for (let count = 0; count < outputsMax; count++) {
      const output = this.#machine.poll();
      if (output === undefined) return;
      this.#carry(output);
    }
    throw new Error("the machine does not stop talking");
  }

  #sleep(): void {
    if (this.#stopped) return;
    const at = this.#machine.deadline()?.at;
    if (at === this.#wakeAt && this.#cancel) return;
    this.#cancel?.();
    this.#wakeAt = at;
    this.#cancel =
      at === undefined
        ? undefined
        : this.#clock.wakeAt(at, () => {
            this.#cancel = undefined;
            this.push(this.#timeout);
          });
  }
}
