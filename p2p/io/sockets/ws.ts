import { WebSocket } from "ws";
import type { RawData } from "ws";
import { socketBufferedBytesMax, socketMessageBytesMax, urlOfRoute } from "../../api/socket.ts";
import type { Socket, SocketCloseReason, SocketHandlers, Sockets } from "../../api/socket.ts";

/** How long TCP, TLS and the upgrade may take together when the caller's signal allows more. */
const openMsMax = 15_000;
/** How long a goodbye may go unanswered. */
const closeMsMax = 1_000;

/** When TCP asks whether a silent far end is still there: below the 2 min that strict NATs keep a mapping. */
export const keepAliveMs = 60_000;

/**
 * What both sides of a native socket set: no compression (it would leak lengths and cost memory), one bound for
 * messages, and a short wait for the closing handshake.
 */
export const wsOptions = {
  perMessageDeflate: false,
  maxPayload: socketMessageBytesMax,
  closeTimeout: closeMsMax,
} as const;

/** WebSocket close codes with which `ws` names a far end that broke the protocol or our limits (RFC 6455, 7.4.1). */
const protocolCodes: ReadonlySet<number> = new Set([1002, 1003, 1007, 1009]);

class WsSocket implements Socket {
  #handlers: SocketHandlers | undefined;
  #full = false;
  #fault: SocketCloseReason | undefined;
  readonly #ws: WebSocket;

  constructor(ws: WebSocket) {
    this.#ws = ws;
    // Nothing may be lost between the opening and `attach`.
    ws.pause();
    // An error is always followed by `close`; without a listener it would end the process.
    ws.on("error", (error: Error & { readonly code?: string }) => {
      if (error.code?.startsWith("WS_ERR_") === true) this.#fault = "protocol";
    });
  }

  get bufferedAmount(): number {
    return this.#ws.bufferedAmount;
  }

  send(bytes: Uint8Array): void {
    if (this.#ws.readyState !== WebSocket.OPEN) return;
    this.#ws.send(bytes, { binary: true }, () => this.#sent());
    if (this.#ws.bufferedAmount > socketBufferedBytesMax) this.#full = true;
  }

  close(): void {
    // A paused socket would never read the answer to the goodbye.
    if (this.#handlers === undefined) this.#ws.resume();
    this.#ws.close(1000);
  }

  terminate(): void {
    this.#ws.terminate();
  }

  attach(handlers: SocketHandlers): void {
    this.#handlers = handlers;
    this.#ws.on("message", (data: RawData, isBinary: boolean) => this.#received(handlers, data, isBinary));
    if (this.#ws.readyState === WebSocket.CLOSED) {
      handlers.onClose("lost");
      return;
    }
    this.#ws.on("close", (code: number) => {
      const wasClean = code === 1000 || code === 1001 || code === 1005;
      handlers.onClose(this.#fault ?? (protocolCodes.has(code) ? "protocol" : wasClean ? "clean" : "lost"));
    });
    this.#ws.resume();
  }

  #sent(): void {
    if (!this.#full || this.#ws.bufferedAmount > 0) return;
    this.#full = false;
    if (this.#ws.readyState === WebSocket.OPEN) this.#handlers?.onDrain();
  }

  #received(handlers: SocketHandlers, data: RawData, isBinary: boolean): void {
    if (this.#ws.readyState !== WebSocket.OPEN) return;
    if (!isBinary || !Buffer.isBuffer(data) || data.byteLength === 0) {
      this.#fault = "protocol";
      this.#ws.terminate();
      return;
    }
    handlers.onMessage(data);
  }
}

/** Wraps a WebSocket of the `ws` package that is open already, from either side. */
export const wsSocket = (ws: WebSocket): Socket => new WsSocket(ws);

/** Sockets on the `ws` package: what a plain Node process uses. Its TLS looks like Node, so desktops borrow the window's. */
export const wsSockets: Sockets = {
  open(route, { signal }) {
    return new Promise((resolve, reject) => {
      if (signal.aborted) {
        reject(new Error("aborted"));
        return;
      }
      // Self-signed relays: Noise, inside, proves who answers. Set for this one socket only.
      // For an IP literal `ws` sends no server name, as browsers do.
      const ws = new WebSocket(urlOfRoute(route), {
        ...wsOptions,
        rejectUnauthorized: false,
        handshakeTimeout: openMsMax,
      });
      const onAbort = (): void => fail(new Error("aborted"));
      const fail = (error: Error): void => {
        settle();
        ws.on("error", () => undefined);
        ws.terminate();
        reject(error);
      };
      const settle = (): void => {
        signal.removeEventListener("abort", onAbort);
        ws.removeAllListeners();
      };
      signal.addEventListener("abort", onAbort, { once: true });
      ws.once("error", fail);
      ws.once("upgrade", ({ socket }) => void socket.setKeepAlive(true, keepAliveMs));
      ws.once("open", () => {
        settle();
        resolve(wsSocket(ws));
      });
    });
  },
};
