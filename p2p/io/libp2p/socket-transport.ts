import { serviceCapabilities, transportSymbol } from "@libp2p/interface";
import type {
  AbortOptions,
  ComponentLogger,
  Connection,
  CreateListenerOptions,
  DialTransportOptions,
  Listener,
  Logger,
  MultiaddrConnection,
  Transport,
} from "@libp2p/interface";
import { AbstractMultiaddrConnection } from "@libp2p/utils";
import type { AbstractMultiaddrConnectionInit, SendResult } from "@libp2p/utils";
import type { Multiaddr } from "@multiformats/multiaddr";
import { socketBufferedBytesMax, socketMessageBytesMax } from "../../api/socket.ts";
import type { Proxy, Socket, SocketCloseReason, Sockets } from "../../api/socket.ts";
import { SocketListener } from "./socket-listener.ts";
import type { SocketListenerOptions } from "./socket-listener.ts";

/** The address kinds that this transport reaches. */
const hostNames: ReadonlySet<string> = new Set(["ip4", "ip6", "dns", "dns4", "dns6"]);

/** Where an address of TLS WebSockets leads. */
export interface SocketTarget {
  readonly host: string;
  readonly port: number;
  /** With its leading slash. */
  readonly path: string;
}

/**
 * Reads `/ip4|ip6|dns|dns4|dns6/HOST/tcp/PORT/tls/ws[/http-path/TOKEN][/p2p/ID]` (`/wss` for `/tls/ws` too); undefined for
 * every other address. The value of `http-path` already has its slash: libp2p's own transport puts a second one before it.
 */
export const socketTarget = (address: Multiaddr): SocketTarget | undefined => {
  const parts = address.getComponents();
  const [host, tcp] = parts;
  if (host?.value === undefined || !hostNames.has(host.name)) return undefined;
  if (tcp?.name !== "tcp" || tcp.value === undefined) return undefined;
  const names = parts.map(({ name }) => name);
  let next = names[2] === "wss" ? 3 : names[2] === "tls" && names[3] === "ws" ? 4 : undefined;
  if (next === undefined) return undefined;
  const path = names[next] === "http-path" ? (parts[next++]?.value ?? "/") : "/";
  if (names[next] === "p2p") next++;
  if (next < parts.length) return undefined;
  return { host: host.value, port: Number(tcp.value), path };
};

interface SocketConnectionInit extends Omit<AbstractMultiaddrConnectionInit, "stream"> {
  readonly socket: Socket;
}

/** A socket as libp2p's upgrader wants it: Noise and yamux run inside, unchanged. */
class SocketConnection extends AbstractMultiaddrConnection {
  readonly #socket: Socket;
  readonly #closed: Promise<void>;
  #onClosed: () => void = () => undefined;

  constructor(init: SocketConnectionInit) {
    super({ ...init, maxMessageSize: socketMessageBytesMax });
    this.#socket = init.socket;
    this.#closed = new Promise((resolve) => {
      this.#onClosed = resolve;
    });
    this.#socket.attach({
      onMessage: (bytes) => this.onData(bytes),
      onDrain: () => this.safeDispatchEvent("drain"),
      onClose: (reason) => this.#onClose(reason),
    });
  }

  override sendData(data: Parameters<AbstractMultiaddrConnection["sendData"]>[0]): SendResult {
    this.#socket.send(data.subarray());
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
        this.abort(new Error("socket protocol broken"));
        break;
      default:
        reason satisfies never;
    }
  }
}

const connectionOf = (
  socket: Socket,
  remoteAddr: Multiaddr,
  direction: "inbound" | "outbound",
  log: Logger,
): MultiaddrConnection => new SocketConnection({ socket, remoteAddr, direction, log });

/** What the transport is made of; all of it comes from the composition root. */
export interface SocketTransportOptions extends SocketListenerOptions {
  /** How connections are opened: natively, or by the window. */
  readonly sockets: Sockets;
  /** The proxy to go through now, by the ladder's choice; absent: straight. */
  readonly proxyFor?: (target: SocketTarget) => Proxy | undefined;
}

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
    const route = { ...target, serverName: undefined, proxy: this.#options.proxyFor?.(target) };
    const socket = await this.#options.sockets.open(route, { signal: options.signal });
    const connection = connectionOf(socket, address, "outbound", this.#log);
    try {
      return await options.upgrader.upgradeOutbound(connection, options);
    } catch (error) {
      connection.abort(error instanceof Error ? error : new Error("upgrade failed"));
      throw error;
    }
  }

  createListener({ upgrader }: CreateListenerOptions): Listener {
    const listener = new SocketListener(this.#options, (socket, remote, signal) => {
      const connection = connectionOf(socket, remote, "inbound", this.#log);
      // What fails here is a stranger's fault: the connection falls, and nobody else hears of it.
      upgrader.upgradeInbound(connection, { signal }).catch((error: unknown) => {
        connection.abort(error instanceof Error ? error : new Error("upgrade failed"));
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
  /** Where it listens now, with real ports and the path token: also public addresses, which libp2p itself holds back. */
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
