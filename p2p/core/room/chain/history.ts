import { compare, equal, toHex } from "../../bytes.ts";
import { authorOf, type ChainEvent, type Seen } from "./chain.ts";
import { isGenerationWithinReach, isWithinReach } from "../rights/numbers.ts";
import { keeperOf, reduce, type Void } from "./reduce.ts";
import { type ChainHead, eventHashBytes, type RoomState } from "../state/state.ts";

/** Events not yet settled by a state; whoever acts settles them long before. */
const openMax = 16_384;
/** Events that wait for one before them. */
const waitingMax = 256;

/** What became of an event that was offered. `forked`: its author said two things under one number. */
export type Taken = "applied" | "void" | "known" | "waits" | "stranger" | "forked";

/** Two events of one author under one number: a proof that anybody can pass on. */
export interface Fork {
  readonly author: Uint8Array;
  readonly events: readonly [ChainEvent, ChainEvent];
}

interface Chain {
  readonly key: Uint8Array;
  /** How far it is settled in the base. */
  readonly base: ChainHead;
  /** The open events, by number from `base.number + 1`. */
  readonly events: ChainEvent[];
}

/**
 * What happened in a room: the last state that somebody in charge signed, and the events since, merged so that the same
 * events give the same state in whatever order they came ([RM33]).
 */
export class History {
  #base: RoomState;
  #state: RoomState;
  /** An event came that others come after: the state is to be reckoned anew. */
  #isStale = false;
  readonly #chains = new Map<string, Chain>();
  #waiting: ChainEvent[] = [];
  /** What waited and was taken since it was asked for. */
  #late: ChainEvent[] = [];
  readonly #forks = new Map<string, Fork>();
  /** Who is or was in charge: whether an event counts is decided when all are in order, not by which came first. */
  readonly #authors = new Set<string>();
  /** Why events that are open changed nothing, by their hashes. */
  readonly #voids = new Map<string, Void>();

  constructor(base: RoomState) {
    this.#base = base;
    this.#state = base;
    this.#openChains(base);
  }

  get state(): RoomState {
    // Reckoned anew when somebody asks: of a thousand events that came across each other once, not a thousand times.
    if (this.#isStale) this.#replay();
    return this.#state;
  }

  /** How many events are open. */
  get size(): number {
    let size = 0;
    for (const chain of this.#chains.values()) size += chain.events.length;
    return size;
  }

  /**
   * Why an event that was taken changes nothing, among all that are held; undefined for one that counts. Who shows to have seen
   * nothing of the others is judged among them all the same.
   */
  voidOf({ hash }: Pick<ChainEvent, "hash">): Void | undefined {
    if (this.#isStale) this.#replay();
    return this.#voids.get(toHex(hash));
  }

  get forks(): readonly Fork[] {
    return [...this.#forks.values()];
  }

  /** The newest event of an author that is held, or how far it is settled. */
  headOf(key: Uint8Array): ChainHead {
    const chain = this.#chains.get(toHex(key));
    const last = chain?.events.at(-1);
    if (last) return { key, number: last.number, hash: last.hash };
    return chain?.base ?? { key, number: 0, hash: new Uint8Array(eventHashBytes) };
  }

  /** Whether a state goes no further than whoever acts may: nobody brings a number of ours, or of others, near its end ([RM32]). */
  reaches({ generation, frontier }: RoomState): boolean {
    if (!isGenerationWithinReach(this.state.generation, generation)) return false;
    return frontier.every(({ key, number }) => isWithinReach(this.headOf(key).number, number));
  }

  /** The heads that an event of this author names. */
  seenBy(author: Uint8Array): Seen[] {
    const seen: Seen[] = [];
    for (const { key } of this.#chains.values()) {
      const { number } = this.headOf(key);
      if (number > 0 && !equal(key, author)) seen.push({ author: authorOf(key), number });
    }
    return seen.slice(-24);
  }

  /** How far every chain has come: what a state that is signed now settles. */
  frontier(): ChainHead[] {
    const heads = [...this.#chains.values()].map(({ key }) => this.headOf(key)).filter(({ number }) => number > 0);
    const ofKeepers = heads.filter(({ key }) => keeperOf(this.state, key));
    const rest = heads.filter(({ key }) => !keeperOf(this.state, key));
    // Of those who keep the room no longer, the last few: a chain that is forgotten can begin again with no right.
    return [...rest.slice(-8), ...ofKeepers].slice(-24);
  }

  /** Takes another state as what is settled; events that are not in it stay on top. False: it contradicts what is held. */
  rebase(base: RoomState): boolean {
    const held = [...this.#chains.values()].flatMap(({ events }) => events);
    const agrees = base.frontier.every(({ key, number, hash }) => {
      const own = held.find((event) => event.number === number && equal(event.author, key));
      return own === undefined || equal(own.hash, hash);
    });
    const waiting = this.#waiting;
    this.#base = base;
    this.#chains.clear();
    this.#waiting = [];
    this.#openChains(base);
    this.#state = base;
    this.#isStale = false;
    this.#voids.clear();
    for (const event of held.toSorted(byNumber)) this.offer(event);
    this.#late = this.#late.filter((event) => !held.includes(event));
    for (const event of waiting) if (this.offer(event) === "applied") this.#late.push(event);
    return agrees;
  }

  /** What counts from now on: an event that was just offered, if it does, and those that had waited for it. */
  takeCounted(event: ChainEvent, taken: Taken): ChainEvent[] {
    const all = [...(taken === "applied" ? [event] : []), ...this.#late.splice(0)];
    return all.filter((each) => this.voidOf(each) === undefined);
  }

  /** Takes an event whose signature holds. */
  offer(event: ChainEvent): Taken {
    const name = toHex(event.author);
    const fork = this.#forks.get(name);
    if (fork && event.number >= fork.events[0].number) return "forked";
    const head = this.headOf(event.author);
    if (event.number <= head.number) return this.#compare(event, head);
    if (!this.#isReady(event, head)) return this.#wait(event);
    if (!this.#authors.has(name)) return this.#wait(event);
    if (this.size >= openMax) return "stranger";
    const taken = this.#take(event);
    this.#retry();
    return taken;
  }

  #take(event: ChainEvent): Taken {
    const isLast = this.#isAfterAll(event);
    this.#chainOf(event.author).events.push(event);
    if (event.content.kind === "appoint") this.#authors.add(toHex(event.content.keeper.key));
    if (!isLast || this.#isStale) {
      this.#isStale = true;
      return "applied";
    }
    const next = reduce(this.#state, event);
    if (typeof next === "string") {
      this.#voids.set(toHex(event.hash), next);
      return "void";
    }
    this.#state = next;
    return "applied";
  }

  /** Whether its author had seen everything that is held: then nothing before it changes. */
  #isAfterAll(event: ChainEvent): boolean {
    for (const { key, events } of this.#chains.values()) {
      if (events.length === 0 || equal(key, event.author)) continue;
      const { number } = this.headOf(key);
      const seen = event.seen.find(({ author }) => equal(author, authorOf(key)));
      if (!seen || seen.number < number) return false;
    }
    return true;
  }

  #isReady(event: ChainEvent, head: ChainHead): boolean {
    if (event.number !== head.number + 1 || !equal(event.previous, head.hash)) return false;
    return event.seen.every(({ author, number }) => {
      const chain = this.#byAuthor(author);
      return !chain || this.#forks.has(toHex(chain.key)) || this.headOf(chain.key).number >= number;
    });
  }

  #wait(event: ChainEvent): Taken {
    const isKnown = this.#waiting.some(({ hash }) => equal(hash, event.hash));
    if (isKnown) return "known";
    this.#waiting.push(event);
    if (this.#waiting.length > waitingMax) this.#waiting.shift();
    return this.#authors.has(toHex(event.author)) ? "waits" : "stranger";
  }

  #retry(): void {
    for (let progress = true; progress;) {
      progress = false;
      for (const event of this.#waiting) {
        const head = this.headOf(event.author);
        const isOver = event.number <= head.number;
        const isReady = this.#authors.has(toHex(event.author)) && this.#isReady(event, head);
        if (!isOver && !isReady) continue;
        this.#waiting = this.#waiting.filter((other) => other !== event);
        if (isReady) {
          this.#take(event);
          this.#late.push(event);
        } else this.#compare(event, head);
        progress = true;
      }
    }
  }

  /** An event under a number that is taken: the same, or the proof of a fork. */
  #compare(event: ChainEvent, head: ChainHead): Taken {
    const chain = this.#chains.get(toHex(event.author));
    const own = chain?.events.find(({ number }) => number === event.number);
    if (!chain || !own) return "known";
    if (equal(own.hash, event.hash)) return "known";
    const pair = [own, event].toSorted((left, right) => compare(left.hash, right.hash)) as [ChainEvent, ChainEvent];
    this.#forks.set(toHex(event.author), { author: head.key, events: pair });
    // Neither counts, nor what followed, so that everybody comes to the same whichever came first.
    chain.events.splice(chain.events.indexOf(own));
    this.#isStale = true;
    return "forked";
  }

  #replay(): void {
    this.#isStale = false;
    this.#state = this.#base;
    this.#voids.clear();
    for (const event of inOrder([...this.#chains.values()], this.#forks)) {
      const next = reduce(this.#state, event);
      if (typeof next === "string") this.#voids.set(toHex(event.hash), next);
      else this.#state = next;
    }
  }

  #openChains(base: RoomState): void {
    for (const { key } of [...base.keepers, ...base.frontier]) this.#authors.add(toHex(key));
    for (const head of base.frontier) this.#chains.set(toHex(head.key), { key: head.key, base: head, events: [] });
  }

  #chainOf(key: Uint8Array): Chain {
    const name = toHex(key);
    const known = this.#chains.get(name);
    if (known) return known;
    const base = { key, number: 0, hash: new Uint8Array(eventHashBytes) };
    const chain: Chain = { key, base, events: [] };
    this.#chains.set(name, chain);
    return chain;
  }

  #byAuthor(author: Uint8Array): Chain | undefined {
    for (const chain of this.#chains.values()) if (equal(authorOf(chain.key), author)) return chain;
    return undefined;
  }
}

/**
 * The one order of a set of events: nothing before what its author had seen; of those that could come next, the one of
 * highest rank, then of the smallest key. So who takes a right away is not overtaken by who says he had not heard of it.
 */
function inOrder(chains: readonly Chain[], forks: ReadonlyMap<string, Fork>): ChainEvent[] {
  const places = chains.map((chain) => ({ chain, next: 0 }));
  // What comes after a fork is nobody's to wait for.
  const start = ({ key, base }: Chain): number => (forks.has(toHex(key)) ? Number.POSITIVE_INFINITY : base.number);
  const reached = new Map(chains.map((chain) => [toHex(authorOf(chain.key)), start(chain)]));
  const ordered: ChainEvent[] = [];
  for (;;) {
    let best: { place: (typeof places)[number]; event: ChainEvent } | undefined;
    for (const place of places) {
      const event = place.chain.events[place.next];
      if (event === undefined) continue;
      const isReady = event.seen.every(({ author, number }) => (reached.get(toHex(author)) ?? number) >= number);
      if (isReady && (!best || comesFirst(event, best.event))) best = { place, event };
    }
    if (!best) return ordered;
    best.place.next++;
    const author = toHex(authorOf(best.event.author));
    reached.set(author, Math.max(reached.get(author) ?? 0, best.event.number));
    ordered.push(best.event);
  }
}

function comesFirst(left: ChainEvent, right: ChainEvent): boolean {
  if (left.rank !== right.rank) return left.rank < right.rank;
  return compare(left.author, right.author) < 0;
}

function byNumber(left: ChainEvent, right: ChainEvent): number {
  return left.number - right.number;
}
