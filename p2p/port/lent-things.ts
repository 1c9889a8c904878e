import type { Channel, ChannelHandlers } from "../api/channel.ts";
import type { Socket, SocketCloseReason, SocketHandlers } from "../api/socket.ts";
import { channelBounds, isWorthTelling, type LentEnd, socketBounds, type ToLender } from "./lending.ts";

/** How a lent thing reaches the page. */
export interface Wire {
  tell(message: ToLender): void;
  carry(id: number, bytes: Uint8Array): void;
  /** The engine is done with it: whatever the page still says of it is no fault. */
  forget(id: number): void;
}

/** Bytes given to the page and taken from it, in totals. */
class Account {
  #given = 0;
  #taken = 0;
  #received = 0;
  #told = 0;
  readonly #id: number;
  readonly #wire: Wire;

  constructor(id: number, wire: Wire) {
    this.#id = id;
    this.#wire = wire;
  }

  get buffered(): number {
    return this.#given - this.#taken;
  }

  give(bytes: Uint8Array): void {
    this.#given += bytes.length;
    this.#wire.carry(this.#id, bytes);
  }

  /** The network has taken so much in all. False when that cannot be. */
  wentOut(total: number): boolean {
    if (total < this.#taken || total > this.#given) return false;
    this.#taken = total;
    return true;
  }

  /** The engine has taken so much more. */
  received(bytes: number): void {
    this.#received += bytes;
    if (!isWorthTelling(this.#id, this.#told, this.#received)) return;
    this.#told = this.#received;
    this.#wire.tell({ kind: "taken", id: this.#id, bytes: this.#received });
  }
}

/** What the borrower tells a thing of its. False: that cannot be. */
export interface LentThing {
  opened(): boolean;
  answered(sdp: string): boolean;
  wentOut(total: number): boolean;
  arrived(bytes: Uint8Array): boolean;
  /** It is gone; `refusal` says why when it was never opened. */
  ended(reason: LentEnd, refusal?: string): void;
  /** It will not open, for this reason. Of one that is open it means nothing. */
  refused(reason: string): void;
}

/** A WebSocket of the page. */
export class LentSocket implements Socket, LentThing {
  readonly #id: number;
  readonly #wire: Wire;
  readonly #account: Account;
  readonly #onOpened: (socket: Socket) => void;
  readonly #onFailed: (error: Error) => void;
  #handlers: SocketHandlers | undefined;
  /** What came before `attach`. The page is not told that it was taken, and so sends no more than its bound. */
  #early: Uint8Array[] = [];
  #state: "opening" | "open" | "closing" | "closed" = "opening";
  #end: SocketCloseReason | undefined;
  #isFull = false;

  constructor(id: number, wire: Wire, onOpened: (socket: Socket) => void, onFailed: (error: Error) => void) {
    this.#id = id;
    this.#wire = wire;
    this.#account = new Account(id, wire);
    this.#onOpened = onOpened;
    this.#onFailed = onFailed;
  }

  get bufferedAmount(): number {
    return this.#account.buffered;
  }

  send(bytes: Uint8Array): void {
    if (this.#state !== "open") return;
    this.#account.give(bytes);
    if (this.#isFull || this.#account.buffered <= socketBounds.bufferedMax) return;
    this.#isFull = true;
    this.#wire.tell({ kind: "await", id: this.#id });
  }

  close(): void {
    if (this.#state !== "open") return;
    this.#state = "closing";
    this.#wire.tell({ kind: "close", id: this.#id });
  }

  terminate(): void {
    if (this.#state === "closed") return;
    this.#wire.tell({ kind: "drop", id: this.#id });
    this.ended("lost");
  }

  attach(handlers: SocketHandlers): void {
    this.#handlers = handlers;
    for (const bytes of this.#early.splice(0)) this.#deliver(handlers, bytes);
    if (this.#end !== undefined) handlers.onClose(this.#end);
  }

  opened(): boolean {
    if (this.#state !== "opening") return false;
    this.#state = "open";
    this.#onOpened(this);
    return true;
  }

  answered(): boolean {
    return false;
  }

  wentOut(total: number): boolean {
    if (!this.#account.wentOut(total)) return false;
    if (!this.#isFull) return true;
    if (this.#account.buffered > 0) this.#wire.tell({ kind: "await", id: this.#id });
    else {
      this.#isFull = false;
      if (this.#state === "open") this.#handlers?.onDrain();
    }
    return true;
  }

  arrived(bytes: Uint8Array): boolean {
    if (this.#state === "opening") return false;
    if (this.#handlers === undefined) this.#early.push(bytes);
    else this.#deliver(this.#handlers, bytes);
    return true;
  }

  refused(reason: string): void {
    if (this.#state === "opening") this.ended("lost", reason);
  }

  ended(reason: LentEnd, refusal = "unreachable"): void {
    if (this.#state === "closed") return;
    const wasOpening = this.#state === "opening";
    this.#state = "closed";
    this.#wire.forget(this.#id);
    if (wasOpening) return this.#onFailed(new Error(refusal));
    this.#end = reason;
    this.#handlers?.onClose(reason);
  }

  /** Nothing is delivered once closing, as a native socket does not. */
  #deliver(handlers: SocketHandlers, bytes: Uint8Array): void {
    this.#account.received(bytes.length);
    if (this.#state === "open" || this.#end !== undefined) handlers.onMessage(bytes);
  }
}

/** An answering data channel of the page. */
export class LentChannel implements Channel, LentThing {
  readonly bufferedBytesMax = channelBounds.bufferedMax;
  readonly description: Promise<string>;
  readonly #id: number;
  readonly #wire: Wire;
  readonly #account: Account;
  readonly #handlers: ChannelHandlers;
  #settle: { resolve(sdp: string): void; reject(error: Error): void } | undefined;
  #state: "opening" | "open" | "closed" = "opening";
  #isFull = false;

  constructor(id: number, wire: Wire, handlers: ChannelHandlers) {
    this.#id = id;
    this.#wire = wire;
    this.#account = new Account(id, wire);
    this.#handlers = handlers;
    this.description = new Promise((resolve, reject) => (this.#settle = { resolve, reject }));
    // Whoever does not wait for it learns from `onClose`.
    this.description.catch(() => undefined);
  }

  get bufferedAmount(): number {
    return this.#account.buffered;
  }

  addCandidates(candidates: readonly string[]): void {
    if (this.#state !== "closed") this.#wire.tell({ kind: "candidates", id: this.#id, candidates });
  }

  send(bytes: Uint8Array): boolean {
    if (this.#state !== "open") return false;
    this.#account.give(bytes);
    if (!this.#isFull && this.#account.buffered > this.bufferedBytesMax) {
      this.#isFull = true;
      this.#wire.tell({ kind: "await", id: this.#id });
    }
    return true;
  }

  close(): void {
    this.#leave("close");
  }

  abort(): void {
    this.#leave("drop");
  }

  opened(): boolean {
    if (this.#state !== "opening") return false;
    this.#state = "open";
    this.#handlers.onOpen();
    return true;
  }

  answered(sdp: string): boolean {
    this.#settle?.resolve(sdp);
    return this.#state === "opening";
  }

  wentOut(total: number): boolean {
    if (!this.#account.wentOut(total)) return false;
    if (!this.#isFull) return true;
    if (this.#account.buffered > this.bufferedBytesMax / 2) this.#wire.tell({ kind: "await", id: this.#id });
    else {
      this.#isFull = false;
      if (this.#state === "open") this.#handlers.onRoom();
    }
    return true;
  }

  arrived(bytes: Uint8Array): boolean {
    if (this.#state !== "open") return false;
    this.#account.received(bytes.length);
    this.#handlers.onMessage(bytes);
    return true;
  }

  refused(reason: string): void {
    this.ended("lost", reason);
  }

  ended(reason: LentEnd, refusal = "unreachable"): void {
    if (!this.#finish(refusal)) return;
    this.#handlers.onClose(reason === "clean" ? "remote" : reason);
  }

  #leave(kind: "close" | "drop"): void {
    if (this.#state === "closed") return;
    this.#wire.tell({ kind, id: this.#id });
    this.#finish("unreachable");
  }

  #finish(refusal: string): boolean {
    if (this.#state === "closed") return false;
    this.#state = "closed";
    this.#wire.forget(this.#id);
    this.#settle?.reject(new Error(refusal));
    return true;
  }
}
