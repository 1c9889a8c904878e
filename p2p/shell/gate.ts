import { createHash, randomBytes, timingSafeEqual } from "node:crypto";
import type { IncomingMessage } from "node:http";

/** Bytes of tokens and sessions: more than anybody can guess. */
const secretBytes = 32;
/** Sessions that are remembered: a person has one browser, or tries a second one. */
const sessionsMax = 8;

/** Why a request is turned away. */
export type Refusal = "host" | "origin" | "session";

/**
 * Decides who may talk to the loopback server: any page in any browser can send requests to it, and any program on this
 * computer. Only who was given the token comes in, once; from then on a cookie says who it is.
 */
export class Gate {
  readonly #authority: string;
  readonly #cookieName: string;
  #token: Buffer | undefined;
  /** Hashes, so that comparing says nothing about what is compared. Oldest first. */
  #sessions: { readonly hash: Buffer; readonly isOurs: boolean }[] = [];

  /** `port`: where the server listens on 127.0.0.1. */
  constructor(port: number) {
    this.#authority = `127.0.0.1:${port}`;
    // Cookies are shared by all ports of a host: another server's would overwrite ours.
    this.#cookieName = `teahouse-${port}`;
  }

  get origin(): string {
    return `http://${this.#authority}`;
  }

  /** A new token, good for one exchange; the one before it is void. */
  issueToken(): string {
    const token = secret();
    this.#token = digest(token);
    return token;
  }

  /** Exchanges the token for a session; undefined when it is wrong or was used. */
  exchange(token: string): string | undefined {
    if (this.#token === undefined || !timingSafeEqual(this.#token, digest(token))) return undefined;
    this.#token = undefined;
    return this.issueSession({ isOurs: false });
  }

  /** A session without a token; `isOurs`: for the browser that we start ourselves. */
  issueSession({ isOurs }: { readonly isOurs: boolean }): string {
    const session = secret();
    this.#sessions = [...this.#sessions, { hash: digest(session), isOurs }].slice(-sessionsMax);
    return session;
  }

  /** Whether a request comes from the browser that we started. */
  isOurs(request: IncomingMessage): boolean {
    return this.#sessionsOf(request).some(({ isOurs }) => isOurs);
  }

  /** The cookie that stands for a session. No script sees it, and no other site's page sends it. */
  cookie(session: string): { readonly name: string; readonly value: string; readonly header: string } {
    const name = this.#cookieName;
    return { name, value: session, header: `${name}=${session}; Path=/; HttpOnly; SameSite=Strict` };
  }

  /** Why a request for a page is turned away; undefined: it is not. */
  refusePage(request: IncomingMessage): Refusal | undefined {
    const { origin } = request.headers;
    if (this.refuseHost(request)) return "host";
    if (origin !== undefined && origin !== this.origin) return "origin";
    return this.#sessionsOf(request).length > 0 ? undefined : "session";
  }

  /** The same for a WebSocket, which must say where it comes from: the browser's same-origin policy lets it through. */
  refuseSocket(request: IncomingMessage): Refusal | undefined {
    return request.headers.origin === undefined ? "origin" : this.refusePage(request);
  }

  /** A name that somebody pointed at 127.0.0.1 (DNS rebinding) is not ours. */
  refuseHost(request: IncomingMessage): boolean {
    return request.headers.host !== this.#authority;
  }

  #sessionsOf(request: IncomingMessage): readonly { readonly isOurs: boolean }[] {
    const prefix = `${this.#cookieName}=`;
    const pairs = (request.headers.cookie ?? "").split(";").map((pair) => pair.trim());
    const values = pairs.filter((pair) => pair.startsWith(prefix)).map((pair) => digest(pair.slice(prefix.length)));
    return this.#sessions.filter(({ hash }) => values.some((value) => timingSafeEqual(hash, value)));
  }
}

function secret(): string {
  return randomBytes(secretBytes).toString("base64url");
}

function digest(text: string): Buffer {
  return createHash("sha256").update(text).digest();
}
