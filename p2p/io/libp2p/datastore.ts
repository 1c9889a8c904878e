import { NotFoundError } from "@libp2p/interface";
import type { Libp2pInit } from "libp2p";

type Datastore = NonNullable<Libp2pInit["datastore"]>;
type Key = Parameters<Datastore["put"]>[0];
type Query = Parameters<Datastore["query"]>[0];
type KeyQuery = Parameters<Datastore["queryKeys"]>[0];
type Batch = ReturnType<Datastore["batch"]>;
interface Pair {
  readonly key: Key;
  readonly value: Uint8Array;
}

/** How many entries may lie under a key prefix. When one more comes, the one that was longest unused goes. */
export interface StoreLimit {
  readonly prefix: string;
  readonly entriesMax: number;
}

/** What `shape` needs of a query, for pairs and for keys alike. */
interface Shape<Item> {
  readonly filters?: readonly ((item: Item) => boolean)[];
  readonly orders?: readonly ((a: Item, b: Item) => -1 | 0 | 1)[];
  readonly offset?: number;
  readonly limit?: number;
}

const shape = <Item>(items: readonly Item[], query: Shape<Item>): Item[] => {
  const kept = items.filter((item) => (query.filters ?? []).every((filter) => filter(item)));
  for (const order of query.orders ?? []) kept.sort(order);
  const from = query.offset ?? 0;
  return kept.slice(from, query.limit === undefined ? undefined : from + query.limit);
};

/**
 * libp2p's store of peers and DHT records, in memory and bounded: strangers fill it, and its own has no end.
 * Keys under no given prefix are dropped, unless `pinned`, which are never dropped.
 */
export class BoundedDatastore implements Datastore {
  readonly #groups: readonly { readonly limit: StoreLimit; readonly entries: Map<string, Pair> }[];
  readonly #pinnedEntries = new Map<string, Pair>();
  readonly #pinned: ReadonlySet<string>;

  constructor(limits: readonly StoreLimit[], pinned: ReadonlySet<string>) {
    this.#groups = limits.map((limit) => ({ limit, entries: new Map() }));
    this.#pinned = pinned;
  }

  /** Entries held now. */
  get size(): number {
    return this.#groups.reduce((sum, group) => sum + group.entries.size, this.#pinnedEntries.size);
  }

  put(key: Key, value: Uint8Array): Key {
    const name = key.toString();
    if (this.#pinned.has(name)) {
      this.#pinnedEntries.set(name, { key, value });
      return key;
    }
    const group = this.#groups.find(({ limit }) => name.startsWith(limit.prefix));
    if (group === undefined) return key;
    group.entries.delete(name);
    group.entries.set(name, { key, value });
    if (group.entries.size > group.limit.entriesMax) {
      const oldest = group.entries.keys().next();
      if (oldest.done !== true) group.entries.delete(oldest.value);
    }
    return key;
  }

  get(key: Key): Uint8Array {
    const name = key.toString();
    const entries = this.#entriesOf(name);
    const pair = entries?.get(name);
    if (pair === undefined || entries === undefined) throw new NotFoundError("not found");
    // A map keeps the order of insertion: what was read last falls last.
    entries.delete(name);
    entries.set(name, pair);
    return pair.value;
  }

  has(key: Key): boolean {
    const name = key.toString();
    return this.#entriesOf(name)?.has(name) === true;
  }

  delete(key: Key): void {
    const name = key.toString();
    this.#entriesOf(name)?.delete(name);
  }

  async *putMany(source: Iterable<Pair> | AsyncIterable<Pair>): AsyncGenerator<Key> {
    for await (const { key, value } of source) yield this.put(key, value);
  }

  async *getMany(source: Iterable<Key> | AsyncIterable<Key>): AsyncGenerator<Pair> {
    for await (const key of source) yield { key, value: this.get(key) };
  }

  async *deleteMany(source: Iterable<Key> | AsyncIterable<Key>): AsyncGenerator<Key> {
    for await (const key of source) {
      this.delete(key);
      yield key;
    }
  }

  batch(): Batch {
    const steps: (() => void)[] = [];
    return {
      put: (key, value) => void steps.push(() => this.put(key, value)),
      delete: (key) => void steps.push(() => this.delete(key)),
      commit: () => {
        for (const step of steps.splice(0)) step();
      },
    };
  }

  *query(query: Query): Generator<Pair> {
    yield* shape<Pair>(this.#all(query.prefix), query);
  }

  *queryKeys(query: KeyQuery): Generator<Key> {
    const keys = this.#all(query.prefix).map(({ key }) => key);
    yield* shape<Key>(keys, query);
  }

  #entriesOf(name: string): Map<string, Pair> | undefined {
    if (this.#pinned.has(name)) return this.#pinnedEntries;
    return this.#groups.find(({ limit }) => name.startsWith(limit.prefix))?.entries;
  }

  #all(prefix = ""): Pair[] {
    const maps = [this.#pinnedEntries, ...this.#groups.map(({ entries }) => entries)];
    return maps
      .flatMap((entries) => [...entries])
      .filter(([name]) => name.startsWith(prefix))
      .map(([, pair]) => pair);
  }
}
