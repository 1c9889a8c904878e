import type { Port } from "../../p2p/api/port.ts";
import {
  boundsOf,
  type FromLender,
  isChannelId,
  isWorthTelling,
  type LendingFault,
  lendingFaultsMax,
  lendingThingsMax,
  type LentEnd,
  readCarried,
  readForLender,
  type ToLender,
  writeCarried,
  writeLending,
} from "../../p2p/port/lending.ts";

/** A socket or channel of the browser's. */
export interface Thing {
  /** Bytes that the browser has not handed to the network. */
  readonly bufferedAmount: number;
  /** May throw when the thing has just closed. */
  send(bytes: Uint8Array): void;
  /** Says goodbye; `closed` follows. */
  close(): void;
  /** Ends at once; nothing follows. */
  drop(): void;
  /** Channels only. */
  addCandidates?(candidates: readonly string[]): void;
}

/** What a thing tells. */
export interface ThingEvents {
  opened(): void;
  /** Channels only: our session description, without candidates. */
  answered(sdp: string): void;
  arrived(bytes: Uint8Array): void;
  closed(reason: LentEnd): void;
  /** The network has taken something. Not every browser object says so; those that do not are looked at by the clock. */
  drained(): void;
}

/** What can be lent here: sockets in the worker, channels in the page, where WebRTC lives. */
export interface LenderTools {
  readonly openSocket?: (url: string, events: ThingEvents) => Thing;
  readonly answer?: (offer: string, events: ThingEvents) => Thing;
  /** Calls back once after so many milliseconds. */
  after(ms: number, callback: () => void): void;
}

/** How often a thing that the engine waits for is looked at, in ms: at 4 Mbit/s, 10 kB. */
const lookMs = 20;

/** One lent thing, and what of it was told. */
interface Entry {
  readonly thing: Thing;
  /** Bytes the engine gave, and how many of them it was told the network took. */
  given: number;
  told: number;
  /** Bytes from the network, and how many of them the engine took. */
  sent: number;
  taken: number;
  /** The engine keeps back, and is told of every change until all is gone. */
  isAwaited: boolean;
  isOpen: boolean;
}

/**
 * The page's end of the lending port: does as it is told, counts, and ends what gets out of bounds. It knows nothing of what
 * it carries.
 */
export class Lender {
  /** Messages of the engine that were dropped, by reason. */
  readonly faults: Partial<Record<LendingFault, number>> = {};
  readonly #port: Port;
  readonly #tools: LenderTools;
  readonly #onEnd: () => void;
  readonly #entries = new Map<number, Entry>();
  #faultCount = 0;
  #isLooking = false;
  #isOver = false;

  /** `onEnd`: the engine is gone, or broke the rules; everything lent has ended. Called once. */
  constructor(port: Port, tools: LenderTools, onEnd: () => void = () => undefined) {
    this.#port = port;
    this.#tools = tools;
    this.#onEnd = onEnd;
    port.attach({ onMessage: (message) => this.#take(message), onClose: () => this.#end() });
  }

  /** Things lent now. */
  get count(): number {
    return this.#entries.size;
  }

  /** Ends everything. */
  close(): void {
    if (this.#isOver) return;
    this.#port.close();
    this.#end();
  }

  #end(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    for (const { thing } of this.#entries.values()) thing.drop();
    this.#entries.clear();
    this.#onEnd();
  }

  #take(message: unknown): void {
    if (this.#isOver) return;
    if (typeof message === "string") return this.#takeText(message);
    if (!(message instanceof Uint8Array)) return this.#fault("not-text-or-bytes");
    const read = readCarried(message);
    if (read === undefined || read.carried.length > boundsOf(read.id).messageMax) return this.#fault("bad-bytes");
    this.#give(read.id, read.carried);
  }

  #takeText(message: string): void {
    const read = readForLender(message);
    if (typeof read === "string") return this.#fault(read);
    if (read.kind === "bye") return this.close();
    if (read.kind === "socket" || read.kind === "channel") return this.#begin(read);
    const entry = this.#entries.get(read.id);
    // It ended on its own while the engine was speaking.
    if (entry === undefined) return;
    switch (read.kind) {
      case "candidates":
        return entry.thing.addCandidates?.(read.candidates);
      case "close":
        return entry.thing.close();
      case "await":
        entry.isAwaited = true;
        return this.#lookSoon();
      case "drop":
        this.#entries.delete(read.id);
        return entry.thing.drop();
      case "taken":
        if (read.bytes < entry.taken || read.bytes > entry.sent) return this.#fault("bad-count");
        entry.taken = read.bytes;
        return;
      default:
        return read satisfies never;
    }
  }

  #begin(message: Extract<ToLender, { kind: "socket" | "channel" }>): void {
    const { id } = message;
    const { openSocket, answer } = this.#tools;
    if (this.#entries.has(id) || isChannelId(id) !== (message.kind === "channel")) return this.#fault("bad-shape");
    if (this.#entries.size >= lendingThingsMax) {
      this.#fault("too-many");
      return this.#tell({ kind: "closed", id, reason: "lost" });
    }
    const events = this.#eventsOf(id);
    // Nothing but TLS ever leaves this computer, whoever asks.
    const thing =
      message.kind === "channel"
        ? answer?.(message.offer, events)
        : message.url.startsWith("wss://")
          ? openSocket?.(message.url, events)
          : undefined;
    if (thing === undefined) return this.#fault("bad-shape");
    this.#entries.set(id, { thing, given: 0, told: 0, sent: 0, taken: 0, isAwaited: false, isOpen: false });
  }

  #eventsOf(id: number): ThingEvents {
    const entry = (): Entry | undefined => this.#entries.get(id);
    return {
      opened: () => {
        const opened = entry();
        if (opened === undefined || opened.isOpen) return;
        opened.isOpen = true;
        this.#tell({ kind: "opened", id });
      },
      answered: (sdp) => {
        if (entry() !== undefined) this.#tell({ kind: "answer", id, sdp });
      },
      arrived: (bytes) => this.#arrived(id, entry(), bytes),
      closed: (reason) => {
        if (this.#entries.delete(id)) this.#tell({ kind: "closed", id, reason });
      },
      drained: () => {
        const drained = entry();
        if (drained !== undefined) this.#report(id, drained);
      },
    };
  }

  #arrived(id: number, entry: Entry | undefined, bytes: Uint8Array): void {
    if (entry === undefined) return;
    const { messageMax, underwayMax } = boundsOf(id);
    if (bytes.length === 0 || bytes.length > messageMax) return this.#break(id, entry);
    if (entry.sent - entry.taken > underwayMax) {
      // The engine is stuck: sound that is late falls; a stream with a hole is none.
      if (isChannelId(id)) return;
      return this.#break(id, entry, "lost");
    }
    entry.sent += bytes.length;
    this.#port.postMessage(writeCarried(id, bytes));
  }

  #give(id: number, bytes: Uint8Array): void {
    const entry = this.#entries.get(id);
    if (entry === undefined) return;
    if (entry.given - entry.told > boundsOf(id).givenMax) return this.#break(id, entry, "lost");
    entry.given += bytes.length;
    try {
      entry.thing.send(bytes);
    } catch {
      // It has just closed, and says so itself.
      return;
    }
    this.#report(id, entry);
  }

  /** Tells what the network took, when it is enough to matter or waited for. */
  #report(id: number, entry: Entry): void {
    const taken = Math.max(entry.told, entry.given - entry.thing.bufferedAmount);
    const isAwaited = entry.isAwaited && taken > entry.told;
    if (taken === entry.given) entry.isAwaited = false;
    if (!isWorthTelling(id, entry.told, taken) && !isAwaited) return;
    entry.told = taken;
    this.#tell({ kind: "taken", id, bytes: taken });
  }

  #lookSoon(): void {
    if (this.#isLooking) return;
    this.#isLooking = true;
    this.#tools.after(lookMs, () => {
      this.#isLooking = false;
      for (const [id, entry] of this.#entries) if (entry.isAwaited) this.#report(id, entry);
      if ([...this.#entries.values()].some(({ isAwaited }) => isAwaited)) this.#lookSoon();
    });
  }

  #break(id: number, entry: Entry, reason: LentEnd = "protocol"): void {
    this.#entries.delete(id);
    entry.thing.drop();
    this.#tell({ kind: "closed", id, reason });
  }

  #tell(message: FromLender): void {
    if (!this.#isOver) this.#port.postMessage(writeLending(message));
  }

  #fault(reason: LendingFault): void {
    this.faults[reason] = (this.faults[reason] ?? 0) + 1;
    this.#faultCount += 1;
    if (this.#faultCount >= lendingFaultsMax) this.close();
  }
}
