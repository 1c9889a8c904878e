import type { ChannelHandlers } from "../../p2p/api/channel.ts";
import type { Port } from "../../p2p/api/port.ts";
import type { SocketRoute } from "../../p2p/api/socket.ts";
import { borrow, type Borrower } from "../../p2p/port/borrower.ts";
import { createPortPair } from "../../p2p/port/carriers.ts";
import { LendingDesk, type RouteBoard } from "../../p2p/port/lending-desk.ts";
import { Lender, type Thing, type ThingEvents } from "../../renderer/net/lender.ts";

/** A route that any browser can take. */
export const straight: SocketRoute = {
  host: "192.0.2.1",
  port: 443,
  path: "/a",
  serverName: undefined,
  proxy: undefined,
};
/** Never aborts. */
export const never = new AbortController().signal;

/** A thing that a test plays: nothing leaves it until told. */
export class PlayedThing implements Thing {
  readonly what: string;
  readonly events: ThingEvents;
  readonly sent: Uint8Array[] = [];
  readonly candidates: string[] = [];
  bufferedAmount = 0;
  end: "close" | "drop" | undefined;

  constructor(what: string, events: ThingEvents) {
    this.what = what;
    this.events = events;
  }

  send(bytes: Uint8Array): void {
    this.sent.push(bytes);
    this.bufferedAmount += bytes.length;
  }

  close(): void {
    this.end = "close";
  }

  drop(): void {
    this.end = "drop";
  }

  addCandidates(candidates: readonly string[]): void {
    this.candidates.push(...candidates);
  }
}

/** A clock that a test moves. */
export class HandClock {
  readonly #waiting: { ms: number; callback: () => void }[] = [];

  readonly after = (ms: number, callback: () => void): (() => void) => {
    const waiter = { ms, callback };
    this.#waiting.push(waiter);
    return () => void (this.#waiting.includes(waiter) && this.#waiting.splice(this.#waiting.indexOf(waiter), 1));
  };

  /** Calls back whoever waits so long, once. */
  pass(ms: number): void {
    const due = this.#waiting.filter((waiter) => waiter.ms === ms);
    for (const waiter of due) this.#waiting.splice(this.#waiting.indexOf(waiter), 1);
    for (const { callback } of due) callback();
  }
}

/** Room for everything that is on its way in memory. */
export const settled = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

/** A page, and what it lends. */
export interface Page {
  readonly lender: Lender;
  readonly things: PlayedThing[];
}

/** An engine that borrows, and a desk; pages come and go. */
export class Stage {
  readonly clock = new HandClock();
  readonly desk = new LendingDesk();
  readonly borrower: Borrower;
  readonly #near: Port;

  constructor() {
    const [near, far] = createPortPair();
    this.#near = near;
    this.borrower = borrow(near, this.clock.after);
    this.desk.serve(far);
  }

  /** A page of played things. */
  async page(board?: RouteBoard): Promise<Page> {
    const things: PlayedThing[] = [];
    const make = (what: string, events: ThingEvents): Thing => {
      const thing = new PlayedThing(what, events);
      things.push(thing);
      return thing;
    };
    const [near, far] = createPortPair();
    const lender = new Lender(near, { openSocket: make, answer: make, after: this.clock.after });
    this.desk.lend(far, board);
    await settled();
    return { lender, things };
  }

  /** A page that a test speaks for. */
  async hostilePage(): Promise<{ readonly port: Port; readonly heard: unknown[]; readonly isClosed: () => boolean }> {
    const [near, far] = createPortPair();
    const heard: unknown[] = [];
    let isClosed = false;
    near.attach({ onMessage: (message) => heard.push(message), onClose: () => (isClosed = true) });
    this.desk.lend(far);
    await settled();
    return { port: near, heard, isClosed: () => isClosed };
  }

  end(): void {
    this.desk.dismiss();
    this.#near.close();
  }
}

/** Hears nothing. */
export const quiet: ChannelHandlers = {
  onOpen: () => undefined,
  onMessage: () => undefined,
  onRoom: () => undefined,
  onClose: () => undefined,
};
