/** One thing that will happen: `act(payload)` at virtual time `at`; `order` settles ties, first planned first. */
export interface Occurrence {
  readonly at: number;
  readonly order: number;
  readonly act: (payload: never) => void;
  readonly payload: unknown;
}

/** A binary heap of occurrences, soonest first; ties keep the order of planning, or a run would not repeat. */
export class OccurrenceHeap {
  private readonly items: Occurrence[] = [];

  get size(): number {
    return this.items.length;
  }

  peek(): Occurrence | undefined {
    return this.items[0];
  }

  push(item: Occurrence): void {
    const items = this.items;
    let index = items.length;
    items.push(item);
    while (index > 0) {
      const above = (index - 1) >> 1;
      const parent = items[above]!;
      if (!isSooner(item, parent)) break;
      items[index] = parent;
      index = above;
    }
    items[index] = item;
  }

  pop(): Occurrence | undefined {
    const items = this.items;
    const top = items[0];
    const last = items.pop();
    if (last !== undefined && items.length > 0) this.sink(last);
    return top;
  }

  private sink(item: Occurrence): void {
    const items = this.items;
    const length = items.length;
    let index = 0;
    for (;;) {
      let below = 2 * index + 1;
      if (below >= length) break;
      const right = items[below + 1];
      if (right !== undefined && isSooner(right, items[below]!)) below++;
      if (!isSooner(items[below]!, item)) break;
      items[index] = items[below]!;
      index = below;
    }
    items[index] = item;
  }
}

function isSooner(a: Occurrence, b: Occurrence): boolean {
  return a.at < b.at || (a.at === b.at && a.order < b.order);
}
