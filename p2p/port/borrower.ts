import type { Channel, ChannelHandlers, Channels } from "../api/channel.ts";
import type { Port } from "../api/port.ts";
import type { LendingRefusal, OpenSignal, Socket, SocketRoute, Sockets } from "../api/socket.ts";
import {
  lendingFaultsMax,
  type LendingFault,
  lendingThingsMax,
  readCarried,
  readForBorrower,
  type ToDesk,
  type ToLender,
  writeCarried,
  writeLending,
} from "./lending.ts";
import { LentChannel, LentSocket, type LentThing, type Wire } from "./lent-things.ts";

/** How long one waits for a window before it counts as gone, in ms: a page that is loaded again is back in two seconds. */
export const absentLenderMsMax = 5_000;
/** How long a socket may take to open when the caller's signal allows more, in ms: as long as a native one. */
const openMsMax = 15_000;

/** Calls back once after so many milliseconds; the result cancels. */
export type After = (ms: number, callback: () => void) => () => void;

/** The engine's end of the lending port: sockets and channels that live in the window. */
export interface Borrower {
  readonly sockets: Sockets;
  readonly channels: Channels;
  /** Whether a page lends now. */
  readonly hasLender: boolean;
  /** Messages that were dropped, by reason. */
  readonly faults: Readonly<Partial<Record<LendingFault, number>>>;
}

/** Borrows from whichever page is at the other end of the port. */
export function borrow(port: Port, after: After): Borrower {
  return new PortBorrower(port, after);
}

class PortBorrower implements Borrower, Sockets, Channels {
  hasLender = false;
  readonly faults: Partial<Record<LendingFault, number>> = {};
  readonly #port: Port;
  readonly #after: After;
  readonly #things = new Map<number, LentThing>();
  readonly #waiting = new Set<() => void>();
  readonly #wire: Wire;
  /** Of the page that lends now. */
  #faultCount = 0;
  #pairs = 0;

  constructor(port: Port, after: After) {
    this.#port = port;
    this.#after = after;
    this.#wire = {
      tell: (message) => this.#tell(message),
      carry: (id, bytes) => port.postMessage(writeCarried(id, bytes)),
      forget: (id) => void this.#things.delete(id),
    };
    port.attach({ onMessage: (message) => this.#take(message), onClose: () => this.#lenderIs(false) });
  }

  get sockets(): Sockets {
    return this;
  }

  get channels(): Channels {
    return this;
  }

  async open(route: SocketRoute, { signal }: { readonly signal: OpenSignal }): Promise<Socket> {
    await this.#presence(signal);
    if (signal.aborted) throw new Error("aborted");
    if (!this.hasLender) throw refusal("no window");
    if (this.#things.size >= lendingThingsMax) throw refusal("too many");
    const id = this.#nextId("socket");
    return new Promise((resolve, reject) => {
      const settle = (): void => {
        cancel();
        signal.removeEventListener("abort", giveUp);
      };
      const socket = new LentSocket(
        id,
        this.#wire,
        (opened) => {
          settle();
          resolve(opened);
        },
        (error) => {
          settle();
          reject(signal.aborted ? new Error("aborted") : error);
        },
      );
      const giveUp = (): void => socket.terminate();
      const cancel = this.#after(openMsMax, giveUp);
      signal.addEventListener("abort", giveUp, { once: true });
      this.#things.set(id, socket);
      this.#tell({ kind: "route", id, route });
    });
  }

  answer(offer: string, handlers: ChannelHandlers): Channel {
    const id = this.#nextId("channel");
    const channel = new LentChannel(id, this.#wire, handlers);
    const why = !this.hasLender ? "no window" : this.#things.size >= lendingThingsMax ? "too many" : undefined;
    if (why !== undefined) {
      // In a later turn: nothing is called back before the caller has its channel.
      void Promise.resolve().then(() => channel.ended("lost", why));
      return channel;
    }
    this.#things.set(id, channel);
    this.#tell({ kind: "channel", id, offer });
    return channel;
  }

  /** Numbers tell what they name, and are never used again. */
  #nextId(kind: "socket" | "channel"): number {
    this.#pairs += 1;
    return this.#pairs * 2 + (kind === "channel" ? 1 : 0);
  }

  /** Resolves when a page is there, at the latest after `absentLenderMsMax`. */
  #presence(signal: OpenSignal): Promise<void> {
    if (this.hasLender || signal.aborted) return Promise.resolve();
    return new Promise((resolve) => {
      const done = (): void => {
        cancel();
        this.#waiting.delete(done);
        signal.removeEventListener("abort", done);
        resolve();
      };
      const cancel = this.#after(absentLenderMsMax, done);
      this.#waiting.add(done);
      signal.addEventListener("abort", done, { once: true });
    });
  }

  #tell(message: ToLender | ToDesk): void {
    this.#port.postMessage(writeLending(message));
  }

  #take(message: unknown): void {
    if (typeof message === "string") return this.#takeText(message);
    if (!(message instanceof Uint8Array)) return this.#fault("not-text-or-bytes");
    const read = readCarried(message);
    if (read === undefined) return this.#fault("bad-bytes");
    this.#about(read.id, (thing) => thing.arrived(read.carried));
  }

  #takeText(message: string): void {
    const read = readForBorrower(message);
    if (typeof read === "string") return this.#fault(read);
    switch (read.kind) {
      case "lender":
        return this.#lenderIs(read.here);
      case "opened":
        // Given up while the desk was preparing its way.
        if (!this.#things.has(read.id)) this.#tell({ kind: "drop", id: read.id });
        return this.#about(read.id, (thing) => thing.opened());
      case "answer":
        return this.#about(read.id, (thing) => thing.answered(read.sdp));
      case "taken":
        return this.#about(read.id, (thing) => thing.wentOut(read.bytes), "bad-count");
      case "closed":
        return this.#about(read.id, (thing) => thing.ended(read.reason) ?? true);
      case "refused":
        return this.#about(read.id, (thing) => thing.refused(read.reason) ?? true);
      default:
        return read satisfies never;
    }
  }

  /** What is said of a thing that we are done with was on its way; of one that never was, it is made up. */
  #about(id: number, tell: (thing: LentThing) => boolean, fault: LendingFault = "bad-shape"): void {
    const thing = this.#things.get(id);
    if (thing === undefined) {
      if (id < 2 || id > this.#pairs * 2 + 1) this.#fault("unknown-id");
    } else if (!tell(thing)) this.#fault(fault);
  }

  #lenderIs(here: boolean): void {
    this.hasLender = here;
    this.#faultCount = 0;
    if (!here) for (const thing of [...this.#things.values()]) thing.ended("lost");
    else for (const done of [...this.#waiting]) done();
  }

  #fault(reason: LendingFault): void {
    this.faults[reason] = (this.faults[reason] ?? 0) + 1;
    this.#faultCount += 1;
    if (this.#faultCount < lendingFaultsMax) return;
    this.#faultCount = 0;
    this.#tell({ kind: "hang-up" });
  }
}

const refusal = (reason: LendingRefusal): Error => new Error(reason);
