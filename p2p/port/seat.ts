/** A window that wants the engine for itself. */
export interface Occupant {
  /** The seat is theirs now. */
  admit(): void;
  /** Another took it. */
  evict(): void;
}

/** The one place before an engine: a person has one mouth and two ears, and two windows would speak twice. */
export class Seat {
  #occupant: Occupant | undefined;
  /** In the order in which they came. */
  readonly #waiting = new Set<Occupant>();
  /** What a window left for the one that comes after it, after a reload or a crash. In memory only, opaque, bounded by the port. */
  kept: string | undefined;
  readonly #onChange: (isTaken: boolean) => void;

  /** `onChange` hears when the seat is taken, and when it is left empty. */
  constructor(onChange: (isTaken: boolean) => void = () => undefined) {
    this.#onChange = onChange;
  }

  /** Sits down when the seat is free; else waits, and the result is false. */
  ask(occupant: Occupant): boolean {
    if (this.#occupant !== undefined) {
      this.#waiting.add(occupant);
      return false;
    }
    this.#place(occupant);
    return true;
  }

  /** Sits down in any case. */
  takeOver(occupant: Occupant): void {
    const former = this.#occupant;
    if (former === occupant) return;
    this.#place(occupant);
    former?.evict();
  }

  /** Stands up, or stops waiting. Who waited longest is next. */
  leave(occupant: Occupant): void {
    this.#waiting.delete(occupant);
    if (this.#occupant !== occupant) return;
    this.#occupant = undefined;
    const [next] = this.#waiting;
    if (next === undefined) this.#onChange(false);
    else this.#place(next);
  }

  #place(occupant: Occupant): void {
    this.#waiting.delete(occupant);
    this.#occupant = occupant;
    this.#onChange(true);
    occupant.admit();
  }
}
