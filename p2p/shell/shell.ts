import { once } from "node:events";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import type { Duplex } from "node:stream";
import { WebSocketServer } from "ws";
import type { EngineApi } from "../api/engine.ts";
import type { Port, PortCloseReason } from "../api/port.ts";
import { portOverWebSocket } from "../port/carriers.ts";
import { Seat } from "../port/seat.ts";
import { type PortServer, servePort } from "../port/server.ts";
import {
  refusalSentences,
  sendEntry,
  sendFile,
  sendNothing,
  sendRedirect,
  sendSentence,
  unbuiltSentence,
} from "./answers.ts";
import { Gate } from "./gate.ts";
import { loadSite, type Site } from "./site.ts";

/** How long the room is kept for a window that is gone: long enough to open it again, too short to eavesdrop on. */
export const absentMsMax = 30_000;
/** Largest message from a window: a text of `windowTextMax` characters in UTF-8. */
const socketPayloadMax = 524_288;
const headerBytesMax = 8192;
/** Connections at once: a window needs one for its socket and some for its files. */
const connectionsMax = 64;
const requestMsMax = 10_000;

/** What the shell is made of. */
export interface ShellOptions {
  /** Where the built window lies. */
  readonly siteFolder: string;
  readonly engine: EngineApi;
  /** Instead of `absentMsMax`. */
  readonly absentMs?: number;
  /** The window has been gone for `absentMs`, or came back. */
  onAbsence?(isAbsent: boolean): void;
  /** The page of the window that has the seat lends its network. `isOurs`: it is in the browser that we started. */
  onLender?(port: Port, isOurs: boolean): void;
  /** The seat changed hands, or is empty: whoever lent before does not any more. */
  onLenderGone?(): void;
}

/** The server that a browser's window comes from. */
export interface Shell {
  /** `http://127.0.0.1:PORT` */
  readonly origin: string;
  /** Whether a built window was found; without one, people read a sentence. */
  readonly isBuilt: boolean;
  /** An address that opens the window once. The one issued before is void. */
  issueAddress(): string;
  /** The cookie of a session of its own, for a browser that we start. */
  issueCookie(): { readonly name: string; readonly value: string };
  /** A page without secrets that leads to the window once `entry` resolved: where a browser of ours begins. */
  openingAddress(entry: Promise<void>): string;
  /** Hangs up on every window, now and from now on. */
  hangUp(reason: PortCloseReason): void;
  stop(): Promise<void>;
}

/** Starts the shell on a free port of 127.0.0.1. */
export async function startShell(options: ShellOptions): Promise<Shell> {
  const site = await loadSite(options.siteFolder);
  const server = createServer({ maxHeaderSize: headerBytesMax, requestTimeout: requestMsMax });
  server.maxConnections = connectionsMax;
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return new LoopbackShell(server, site, options);
}

class LoopbackShell implements Shell {
  readonly isBuilt: boolean;
  readonly #server: Server;
  readonly #site: Site | undefined;
  readonly #options: ShellOptions;
  readonly #gate: Gate;
  readonly #sockets = new WebSocketServer({
    noServer: true,
    perMessageDeflate: false,
    maxPayload: socketPayloadMax,
    clientTracking: true,
  });
  readonly #windows = new Set<PortServer>();
  readonly #seat = new Seat((isTaken) => this.#seated(isTaken));
  /** While a browser of ours comes up; without one nobody is let wait for it. */
  #entry: Promise<void> | undefined;
  #ended: PortCloseReason | undefined;
  #absence: NodeJS.Timeout | undefined;
  #isAbsent = false;
  #isTaken = false;

  constructor(server: Server, site: Site | undefined, options: ShellOptions) {
    this.#server = server;
    this.#site = site;
    this.#options = options;
    this.isBuilt = site !== undefined;
    this.#gate = new Gate((server.address() as AddressInfo).port);
    server.on("request", (request, response) => void this.#answer(request, response));
    server.on("upgrade", (request, socket, head) => this.#upgrade(request, socket, head));
    server.on("clientError", (_error, socket) => void socket.destroy());
  }

  get origin(): string {
    return this.#gate.origin;
  }

  issueAddress(): string {
    return `${this.origin}/open/${this.#gate.issueToken()}`;
  }

  issueCookie(): { readonly name: string; readonly value: string } {
    const { name, value } = this.#gate.cookie(this.#gate.issueSession({ isOurs: true }));
    return { name, value };
  }

  openingAddress(entry: Promise<void>): string {
    this.#entry = entry;
    return `${this.origin}/opening`;
  }

  hangUp(reason: PortCloseReason): void {
    this.#ended = reason;
    for (const window of this.#windows) window.close(reason);
  }

  async stop(): Promise<void> {
    clearTimeout(this.#absence);
    this.hangUp("lost");
    for (const socket of this.#sockets.clients) socket.terminate();
    this.#server.closeAllConnections();
    this.#server.close();
    await once(this.#server, "close");
    clearTimeout(this.#absence);
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    // An attacker's name for this address must not even be told what this is.
    if (this.#gate.refuseHost(request)) return sendSentence(response, 421, refusalSentences.host);
    if (request.method !== "GET" && request.method !== "HEAD") {
      return sendSentence(response, 405, "Teahouse has only pages to read.");
    }
    const path = pathOf(request);
    if (path === "/opening" && this.#entry !== undefined) {
      await this.#entry.catch(() => undefined);
      return sendRedirect(response);
    }
    const refusal = this.#gate.refusePage(request);
    if (path.startsWith("/open/")) return this.#enter(path.slice("/open/".length), refusal, response);
    if (refusal !== undefined) return sendSentence(response, 403, refusalSentences[refusal]);
    if (this.#site === undefined) return sendSentence(response, 503, unbuiltSentence);
    const file = this.#site.get(path);
    // Browsers ask for it by themselves, and would call its absence an error.
    if (file === undefined && path === "/favicon.ico") return sendNothing(response);
    if (file === undefined) return sendSentence(response, 404, "Teahouse has no such page.");
    sendFile(response, file);
  }

  #enter(token: string, refusal: string | undefined, response: ServerResponse): void {
    // Who has come in already and reloads the address is at home.
    if (refusal === undefined) return sendRedirect(response);
    if (refusal !== "session") return sendSentence(response, 403, refusalSentences.origin);
    const session = this.#gate.exchange(token);
    if (session === undefined) return sendSentence(response, 403, refusalSentences.token);
    sendEntry(response, this.#gate.cookie(session).header);
  }

  #upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    socket.on("error", () => socket.destroy());
    const status = this.#refuseSocket(request);
    if (status !== undefined) {
      socket.end(`HTTP/1.1 ${status} Refused\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`);
      return;
    }
    this.#sockets.handleUpgrade(request, socket, head, (webSocket) => {
      // A frame that breaks the rules ends the socket, which is told as `close`.
      webSocket.on("error", () => undefined);
      if (pathOf(request) === "/lend") {
        return this.#options.onLender?.(portOverWebSocket(webSocket), this.#gate.isOurs(request));
      }
      const window = servePort(portOverWebSocket(webSocket), this.#options.engine, {
        rights: "window",
        seat: this.#seat,
      });
      this.#windows.add(window);
      webSocket.on("close", () => this.#windows.delete(window));
      if (this.#ended !== undefined) window.close(this.#ended);
    });
  }

  /** Only the page that has the seat has something to lend; it asks once it was let in. */
  #refuseSocket(request: IncomingMessage): number | undefined {
    if (this.#gate.refuseHost(request)) return 421;
    if (this.#gate.refuseSocket(request) !== undefined) return 403;
    const path = pathOf(request);
    if (path === "/lend") return this.#isTaken && this.#options.onLender !== undefined ? undefined : 409;
    return path === "/port" ? undefined : 404;
  }

  #seated(isTaken: boolean): void {
    this.#isTaken = isTaken;
    this.#options.onLenderGone?.();
    clearTimeout(this.#absence);
    if (isTaken) {
      if (this.#isAbsent) this.#options.onAbsence?.(false);
      this.#isAbsent = false;
      return;
    }
    this.#absence = setTimeout(() => {
      this.#isAbsent = true;
      this.#options.onAbsence?.(true);
    }, this.#options.absentMs ?? absentMsMax);
  }
}

/** The path without its query; a request target that is none of ours is the empty path. */
function pathOf(request: IncomingMessage): string {
  return /^\/[^?#]*/.exec(request.url ?? "")?.[0] ?? "";
}
