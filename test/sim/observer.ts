import type { HeardPacket } from "../../p2p/api/engine.ts";
import type { LinkCloseReason, LinkKind } from "../../p2p/api/link.ts";
import type { PeerEvent } from "../../p2p/core/peer-io.ts";
import type { Ending } from "./network.ts";

/** What a node is in a run. Speakers are listeners who raise a hand, lenders are listeners who carry for others too. */
export type Part = "host" | "relay" | "listener" | "lender" | "speaker";

/** Somebody who watches a run: a checker, a meter, the coverage list. Each watches what it needs. */
export interface Observer {
  /** A node began. */
  started?(node: number, part: Part): void;
  /** A relay or a member lends: it allows so many children. */
  lent?(node: number, childrenMax: number): void;
  /** A node was killed, or has left. `by` is how. */
  ended?(node: number, by: Ending): void;
  /** It breaks the rules: what becomes of it is nobody's concern. */
  hostile?(node: number): void;
  /** Its computer was closed for a while. */
  slept?(node: number): void;
  /** A person opened or closed a microphone. */
  microphone?(node: number, open: boolean): void;
  /** A microphone gave its `count`th packet of 40 ms, counted from 0. */
  spoke?(node: number, count: number): void;
  heard?(node: number, packet: HeardPacket): void;
  event?(node: number, event: PeerEvent): void;
  linkClosed?(node: number, remote: number, kind: LinkKind, reason: LinkCloseReason): void;
  misused?(node: number, what: string): void;
  /** Once a virtual second. */
  second?(): void;
  /** The network was cut (`true`) or joined again. */
  partitioned?(cut: boolean): void;
  /** A censor lets nobody reach this relay any more. */
  blocked?(relay: number): void;
  /** No more faults from now on. */
  calm?(): void;
  /** The run is over. */
  finish?(): void;
}

type Callback = { [Name in keyof Observer]-?: NonNullable<Observer[Name]> };

/** Tells several observers, in their order, and only those who listen for it. */
export class Observers {
  private readonly list: readonly Observer[];
  private readonly listening = new Map<keyof Observer, readonly Observer[]>();

  constructor(list: readonly Observer[]) {
    this.list = list;
  }

  tell<Name extends keyof Observer>(name: Name, ...args: Parameters<Callback[Name]>): void {
    for (const observer of this.listenersOf(name)) (observer[name] as (...all: typeof args) => void)(...args);
  }

  /** `tell("heard", …)`, without its price: it comes with every packet at every ear. */
  heard(node: number, packet: HeardPacket): void {
    for (const observer of this.listenersOf("heard")) observer.heard!(node, packet);
  }

  private listenersOf(name: keyof Observer): readonly Observer[] {
    let listeners = this.listening.get(name);
    if (listeners === undefined) {
      listeners = this.list.filter((observer) => observer[name] !== undefined);
      this.listening.set(name, listeners);
    }
    return listeners;
  }
}

/** A broken invariant: which one, when in the run, at which node, and what happened there. */
export interface Violation {
  readonly checker: string;
  readonly second: number;
  readonly node: number;
  readonly detail: string;
}

/** Violations kept with their story; the rest are only counted. */
const storiesMax = 20;

/** Where checkers report. */
export class Violations implements Observer {
  count = 0;
  private readonly villains = new Set<number>();
  readonly stories: Violation[] = [];
  private readonly elapsedMs: () => number;

  /** @param elapsedMs virtual ms since the run began. */
  constructor(elapsedMs: () => number) {
    this.elapsedMs = elapsedMs;
  }

  hostile(node: number): void {
    this.villains.add(node);
  }

  /** Of who breaks the rules nothing is reported. */
  report(checker: string, node: number, detail: string): void {
    if (this.villains.has(node)) return;
    this.count++;
    if (this.stories.length >= storiesMax) return;
    this.stories.push({ checker, second: Math.round(this.elapsedMs()) / 1000, node, detail });
  }
}
