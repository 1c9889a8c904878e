import type { Port, PortHandlers, PortMessage } from "../api/port.ts";

/** What every carrier has in common: nothing is lost before `attach`, and the end is told once. */
class Carrier implements Port {
  #handlers: PortHandlers | undefined;
  #early: unknown[] = [];
  #isClosed = false;
  #isEndTold = false;
  readonly #post: (message: PortMessage) => void;
  readonly #close: () => void;

  constructor(post: (message: PortMessage) => void, close: () => void) {
    this.#post = post;
    this.#close = close;
  }

  postMessage(message: PortMessage): void {
    if (!this.#isClosed) this.#post(message);
  }

  attach(handlers: PortHandlers): void {
    this.#handlers = handlers;
    const early = this.#early;
    this.#early = [];
    for (const message of early) this.took(message);
    this.#tellEnd();
  }

  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    // Whoever closes knows it.
    this.#isEndTold = true;
    this.#close();
  }

  /** The carrier brought a message. */
  took(message: unknown): void {
    if (this.#isEndTold) return;
    if (this.#handlers === undefined) {
      if (this.#early.length < earlyMax) this.#early.push(message);
    } else this.#handlers.onMessage(message);
  }

  /** The carrier is gone. */
  ended(): void {
    this.#isClosed = true;
    this.#tellEnd();
  }

  #tellEnd(): void {
    if (this.#handlers === undefined || !this.#isClosed || this.#isEndTold) return;
    this.#isEndTold = true;
    this.#handlers.onClose();
  }
}

/** Messages kept for whoever attaches late. */
const earlyMax = 1024;

/** Two ends in memory. Messages arrive in later microtasks, in order, as over any other carrier. */
export function createPortPair(): readonly [Port, Port] {
  const later = (action: () => void): void => void Promise.resolve().then(action);
  const left: Carrier = new Carrier(
    (message) => later(() => right.took(message)),
    () => later(() => right.ended()),
  );
  const right: Carrier = new Carrier(
    (message) => later(() => left.took(message)),
    () => later(() => left.ended()),
  );
  return [left, right];
}

/** What browsers, Node and `ws` call a WebSocket, as far as a port needs it. */
export interface WebSocketLike {
  binaryType: string;
  readonly readyState: number;
  send(data: string | Uint8Array<ArrayBuffer>): void;
  close(): void;
  addEventListener(type: "message", listener: (event: { readonly data: unknown }) => void): void;
  addEventListener(type: "open" | "close", listener: () => void): void;
}

/** `readyState` of a WebSocket that is not open yet, and of one that is. */
const connecting = 0;
const isOpen = 1;

/** A port over a WebSocket, which may still be connecting. */
export function portOverWebSocket(socket: WebSocketLike): Port {
  socket.binaryType = "arraybuffer";
  const unsent: PortMessage[] = [];
  const send = (message: PortMessage): void => {
    if (socket.readyState === connecting) unsent.push(message);
    else if (socket.readyState === isOpen) socket.send(message as string | Uint8Array<ArrayBuffer>);
  };
  const carrier = new Carrier(send, () => socket.close());
  socket.addEventListener("open", () => unsent.splice(0).forEach(send));
  socket.addEventListener("message", ({ data }) => carrier.took(isBuffer(data) ? new Uint8Array(data) : data));
  socket.addEventListener("close", () => carrier.ended());
  return carrier;
}

/** What browsers and Node call a MessagePort, as far as a port needs it. */
export interface MessagePortLike {
  postMessage(message: unknown): void;
  start(): void;
  close(): void;
  addEventListener(type: string, listener: (event: object) => void): void;
}

/** A port over one end of a MessageChannel. */
export function portOverMessagePort(port: MessagePortLike): Port {
  const carrier = new Carrier(
    (message) => port.postMessage(message),
    () => port.close(),
  );
  port.addEventListener("message", (event) => carrier.took("data" in event ? event.data : undefined));
  port.addEventListener("close", () => carrier.ended());
  port.start();
  return carrier;
}

/**
 * Anything that emits: the ends of Node's channel between two processes, and Electron's ports, which wrap messages in
 * events (`read` unwraps).
 */
export interface Emitting {
  on(event: string, listener: (message: unknown) => void): unknown;
}

/** How to speak over something that emits. */
export interface EmitterCarrier {
  readonly emitter: Emitting;
  /** The event that brings a message, and the one that says the other side is gone. */
  readonly messageEvent: string;
  readonly closeEvent: string;
  /** Takes the message out of what the event brings; default: it is the message. */
  readonly read?: (event: unknown) => unknown;
  post(message: PortMessage): void;
  close(): void;
}

/** A port over an emitter. */
export function portOverEmitter(carrier: EmitterCarrier): Port {
  const { emitter, messageEvent, closeEvent, read = (event) => event } = carrier;
  const port = new Carrier(
    (message) => carrier.post(message),
    () => carrier.close(),
  );
  emitter.on(messageEvent, (event) => port.took(read(event)));
  emitter.on(closeEvent, () => port.ended());
  return port;
}

function isBuffer(data: unknown): data is ArrayBuffer {
  return data instanceof ArrayBuffer;
}
