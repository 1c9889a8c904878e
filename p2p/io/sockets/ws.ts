import { once } from "node:events";
import type { IncomingMessage } from "node:http";
import { isIP } from "node:net";
import { connect } from "node:tls";
import type { ConnectionOptions, TLSSocket } from "node:tls";
import { WebSocket } from "ws";
import type { RawData } from "ws";
import { socketBufferedBytesMax, socketMessageBytesMax, urlOfRoute } from "../../api/socket.ts";
import type { Socket, SocketCloseReason, SocketHandlers, SocketRoute, Sockets } from "../../api/socket.ts";
import { connectTcp, connectThrough } from "../proxy/connect.ts";

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

/** As browsers say hello for a WebSocket: no name for an IP literal, and HTTP/1.1 as the only protocol (RFC 7301). */
const tlsOptions = ({ host, serverName }: SocketRoute): ConnectionOptions => ({
  servername: serverName ?? (isIP(host) === 0 ? host : ""),
  ALPNProtocols: ["http/1.1"],
  // Self-signed relays: Noise, inside, proves who answers. Set for this one socket only.
  rejectUnauthorized: false,
});

/** How `wsSockets` rejects: the message says how far it got, in the words of `WayFailure`. */
const failed = (failure: "cut" | "stranger" | "portal"): Error => new Error(failure);

/** Whoever gave up wants no reason; a dial that took too long after TCP answered was cut, by silence. */
const givenUp = ({ reason }: AbortSignal): Error =>
  reason instanceof Error && reason.name === "TimeoutError" ? failed("cut") : new Error("aborted");

/** TLS over TCP, straight or through the proxy. */
const openTls = async (route: SocketRoute, signal: AbortSignal): Promise<TLSSocket> => {
  const { proxy } = route;
  const raw = await (proxy === undefined ? connectTcp(route, signal) : connectThrough(proxy, route, signal));
  raw.setKeepAlive(true, keepAliveMs);
  const tls = connect({ ...tlsOptions(route), socket: raw });
  try {
    await once(tls, "secureConnect", { signal });
    return tls;
  } catch (error) {
    tls.on("error", () => undefined);
    tls.destroy();
    raw.destroy();
    if (signal.aborted) throw givenUp(signal);
    const code = error instanceof Error && "code" in error ? String(error.code) : "";
    // What is no TLS at all is somebody else; a reset, or silence, may be the network's.
    throw failed(code.startsWith("ERR_SSL_") || code === "EPROTO" ? "stranger" : "cut");
  }
};

/** An answer that is no upgrade: a stranger's site, or a network that first wants to be logged in to (RFC 6585, 6). */
const failureOfAnswer = ({ statusCode = 0, headers }: IncomingMessage, { host }: SocketRoute): Error => {
  const isAway = statusCode >= 300 && statusCode < 400 && headers.location?.includes(host) === false;
  return failed(statusCode === 511 || isAway ? "portal" : "stranger");
};

const upgrade = (route: SocketRoute, tls: TLSSocket, signal: AbortSignal): Promise<Socket> =>
  new Promise((resolve, reject) => {
    const ws = new WebSocket(urlOfRoute(route), { ...wsOptions, createConnection: () => tls });
    const fail = (error: Error): void => {
      settle();
      ws.on("error", () => undefined);
      ws.terminate();
      tls.destroy();
      reject(error);
    };
    const onAbort = (): void => fail(givenUp(signal));
    const settle = (): void => {
      signal.removeEventListener("abort", onAbort);
      ws.removeAllListeners();
    };
    signal.addEventListener("abort", onAbort, { once: true });
    ws.once("unexpected-response", (_, answer: IncomingMessage) => fail(failureOfAnswer(answer, route)));
    ws.once("error", (error: Error & { readonly code?: string }) =>
      // What is not HTTP, or not this upgrade, is somebody else's.
      fail(failed(/^(?:HPE_|WS_ERR_)/.test(error.code ?? "") || error.code === undefined ? "stranger" : "cut")),
    );
    ws.once("open", () => {
      settle();
      resolve(wsSocket(ws));
    });
    if (signal.aborted) onAbort();
  });

/**
 * Sockets on the `ws` package: what a plain Node process uses. Its TLS looks like Node, so desktops borrow the window's. The
 * message of the Error that `open` rejects with is a `WayFailure`, or the network's own.
 */
export const wsSockets: Sockets = {
  async open(route, { signal }) {
    if (signal.aborted) throw new Error("aborted");
    const within = AbortSignal.any([signal as AbortSignal, AbortSignal.timeout(openMsMax)]);
    return upgrade(route, await openTls(route, within), within);
  },
};
