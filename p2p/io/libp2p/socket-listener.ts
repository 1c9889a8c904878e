import { createServer } from "node:https";
import type { Server, ServerOptions } from "node:https";
import type { IncomingMessage, RequestListener } from "node:http";
import type { Socket as NetSocket } from "node:net";
import type { Duplex } from "node:stream";
import { TypedEventEmitter } from "@libp2p/interface";
import type { Listener, ListenerEvents } from "@libp2p/interface";
import { getThinWaistAddresses, ipPortToMultiaddr } from "@libp2p/utils";
import { multiaddr } from "@multiformats/multiaddr";
import type { Multiaddr } from "@multiformats/multiaddr";
import { WebSocketServer } from "ws";
import { limits } from "../../api/limits.ts";
import type { Socket } from "../../api/socket.ts";
import { keepAliveMs, wsOptions, wsSocket } from "../sockets/ws.ts";
import type { Certificate, ChangingCertificate } from "./certificate.ts";
import { PathGate, dhtTokenOf } from "./path-token.ts";

/**
 * Connections that showed no token, at most: with TLS about 50 KiB each, 25 MiB in all. A hundred listeners that
 * arrive together behind one address fit.
 */
const strangersMax = 512;
/** How long libp2p may say goodbye on its connections before they are cut. */
const farewellMs = 1_000;

/** What the WebSocket handshake (RFC 6455, 4.1) needs beside the upgrade. `ws` would answer in words of its own. */
const keyForm = /^[+/0-9A-Za-z]{22}==$/;
const webSocketVersion = "13";

/** What a listener shows and to whom it opens. */
export interface SocketListenerOptions {
  /** Asked for once a listener. */
  readonly certificate: () => Certificate | ChangingCertificate;
  /** What opens the relay: the 16 bytes of its card. The DHT's token is derived from it. Everybody else sees the site. */
  readonly token: Uint8Array;
  /** What everybody without the token sees. */
  readonly site: RequestListener;
  /** Unix time in ms, by which paths are judged. */
  readonly now: () => number;
  /** Connections of one place at most; `limits.relayConnectionsOfAddressMax`, but for tests. */
  readonly ofOriginMax?: number;
  /** Instead of Node's own: so that tests of what slow visitors see need not wait for minutes. */
  readonly patience?: SitePatience;
}

/** How long a site waits for slow visitors: options of `node:https`, in ms. */
export type SitePatience = Readonly<
  Pick<
    ServerOptions,
    "connectionsCheckingInterval" | "handshakeTimeout" | "headersTimeout" | "keepAliveTimeout" | "requestTimeout"
  >
>;

/** Called for each socket that showed the token; `signal` aborts when the listener closes. */
export type SocketAccept = (socket: Socket, remote: Multiaddr, signal: AbortSignal) => void;

/** One connection that has not shown the token, and those from its address. */
interface Stranger {
  readonly name: string;
  readonly socket: NetSocket;
  readonly neighbours: Set<Stranger>;
}

/** Where somebody connects from: an IPv6 network of 64 bits is given to one household, which may use any address in it. */
export const originOf = (address: string): string => {
  const plain = address.replace(/^::ffff:(?=[0-9]+[.])/iu, "").replace(/%.*$/u, "");
  if (!plain.includes(":")) return plain;
  const [head = "", tail] = plain.split("::");
  const [left, right] = [head, tail ?? ""].map((part) => part.split(":").filter((group) => group !== ""));
  const zeros = tail === undefined ? [] : new Array<string>(8 - (left?.length ?? 0) - (right?.length ?? 0)).fill("0");
  const groups = [...(left ?? []), ...zeros, ...(right ?? [])].slice(0, 4);
  return groups.map((group) => Number.parseInt(group, 16).toString(16)).join(":");
};

const nameOf = (socket: NetSocket): string => `${socket.remoteAddress ?? ""} ${socket.remotePort ?? 0}`;

/** The end of an address that a token opens. */
export const tokenSuffix = (token: Uint8Array): string => `/http-path/${Buffer.from(token).toString("hex")}`;

/**
 * Listens on one address: an ordinary HTTPS site to anybody without the token, libp2p to those who have it. Whatever a site on
 * `node:https` answers to HTTP/2, to garbage, to slowness or to an upgrade, it answers too, for it is one: no option differs
 * from Node's defaults, and no path of the code differs before a request has shown the token.
 */
export class SocketListener extends TypedEventEmitter<ListenerEvents> implements Listener {
  readonly #server: Server;
  readonly #upgrades = new WebSocketServer({ ...wsOptions, noServer: true, clientTracking: false });
  readonly #accept: SocketAccept;
  readonly #gate: PathGate;
  readonly #token: Uint8Array;
  readonly #shutdown = new AbortController();
  /** By remote address and port, oldest first. */
  readonly #strangers = new Map<string, Stranger>();
  readonly #neighbourhoods = new Map<string, Set<Stranger>>();
  readonly #members = new Set<Duplex>();
  readonly #ofOriginMax: number;
  /** How many of them come from where. */
  readonly #origins = new Map<string, number>();
  readonly #forgetCertificate: () => void;
  #listening: Multiaddr | undefined;
  #onEmpty: (() => void) | undefined;

  constructor(options: SocketListenerOptions, accept: SocketAccept) {
    super();
    this.#accept = accept;
    this.#token = options.token;
    this.#ofOriginMax = options.ofOriginMax ?? limits.relayConnectionsOfAddressMax;
    this.#gate = new PathGate([options.token, dhtTokenOf(options.token)], options.now);
    const certificate = options.certificate();
    const { cert, key } = certificate;
    this.#server = createServer(
      // An upgrade that is not for us is an ordinary request: the site answers it as it answers any other.
      { ...options.patience, cert, key, shouldUpgradeCallback: (request) => this.#isMember(request) },
      options.site,
    );
    this.#server.on("connection", (socket: NetSocket) => this.#onStranger(socket));
    this.#server.on("upgrade", (request: IncomingMessage, socket: Duplex, head: Buffer) =>
      this.#onMember(request, socket, head),
    );
    this.#forgetCertificate =
      "onChange" in certificate
        ? certificate.onChange(() => this.#server.setSecureContext({ cert: certificate.cert, key: certificate.key }))
        : () => undefined;
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
    const suffix = multiaddr(`/tls/ws${tokenSuffix(this.#token)}`);
    return getThinWaistAddresses(this.#listening, bound.port).map((address) => address.encapsulate(suffix));
  }

  updateAnnounceAddrs(): void {}

  async close(): Promise<void> {
    if (this.#listening === undefined) return;
    this.#listening = undefined;
    this.#forgetCertificate();
    const closed = new Promise<void>((resolve) => this.#server.close(() => resolve()));
    for (const { socket } of this.#strangers.values()) socket.destroy();
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
    const address = socket.remoteAddress;
    if (this.#listening === undefined || address === undefined) {
      socket.destroy();
      return;
    }
    if (this.#strangers.size >= strangersMax) this.#dropStranger();
    const origin = originOf(address);
    const neighbours = this.#neighbourhoods.get(origin) ?? new Set();
    const stranger = { name: nameOf(socket), socket, neighbours };
    this.#neighbourhoods.set(origin, neighbours.add(stranger));
    this.#strangers.set(stranger.name, stranger);
    socket.once("close", () => {
      this.#forgetStranger(stranger);
      if (neighbours.size === 0 && this.#neighbourhoods.get(origin) === neighbours) this.#neighbourhoods.delete(origin);
    });
  }

  /** Who waits longest, at the address from which most do: one who fills us up with idle connections shuts out only himself. */
  #dropStranger(): void {
    let largest: Set<Stranger> | undefined;
    for (const neighbours of this.#neighbourhoods.values()) {
      if (neighbours.size > (largest?.size ?? 0)) largest = neighbours;
    }
    const [oldest] = largest ?? [];
    if (oldest === undefined) return;
    this.#forgetStranger(oldest);
    oldest.socket.destroy();
  }

  #forgetStranger(stranger: Stranger): void {
    stranger.neighbours.delete(stranger);
    if (this.#strangers.get(stranger.name) === stranger) this.#strangers.delete(stranger.name);
  }

  /** Whether this request shows a path that opens, which is then used up. */
  #isMember(request: IncomingMessage): boolean {
    const { headers, method, url } = request;
    const isHandshake =
      method === "GET" &&
      request.httpVersion === "1.1" &&
      headers.upgrade?.toLowerCase() === "websocket" &&
      headers["sec-websocket-version"] === webSocketVersion &&
      keyForm.test(headers["sec-websocket-key"] ?? "");
    // Who is one too many from one place sees the site, with a path that is still good.
    const origin = originOf(request.socket.remoteAddress ?? "");
    if ((this.#origins.get(origin) ?? 0) >= this.#ofOriginMax) return false;
    // A path that comes with a wrong request is judged like any other, but never opens: it was not made for that.
    return this.#gate.admits(isHandshake ? (url ?? "") : "");
  }

  #onMember(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    const { remoteAddress, remotePort } = request.socket;
    if (remoteAddress === undefined || remotePort === undefined) {
      socket.destroy();
      return;
    }
    const stranger = this.#strangers.get(nameOf(request.socket));
    if (stranger !== undefined) this.#forgetStranger(stranger);
    request.socket.setNoDelay(true).setKeepAlive(true, keepAliveMs);
    const origin = originOf(remoteAddress);
    this.#members.add(socket);
    this.#origins.set(origin, (this.#origins.get(origin) ?? 0) + 1);
    socket.once("close", () => {
      this.#members.delete(socket);
      const left = (this.#origins.get(origin) ?? 1) - 1;
      if (left > 0) this.#origins.set(origin, left);
      else this.#origins.delete(origin);
      if (this.#members.size === 0) this.#onEmpty?.();
    });
    this.#upgrades.handleUpgrade(request, socket, head, (ws) => {
      // Without /tls/ws on purpose: libp2p tells the peer this address, and would take any other form for a listener's.
      this.#accept(wsSocket(ws), ipPortToMultiaddr(remoteAddress, remotePort), this.#shutdown.signal);
    });
  }
}
