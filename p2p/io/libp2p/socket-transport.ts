import { serviceCapabilities, transportSymbol } from "@libp2p/interface";
import type {
  AbortOptions,
  ComponentLogger,
  Connection,
  CreateListenerOptions,
  DialTransportOptions,
  Listener,
  Logger,
  Transport,
} from "@libp2p/interface";
import { AbstractMultiaddrConnection } from "@libp2p/utils";
import type { AbstractMultiaddrConnectionInit, SendResult } from "@libp2p/utils";
import type { Multiaddr } from "@multiformats/multiaddr";
import { socketBufferedBytesMax } from "../../api/socket.ts";
import type { Proxy, Socket, SocketCloseReason, Sockets } from "../../api/socket.ts";
import { Padding, payloadBytesMax } from "./padding.ts";
import { cardTokenBytes, dhtTokenBytes, pathOf } from "./path-token.ts";
import { SocketListener } from "./socket-listener.ts";
import type { SocketListenerOptions } from "./socket-listener.ts";

/** The address kinds that this transport reaches. */
const hostNames: ReadonlySet<string> = new Set(["ip4", "ip6", "dns", "dns4", "dns6"]);

/**
 * Names as certificates and URLs have them: an address may hold any bytes in the place of one. The last part begins with a
 * letter; URL parsers take a name that ends in a number for an IP address.
 */
const nameForm = /^(?:[a-z0-9_-]{1,63}\.)*[a-z][a-z0-9-]{0,62}$/i;
const nameCharactersMax = 253;
const tokenForm = new RegExp(`^(?:[0-9a-f]{${2 * cardTokenBytes}}|[0-9a-f]{${2 * dhtTokenBytes}})$`);

/** Where an address of TLS WebSockets leads. */
export interface SocketTarget {
  readonly host: string;
  readonly port: number;
  /** The name that its ClientHello carries instead of the host; absent: the host, if that is a name. */
  readonly serverName?: string;
  /** What opens the relay there: a card's token, or the DHT's. Never sent as it is. */
  readonly token?: Uint8Array;
}

/**
 * Reads `/ip4|ip6|dns|dns4|dns6/HOST/tcp/PORT/tls[/sni/NAME]/ws[/http-path/TOKEN][/p2p/ID]` (`/wss` for `/tls/ws` too), TOKEN in
 * hex; undefined for every other address, and for one whose names are none.
 */
export const socketTarget = (address: Multiaddr): SocketTarget | undefined => {
  const [host, tcp, ...rest] = address.getComponents();
  if (host?.value === undefined || !hostNames.has(host.name)) return undefined;
  if (host.name.startsWith("dns") && !isName(host.value)) return undefined;
  if (tcp?.name !== "tcp" || tcp.value === undefined) return undefined;
  const take = (name: string): string | undefined => (rest[0]?.name === name ? (rest.shift()?.value ?? "") : undefined);
  let serverName: string | undefined;
  if (take("wss") === undefined) {
    if (take("tls") === undefined) return undefined;
    serverName = take("sni");
    if (take("ws") === undefined) return undefined;
  }
  // libp2p gives it with a slash of its own.
  const path = take("http-path")?.replace(/^\//, "");
  take("p2p");
  if (rest.length > 0) return undefined;
  if (serverName !== undefined && !isName(serverName)) return undefined;
  if (path !== undefined && !tokenForm.test(path)) return undefined;
  return {
    host: host.value,
    port: Number(tcp.value),
    ...(serverName === undefined ? {} : { serverName }),
    ...(path === undefined ? {} : { token: new Uint8Array(Buffer.from(path, "hex")) }),
  };
};

const isName = (text: string): boolean => text.length <= nameCharactersMax && nameForm.test(text);

interface SocketConnectionInit extends Omit<AbstractMultiaddrConnectionInit, "stream"> {
  readonly socket: Socket;
  readonly padding: Padding;
  readonly onFault: (fault: SocketFault) => void;
}

/** A socket as libp2p's upgrader wants it: Noise and yamux run inside, unchanged. */
class SocketConnection extends AbstractMultiaddrConnection {
  readonly #socket: Socket;
  readonly #padding: Padding;
  readonly #onFault: (fault: SocketFault) => void;
  readonly #closed: Promise<void>;
  #onClosed: () => void = () => undefined;
  #isFaulty = false;

  constructor(init: SocketConnectionInit) {
    super({ ...init, maxMessageSize: payloadBytesMax });
    this.#socket = init.socket;
    this.#padding = init.padding;
    this.#onFault = init.onFault;
    this.#closed = new Promise((resolve) => {
      this.#onClosed = resolve;
    });
    this.#socket.attach({
      onMessage: (bytes) => this.#onMessage(bytes),
      onDrain: () => this.safeDispatchEvent("drain"),
      onClose: (reason) => this.#onClose(reason),
    });
  }

  override sendData(data: Parameters<AbstractMultiaddrConnection["sendData"]>[0]): SendResult {
    this.#socket.send(this.#padding.wrap(data.subarray()));
    return { sentBytes: data.byteLength, canSendMore: this.#socket.bufferedAmount <= socketBufferedBytesMax };
  }

  override async sendClose(options?: AbortOptions): Promise<void> {
    this.#socket.close();
    const signal = options?.signal;
    if (signal === undefined) {
      await this.#closed;
      return;
    }
    signal.throwIfAborted();
    await new Promise<void>((resolve, reject) => {
      const onAbort = (): void => reject(new Error("aborted"));
      signal.addEventListener("abort", onAbort, { once: true });
      void this.#closed.then(() => {
        signal.removeEventListener("abort", onAbort);
        resolve();
      });
    });
  }

  override sendReset(): void {
    this.#socket.terminate();
  }

  // A WebSocket cannot stop the far end: yamux windows bound what may wait here.
  override sendPause(): void {}

  override sendResume(): void {}

  /** Cuts it off for a reason, of which the first counts. */
  fail(fault: SocketFault, error: unknown): void {
    if (!this.#isFaulty) this.#onFault(fault);
    this.#isFaulty = true;
    this.abort(error instanceof Error ? error : new Error("upgrade failed"));
  }

  #onMessage(bytes: Uint8Array): void {
    if (this.status !== "open" && this.status !== "closing") return;
    const payload = this.#padding.unwrap(bytes);
    if (payload === undefined) this.fail("padding", new Error("socket protocol broken"));
    else this.onData(payload);
  }

  #onClose(reason: SocketCloseReason): void {
    this.#onClosed();
    if (this.status !== "open" && this.status !== "closing") return;
    switch (reason) {
      case "clean":
        this.onTransportClosed();
        break;
      case "lost":
        // After our own goodbye a missing answer is no loss.
        if (this.status === "closing") this.onTransportClosed();
        else this.onRemoteReset();
        break;
      case "protocol":
        this.fail("socket", new Error("socket protocol broken"));
        break;
      default:
        reason satisfies never;
    }
  }
}

/**
 * Why a socket was cut off here. `padding`: its first messages were not framed as ours are. `socket`: the WebSocket's own
 * rules or limits were broken. `wrong key`: somebody else's key answered our dial. `handshake`: Noise, or what comes with it,
 * failed otherwise. `aborted`: nobody's fault, we gave up waiting or are closing.
 */
export type SocketFault = "padding" | "socket" | "wrong key" | "handshake" | "aborted";

/** What the transport is made of; all of it comes from the composition root. */
export interface SocketTransportOptions extends SocketListenerOptions {
  /** How connections are opened: natively, or by the window. */
  readonly sockets: Sockets;
  /** The proxy to go through now, by the ladder's choice; absent: straight. */
  readonly proxyFor?: (target: SocketTarget) => Proxy | undefined;
  /** For nonces and padding. */
  readonly randomBytes: (length: number) => Uint8Array;
  /** Unix time in ms. */
  readonly now: () => number;
  /** Counts what was cut off; nothing about whom. */
  readonly onFault?: (fault: SocketFault) => void;
}

const faultOf = (error: unknown): "wrong key" | "handshake" =>
  // libp2p gives every failed handshake one name; only Noise's own words tell an impostor from the others.
  error instanceof Error && /does not match expected|Invalid payload signature/.test(error.message)
    ? "wrong key"
    : "handshake";

class SocketTransport implements Transport {
  readonly [transportSymbol] = true;
  readonly [Symbol.toStringTag] = "teahouse/sockets";
  readonly [serviceCapabilities]: string[] = ["@libp2p/transport"];
  readonly #options: SocketTransportOptions;
  readonly #log: Logger;
  readonly #listeners: Set<Listener>;

  constructor(logger: ComponentLogger, options: SocketTransportOptions, listeners: Set<Listener>) {
    this.#log = logger.forComponent("sockets");
    this.#options = options;
    this.#listeners = listeners;
  }

  async dial(address: Multiaddr, options: DialTransportOptions): Promise<Connection> {
    const target = socketTarget(address);
    if (target === undefined) throw new Error("not an address of TLS WebSockets");
    const { host, port, serverName, token } = target;
    const { sockets, proxyFor, randomBytes, now } = this.#options;
    // Good for this dial only: a path that was seen once opens nothing any more.
    const path = token === undefined ? "/" : pathOf(token, randomBytes(12), now());
    const route = { host, port, path, serverName, proxy: proxyFor?.(target) };
    const socket = await sockets.open(route, { signal: options.signal });
    const connection = this.#connectionOf(socket, address, "outbound");
    try {
      return await options.upgrader.upgradeOutbound(connection, options);
    } catch (error) {
      connection.fail(options.signal.aborted ? "aborted" : faultOf(error), error);
      throw error;
    }
  }

  #connectionOf(socket: Socket, remoteAddr: Multiaddr, direction: "inbound" | "outbound"): SocketConnection {
    const { randomBytes, onFault } = this.#options;
    return new SocketConnection({
      socket,
      remoteAddr,
      direction,
      log: this.#log,
      padding: new Padding(randomBytes),
      onFault: (fault) => onFault?.(fault),
    });
  }

  createListener({ upgrader }: CreateListenerOptions): Listener {
    const listener = new SocketListener(this.#options, (socket, remote, signal) => {
      const connection = this.#connectionOf(socket, remote, "inbound");
      // What fails here is a stranger's fault: the connection falls, and nobody else hears of it.
      upgrader.upgradeInbound(connection, { signal }).catch((error: unknown) => {
        connection.fail(signal.aborted ? "aborted" : faultOf(error), error);
      });
    });
    listener.addEventListener("listening", () => this.#listeners.add(listener));
    listener.addEventListener("close", () => this.#listeners.delete(listener));
    return listener;
  }

  listenFilter(addresses: Multiaddr[]): Multiaddr[] {
    return addresses.filter((address) => {
      const host = address.getComponents()[0]?.name;
      return (host === "ip4" || host === "ip6") && socketTarget(address) !== undefined;
    });
  }

  dialFilter(addresses: Multiaddr[]): Multiaddr[] {
    return addresses.filter((address) => socketTarget(address) !== undefined);
  }
}

/** The transport for `createLibp2p`, and what it listens on. */
export interface SocketTransportFactory {
  readonly create: (components: { readonly logger: ComponentLogger }) => Transport;
  /** Where it listens now, with real ports and the card's token: also public addresses, which libp2p itself holds back. */
  addresses(): Multiaddr[];
}

/**
 * libp2p over our own TLS WebSockets. It exists because libp2p's WebSocket transport takes no TLS options in Node, rejects
 * relays that sign their own certificate, and breaks `http-path`.
 */
export const socketTransport = (options: SocketTransportOptions): SocketTransportFactory => {
  const listeners = new Set<Listener>();
  return {
    create: ({ logger }) => new SocketTransport(logger, options, listeners),
    addresses: () => [...listeners].flatMap((listener) => listener.getAddrs()),
  };
};
