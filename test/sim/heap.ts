const sizeInitial = 1024;
const arity = 4;

/** One thing that will happen: `act(payload)` at virtual time `at`. */
export interface Occurrence {
  readonly at: number;
  readonly act: (payload: never) => void;
  readonly payload: unknown;
}

/**
 * Occurrences, soonest first; ties keep the order of planning, or a run would not repeat. A heap of four in arrays of numbers:
 * a run plans tens of millions of them, and objects that are compared would cost more than what they stand for.
 */
export class OccurrenceHeap {
  private at = new Float64Array(sizeInitial);
  private order = new Float64Array(sizeInitial);
  private readonly acts: ((payload: never) => void)[] = [];
  private readonly payloads: unknown[] = [];
  private planned = 0;
  private count = 0;

  get size(): number {
    return this.count;
  }

  /** When the soonest happens; infinite when nothing will. */
  get soonestAt(): number {
    return this.count === 0 ? Infinity : this.at[0]!;
  }

  push(at: number, act: (payload: never) => void, payload: unknown): void {
    if (this.count === this.at.length) this.grow();
    const order = this.planned++;
    let index = this.count++;
    while (index > 0) {
      const above = ((index - 1) / arity) | 0;
      if (this.at[above]! <= at) break;
      this.move(above, index);
      index = above;
    }
    this.set(index, at, order, act, payload);
  }

  pop(): Occurrence | undefined {
    if (this.count === 0) return undefined;
    const top = { at: this.at[0]!, act: this.acts[0]!, payload: this.payloads[0] };
    const last = --this.count;
    const [at, order, act, payload] = [this.at[last]!, this.order[last]!, this.acts[last]!, this.payloads[last]];
    this.payloads[last] = undefined;
    if (last > 0) this.sink(at, order, act, payload);
    return top;
  }

  private sink(at: number, order: number, act: (payload: never) => void, payload: unknown): void {
    let index = 0;
    for (;;) {
      const first = index * arity + 1;
      if (first >= this.count) break;
      const end = Math.min(first + arity, this.count);
      let least = first;
      for (let below = first + 1; below < end; below++) if (this.isSooner(below, least)) least = below;
      const leastAt = this.at[least]!;
      if (leastAt > at || (leastAt === at && this.order[least]! > order)) break;
      this.move(least, index);
      index = least;
    }
    this.set(index, at, order, act, payload);
  }

  private isSooner(a: number, b: number): boolean {
    const difference = this.at[a]! - this.at[b]!;
    return difference < 0 || (difference === 0 && this.order[a]! < this.order[b]!);
  }

  private move(from: number, to: number): void {
    this.at[to] = this.at[from]!;
    this.order[to] = this.order[from]!;
    this.acts[to] = this.acts[from]!;
    this.payloads[to] = this.payloads[from];
  }

  private set(index: number, at: number, order: number, act: (payload: never) => void, payload: unknown): void {
    this.at[index] = at;
    this.order[index] = order;
    this.acts[index] = act;
    this.payloads[index] = payload;
  }

  private grow(): void {
    const grown = (from: Float64Array<ArrayBuffer>): Float64Array<ArrayBuffer> => {
      const to = new Float64Array(2 * from.length);
      to.set(from);
      return to;
    };
    this.at = grown(this.at);
    this.order = grown(this.order);
  }
}
