import { createHash, timingSafeEqual } from "node:crypto";
import { createServer } from "node:https";
import type { Server } from "node:https";
import type { IncomingMessage, RequestListener } from "node:http";
import type { Socket as NetSocket } from "node:net";
import type { Duplex } from "node:stream";
import { TypedEventEmitter } from "@libp2p/interface";
import type { Listener, ListenerEvents } from "@libp2p/interface";
import { getThinWaistAddresses, ipPortToMultiaddr } from "@libp2p/utils";
import { multiaddr } from "@multiformats/multiaddr";
import type { Multiaddr } from "@multiformats/multiaddr";
import { WebSocketServer } from "ws";
import type { Socket } from "../../api/socket.ts";
import { keepAliveMs, wsOptions, wsSocket } from "../sockets/ws.ts";
import type { Certificate } from "./certificate.ts";

/** A connection has this long for TLS and its first request: a slow network's three round trips, many times over. */
const strangerMsMax = 5_000;
/**
 * Connections that showed no token, at most: with TLS about 50 KiB each, 25 MiB in all. A hundred listeners that
 * arrive together behind one address fit.
 */
const strangersMax = 512;
/** Bytes of a request's head: a browser's is below 2 KiB. */
const headBytesMax = 8_192;
/** How long an ordinary visitor's connection is kept for the next request: what nginx and Apache do is 5 to 75 s. */
const visitorIdleMs = 5_000;
/** How long libp2p may say goodbye on its connections before they are cut. */
const farewellMs = 1_000;

/** What a listener shows and to whom it opens. */
export interface SocketListenerOptions {
  /** Asked for once a listener. */
  readonly certificate: () => Certificate;
  /** The path that opens the relay, as 16 bytes; everybody else sees the site. */
  readonly token: Uint8Array;
  /** What everybody without the token sees. */
  readonly site: RequestListener;
}

/** Called for each socket that showed the token; `signal` aborts when the listener closes. */
export type SocketAccept = (socket: Socket, remote: Multiaddr, signal: AbortSignal) => void;

const digest = (text: string): Buffer => createHash("sha256").update(text).digest();

/** The path that a token stands for. */
export const tokenPath = (token: Uint8Array): string => `/${Buffer.from(token).toString("hex")}`;

const nameOf = (socket: NetSocket): string => `${socket.remoteAddress ?? ""} ${socket.remotePort ?? 0}`;

/** Listens on one address: an ordinary HTTPS site to anybody without the token, libp2p to those who have it. */
export class SocketListener extends TypedEventEmitter<ListenerEvents> implements Listener {
  readonly #server: Server;
  readonly #upgrades = new WebSocketServer({ ...wsOptions, noServer: true, clientTracking: false });
  readonly #accept: SocketAccept;
  readonly #pathDigest: Buffer;
  readonly #path: string;
  readonly #shutdown = new AbortController();
  /** Connections that have not shown the token, by remote address and port. */
  readonly #strangers = new Map<string, { readonly socket: NetSocket; readonly timer: NodeJS.Timeout }>();
  readonly #members = new Set<Duplex>();
  #listening: Multiaddr | undefined;
  #onEmpty: (() => void) | undefined;

  constructor(options: SocketListenerOptions, accept: SocketAccept) {
    super();
    this.#accept = accept;
    this.#path = tokenPath(options.token);
    this.#pathDigest = digest(this.#path);
    const { cert, key } = options.certificate();
    this.#server = createServer(
      {
        cert,
        key,
        minVersion: "TLSv1.2",
        handshakeTimeout: strangerMsMax,
        headersTimeout: strangerMsMax,
        requestTimeout: strangerMsMax,
        keepAliveTimeout: visitorIdleMs,
        connectionsCheckingInterval: 1_000,
        maxHeaderSize: headBytesMax,
        noDelay: true,
        keepAlive: true,
        keepAliveInitialDelay: keepAliveMs,
        // An upgrade that is not for us is an ordinary request: the site answers it as it answers any other.
        shouldUpgradeCallback: (request) => this.#isMember(request),
      },
      (request, response) => {
        const stranger = this.#strangers.get(nameOf(request.socket));
        if (stranger !== undefined) clearTimeout(stranger.timer);
        options.site(request, response);
      },
    );
    // The next two never get out of hand by themselves, but without a listener they could end the process.
    this.#server.on("tlsClientError", (_error, socket) => socket.destroy());
    this.#server.on("connection", (socket: NetSocket) => this.#onStranger(socket));
    this.#server.on("upgrade", (request: IncomingMessage, socket: Duplex, head: Buffer) =>
      this.#onMember(request, socket, head),
    );
  }

  async listen(address: Multiaddr): Promise<void> {
    const [host, tcp] = address.getComponents();
    if (host?.value === undefined || tcp?.value === undefined) throw new Error("not an address to listen on");
    const options = { host: host.value, port: Number(tcp.value), ipv6Only: host.name === "ip6" };
    await new Promise<void>((resolve, reject) => {
      this.#server.once("error", reject);
      this.#server.listen(options, () => {
        this.#server.off("error", reject);
        resolve();
      });
    });
    // Running out of file descriptors, say: who is connected stays, who comes later may try again.
    this.#server.on("error", () => undefined);
    this.#listening = address;
    this.safeDispatchEvent("listening");
  }

  getAddrs(): Multiaddr[] {
    const bound = this.#server.address();
    if (this.#listening === undefined || bound === null || typeof bound === "string") return [];
    const suffix = multiaddr(`/tls/ws/http-path${this.#path}`);
    return getThinWaistAddresses(this.#listening, bound.port).map((address) => address.encapsulate(suffix));
  }

  updateAnnounceAddrs(): void {}

  async close(): Promise<void> {
    if (this.#listening === undefined) return;
    this.#listening = undefined;
    const closed = new Promise<void>((resolve) => this.#server.close(() => resolve()));
    for (const { socket, timer } of this.#strangers.values()) {
      clearTimeout(timer);
      socket.destroy();
    }
    this.#shutdown.abort();
    await this.#farewell();
    for (const socket of this.#members) socket.destroy();
    await closed;
    this.safeDispatchEvent("close");
  }

  /** libp2p closes its connections at the same moment as its listeners; what it says then should arrive. */
  async #farewell(): Promise<void> {
    if (this.#members.size === 0) return;
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, farewellMs);
      this.#onEmpty = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }

  #onStranger(socket: NetSocket): void {
    const name = nameOf(socket);
    if (this.#listening === undefined || this.#strangers.size >= strangersMax || socket.remoteAddress === undefined) {
      socket.destroy();
      return;
    }
    const timer = setTimeout(() => socket.destroy(), strangerMsMax);
    this.#strangers.set(name, { socket, timer });
    socket.once("close", () => {
      clearTimeout(timer);
      if (this.#strangers.get(name)?.socket === socket) this.#strangers.delete(name);
    });
  }

  /** Whether this request shows the token; takes the same time whichever path it asks for. */
  #isMember(request: IncomingMessage): boolean {
    const isPath = timingSafeEqual(digest(request.url ?? ""), this.#pathDigest);
    return isPath && request.method === "GET" && request.headers.upgrade?.toLowerCase() === "websocket";
  }

  #onMember(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    const name = nameOf(request.socket);
    const stranger = this.#strangers.get(name);
    const { remoteAddress, remotePort } = request.socket;
    if (stranger === undefined || remoteAddress === undefined || remotePort === undefined) {
      socket.destroy();
      return;
    }
    clearTimeout(stranger.timer);
    this.#strangers.delete(name);
    this.#members.add(socket);
    socket.once("close", () => {
      this.#members.delete(socket);
      if (this.#members.size === 0) this.#onEmpty?.();
    });
    this.#upgrades.handleUpgrade(request, socket, head, (ws) => {
      // Without /tls/ws on purpose: libp2p tells the peer this address, and would take any other form for a listener's.
      this.#accept(wsSocket(ws), ipPortToMultiaddr(remoteAddress, remotePort), this.#shutdown.signal);
    });
  }
}
