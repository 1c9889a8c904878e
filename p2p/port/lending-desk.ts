import type { Port } from "../api/port.ts";
import { type SocketRoute, urlOfRoute } from "../api/socket.ts";
import type { WayFailure } from "../api/way.ts";
import { lendingBytesMax, lendingTextMax, type FromDesk, readForDesk, readForLender, writeLending } from "./lending.ts";

/** Where the lending browser's connections pass, so that a name in the hello leads where the route says, by its proxy. */
export interface RouteBoard {
  /** For the next seconds, a connection to `name` and `port` is one along `to`. Resolves when that is so; may reject. */
  route(entry: {
    readonly name: string;
    readonly port: number;
    readonly to: SocketRoute;
    /** Told why a connection along it led to no relay, which the page is not. */
    onFailed(failure: WayFailure): void;
  }): Promise<void>;
}

/**
 * Joins the page that lends with the engine that borrows: one of each at a time, either of which may go and come back. A page
 * is told where to connect, never by what way; routes stay here.
 */
export class LendingDesk {
  #lender: { readonly port: Port; readonly board: RouteBoard | undefined } | undefined;
  #engine: Port | undefined;
  /** Sockets whose way is being prepared: the page has not heard of them. */
  #preparing = new Set<number>();

  /** A page lends from now on; the one before it is hung up on. Without a board its browser connects straight. */
  lend(port: Port, board?: RouteBoard): void {
    this.dismiss();
    const lender = { port, board };
    this.#lender = lender;
    port.attach({
      onMessage: (message) => {
        if (this.#lender !== lender) return;
        if (isMessage(message)) this.#engine?.postMessage(message);
        else this.dismiss();
      },
      onClose: () => {
        if (this.#lender === lender) this.#forget();
      },
    });
    this.#tell({ kind: "lender", here: true });
  }

  /** Hangs up on the page that lends. */
  dismiss(): void {
    const lender = this.#lender;
    if (lender === undefined) return;
    this.#forget();
    lender.port.postMessage(writeLending({ kind: "bye" }));
    lender.port.close();
  }

  /** An engine borrows from now on, over its end of a port. When it is gone the page starts afresh. */
  serve(port: Port): void {
    this.#engine = port;
    port.attach({
      onMessage: (message) => {
        if (this.#engine === port) this.#fromEngine(message);
      },
      onClose: () => {
        if (this.#engine !== port) return;
        this.#engine = undefined;
        this.dismiss();
      },
    });
    if (this.#lender !== undefined) this.#tell({ kind: "lender", here: true });
  }

  #fromEngine(message: unknown): void {
    if (!isMessage(message)) return;
    const read = typeof message === "string" ? readForDesk(message) : undefined;
    if (read === undefined) this.#pass(message);
    else if (read.kind === "hang-up") this.dismiss();
    else void this.#direct(read.id, read.route);
  }

  /** To the page, unless it gives up what the page was never told: then it is not told at all. */
  #pass(message: string | Uint8Array): void {
    if (this.#preparing.size > 0 && typeof message === "string") {
      const read = readForLender(message);
      if (typeof read !== "string" && read.kind === "drop" && this.#preparing.delete(read.id)) return;
    }
    this.#lender?.port.postMessage(message);
  }

  async #direct(id: number, route: SocketRoute): Promise<void> {
    const lender = this.#lender;
    if (lender === undefined) return;
    const isPlain = route.serverName === undefined && route.proxy === undefined;
    const name = route.serverName ?? route.host;
    if (!isPlain && (lender.board === undefined || isPastProxies(name))) {
      return this.#tell({ kind: "refused", id, reason: "not in this browser" });
    }
    const preparing = this.#preparing.add(id);
    try {
      const onFailed = (reason: WayFailure): void => this.#tell({ kind: "refused", id, reason });
      await lender.board?.route({ name, port: route.port, to: route, onFailed });
    } catch {
      preparing.delete(id);
      return this.#tell({ kind: "refused", id, reason: "too many" });
    }
    // Given up meanwhile: nothing goes out for it any more.
    if (!preparing.delete(id)) return;
    // A port that was closed meanwhile ignores it.
    lender.port.postMessage(writeLending({ kind: "socket", id, url: urlOfRoute(route) }));
  }

  #forget(): void {
    this.#lender = undefined;
    this.#preparing = new Set();
    this.#tell({ kind: "lender", here: false });
  }

  #tell(message: FromDesk): void {
    this.#engine?.postMessage(writeLending(message));
  }
}

/** What may be passed on at all. What it says is for the receiver to judge. */
function isMessage(message: unknown): message is string | Uint8Array {
  if (typeof message === "string") return message.length <= lendingTextMax;
  return message instanceof Uint8Array && message.length <= lendingBytesMax;
}

/** Names and addresses that Chromium connects to by itself whatever proxy it was given: this computer and link-local ones. */
function isPastProxies(name: string): boolean {
  return /^(?:localhost|.*\.localhost|127\..*|169\.254\..*|::1|\[::1\]|fe80:.*)$/i.test(name);
}
