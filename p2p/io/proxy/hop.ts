import { once } from "node:events";
import { createServer } from "node:net";
import type { AddressInfo, Server, Socket } from "node:net";
import { pipeline } from "node:stream/promises";
import type { SocketRoute } from "../../api/socket.ts";
import type { WayFailure } from "../../api/way.ts";
import { wayFailureOf } from "../routes/failure.ts";
import { connectTcp, connectThrough, ProxyError } from "./connect.ts";
import { canonicalHost, SocksRequest } from "./socks-request.ts";

/** How long a route leads somewhere: the browser connects at once, and twice at most. */
const routeMsMax = 15_000;
/** Routes that may be registered at a time; a window dials two relays at once, and the DHT a few. */
const routesMax = 64;
/** Connections at a time: parents, standbys and the DHT of one window. */
const connectionsMax = 128;
/** How long a client may take to say where it wants to go; it is on this machine. */
const requestMsMax = 3_000;
/** How long the far end may take to answer. */
const openMsMax = 10_000;
const socketListenersMax = 24;
/** When TCP asks whether a silent far end is still there: below the 2 min that strict NATs keep a mapping. */
const keepAliveMs = 60_000;

/** What a browser's wish to reach a name means. */
export interface HopRoute {
  /** The host of the address that the browser is given: a name, or an IP literal without brackets. */
  readonly name: string;
  readonly port: number;
  /** Where that leads, and through which proxy. Its path and server name mean nothing here. */
  readonly to: Pick<SocketRoute, "host" | "port" | "proxy">;
  /**
   * Told why a connection along the route led to no relay, as far as the bytes show: browsers tell pages nothing of it. Also
   * called when a connection that was good ends early; whoever had it open knows better.
   */
  readonly onFailed?: (failure: WayFailure) => void;
}

/** A SOCKS5 server on loopback that a browser is told to use as its only proxy. */
export interface Hop {
  /** Its TCP port on 127.0.0.1. */
  readonly port: number;
  /**
   * For the next 15 s, a CONNECT to `name:port` leads to `to`. Resolves when it does: at once, unless the same name
   * leads elsewhere just now; then when that was used, or is over. Register before the browser is given the address.
   * Rejects with Error("too many routes"), or once the hop was stopped.
   */
  route(route: HopRoute): Promise<void>;
  /** Hangs up every connection and listens no more. */
  stop(): Promise<void>;
}

/**
 * Starts a hop. It connects to nothing but what was registered just now, so that it is of no use to other programs of
 * this machine, and none to a page that was taken over. Bytes pass unchanged: TLS is the browser's own. It looks up no
 * name that a route with a proxy leads to.
 */
export async function startHop(): Promise<Hop> {
  const hop = new RunningHop();
  await hop.start();
  return hop;
}

interface Lease {
  readonly to: HopRoute["to"];
  readonly onFailed: HopRoute["onFailed"];
  used: boolean;
  /** Resolves when the name is free again. */
  readonly ended: Promise<void>;
  end(): void;
}

class RunningHop implements Hop {
  readonly #server: Server;
  readonly #leases = new Map<string, Lease>();
  readonly #sockets = new Set<Socket>();
  readonly #waiting = new Map<string, number>();
  readonly #stopping = new AbortController();

  constructor() {
    this.#server = createServer({ allowHalfOpen: true, noDelay: true }, (client) => void this.#serve(client));
    // More than that are not even accepted.
    this.#server.maxConnections = connectionsMax;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo | null)?.port ?? 0;
  }

  async start(): Promise<void> {
    this.#server.listen(0, "127.0.0.1");
    await once(this.#server, "listening");
  }

  async route({ name, port, to, onFailed }: HopRoute): Promise<void> {
    const key = keyOf(name, port);
    for (;;) {
      this.#stopping.signal.throwIfAborted();
      const lease = this.#leases.get(key);
      if (lease === undefined || isSame(lease.to, to)) break;
      if (lease.used) lease.end();
      else await this.#waitFor(key, lease);
    }
    this.#leases.get(key)?.end();
    if (this.#leases.size >= routesMax) throw new Error("too many routes");
    this.#leases.set(key, this.#leaseTo(key, to, onFailed));
  }

  async stop(): Promise<void> {
    this.#stopping.abort(new Error("the hop was stopped"));
    for (const lease of [...this.#leases.values()]) lease.end();
    for (const socket of this.#sockets) socket.destroy();
    if (!this.#server.listening) return;
    const closed = once(this.#server, "close");
    this.#server.close();
    await closed;
  }

  async #waitFor(key: string, lease: Lease): Promise<void> {
    const waiting = this.#waiting.get(key) ?? 0;
    if (waiting >= routesMax) throw new Error("too many routes");
    this.#waiting.set(key, waiting + 1);
    await lease.ended;
    const left = (this.#waiting.get(key) ?? 1) - 1;
    if (left === 0) this.#waiting.delete(key);
    else this.#waiting.set(key, left);
  }

  #leaseTo(key: string, to: HopRoute["to"], onFailed: HopRoute["onFailed"]): Lease {
    let resolve = (): void => undefined;
    const ended = new Promise<void>((done) => (resolve = done));
    const end = (): void => {
      clearTimeout(timer);
      if (this.#leases.get(key) === lease) this.#leases.delete(key);
      resolve();
    };
    const timer = setTimeout(end, routeMsMax);
    timer.unref();
    const lease: Lease = { to, onFailed, used: false, ended, end };
    return lease;
  }

  async #serve(client: Socket): Promise<void> {
    this.#hold(client);
    const signal = this.#stopping.signal;
    const request = new SocksRequest(client);
    try {
      const wanted = await request.read(AbortSignal.any([signal, AbortSignal.timeout(requestMsMax)]));
      const lease = this.#take(keyOf(wanted.host, wanted.port));
      if (lease === undefined) {
        request.refuse("not allowed");
        return;
      }
      const { to, onFailed } = lease;
      const gone = new AbortController();
      client.once("close", () => gone.abort(new Error("aborted")));
      const within = AbortSignal.any([signal, gone.signal, AbortSignal.timeout(openMsMax)]);
      const upstream = await (
        to.proxy === undefined ? connectTcp(to, within) : connectThrough(to.proxy, to, within)
      ).catch((error: unknown) => {
        const failure = wayFailureOf(error);
        onFailed?.(failure === "other" ? "unreachable" : failure);
        request.refuse(error instanceof ProxyError && error.failure !== "unreachable" ? "failure" : "unreachable");
        return undefined;
      });
      if (upstream === undefined) return;
      this.#hold(upstream);
      upstream.setKeepAlive(true, keepAliveMs);
      request.grant();
      if (onFailed !== undefined) watchBeginning(client, upstream, onFailed);
      // Each way has its own back-pressure and its own end.
      await Promise.all([pipeline(client, upstream), pipeline(upstream, client)]);
    } catch {
      // Whoever does not speak SOCKS5, or not in time, has no business here; and a connection may break.
      client.destroySoon();
    }
  }

  /** Where a name leads now. A name for which somebody waits leads there once. */
  #take(key: string): Lease | undefined {
    const lease = this.#leases.get(key);
    if (lease === undefined) return undefined;
    lease.used = true;
    if ((this.#waiting.get(key) ?? 0) > 0) lease.end();
    return lease;
  }

  #hold(socket: Socket): void {
    this.#sockets.add(socket);
    // Two pipelines end at it, each with a handful of listeners.
    socket.setMaxListeners(socketListenersMax);
    socket.on("error", () => undefined);
    socket.once("close", () => this.#sockets.delete(socket));
  }
}

/** TLS records begin with one of these (RFC 8446, 5.1). */
const isTlsRecord = (byte: number | undefined): boolean => byte !== undefined && byte >= 20 && byte <= 23;

/**
 * Says what a connection that ends early was, by who spoke and who hung up. The far end spoke no TLS, or it spoke and the
 * browser hung up, or it hung up in good order after it was asked for something: a stranger. Silence or a reset may be the network's.
 */
function watchBeginning(client: Socket, upstream: Socket, onFailed: (failure: WayFailure) => void): void {
  let first: number | undefined;
  let questions = 0;
  let answers = 0;
  const asked = (): void => void questions++;
  const answered = (bytes: Buffer): void => {
    first ??= bytes[0];
    // The first question is the hello, the second ends the handshake and asks for the page.
    if (questions > 1) answers++;
  };
  const judge = (whoEnded: "client" | "upstream" | "reset"): void => {
    stop();
    const spoke = first !== undefined;
    const isStranger =
      (spoke && !isTlsRecord(first)) || (whoEnded === "client" && spoke) || (whoEnded === "upstream" && answers > 0);
    onFailed(isStranger ? "stranger" : "cut");
  };
  const byClient = (): void => judge("client");
  const byUpstream = (): void => judge("upstream");
  const byReset = (): void => judge("reset");
  const timer = setTimeout(() => stop(), openMsMax);
  timer.unref();
  const stop = (): void => {
    clearTimeout(timer);
    client.off("data", asked).off("end", byClient).off("close", byClient);
    upstream.off("data", answered).off("end", byUpstream).off("error", byReset).off("close", byUpstream);
  };
  client.on("data", asked).once("end", byClient).once("close", byClient);
  upstream.on("data", answered).once("end", byUpstream).once("error", byReset).once("close", byUpstream);
}

function keyOf(name: string, port: number): string {
  return `${canonicalHost(name)} ${port}`;
}

function isSame(one: HopRoute["to"], other: HopRoute["to"]): boolean {
  return JSON.stringify([one.host, one.port, one.proxy]) === JSON.stringify([other.host, other.port, other.proxy]);
}
