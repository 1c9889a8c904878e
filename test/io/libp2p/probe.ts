import { connect as connectTcp } from "node:net";
import type { Socket } from "node:net";
import { connect as connectTls } from "node:tls";
import type { ConnectionOptions, TLSSocket } from "node:tls";

/** Something a censor's prober does, and then waits until the connection ends. */
export interface Probe {
  /** Without TLS: only TCP. */
  readonly bare?: boolean;
  readonly tls?: ConnectionOptions;
  /** Written at once, then after each answer that came. */
  readonly says: readonly (string | Uint8Array)[];
  /** Hangs up his side after that. */
  readonly ends?: boolean;
}

/** All that he learns, whatever happens. */
export interface Finding {
  /** Everything the server said inside TLS, or without it; dates are left out, for they differ by themselves. */
  readonly said: string;
  /** What TLS shows. */
  readonly tls: readonly unknown[];
  /** How it ended, in order: `end` is a goodbye, `close` the end itself, else the error's code. */
  readonly ended: readonly string[];
}

/** Probes a server on this machine's loopback. Never rejects. */
export const probe = (port: number, { bare = false, tls, says, ends = false }: Probe): Promise<Finding> =>
  new Promise((resolve) => {
    const target = { host: "127.0.0.1", port };
    const heard: Buffer[] = [];
    const shown: unknown[] = [];
    const ended: string[] = [];
    const waiting = [...says];
    const speak = (socket: Socket): void => {
      const next = waiting.shift();
      if (next !== undefined) socket.write(next);
      if (waiting.length === 0 && ends) socket.end();
    };
    const overTls = (): TLSSocket => {
      const own = connectTls({ ...target, rejectUnauthorized: false, ...tls }, () => {
        const certificate = own.getPeerX509Certificate();
        shown.push(own.getProtocol(), own.getCipher(), own.alpnProtocol, certificate?.fingerprint);
        speak(own);
      });
      return own;
    };
    const socket: Socket = bare ? connectTcp(target, () => speak(socket)) : overTls();
    // Tickets are random, but how many there are is not.
    socket.on("session", () => shown.push("ticket"));
    socket.on("data", (bytes) => {
      heard.push(bytes);
      if (waiting.length > 0) speak(socket);
    });
    socket.on("end", () => ended.push("end"));
    socket.on("error", (error: NodeJS.ErrnoException) => ended.push(error.code ?? error.message));
    socket.on("close", () => {
      ended.push("close");
      const said = Buffer.concat(heard)
        .toString("latin1")
        .replaceAll(/\r\nDate: [^\r]*/g, "");
      resolve({ said, tls: shown, ended });
    });
  });

/** A request as a browser's socket writes it. */
export const requestText = (
  path: string,
  {
    method = "GET",
    version = "1.1",
    headers = {},
    body = "",
  }: {
    readonly method?: string;
    readonly version?: string;
    readonly headers?: Readonly<Record<string, string>>;
    readonly body?: string;
  } = {},
): string => {
  const lines = Object.entries({ Host: "127.0.0.1", ...headers }).map(([name, value]) => `${name}: ${value}\r\n`);
  return `${method} ${path} HTTP/${version}\r\n${lines.join("")}\r\n${body}`;
};

/** Headers of a WebSocket's opening. */
export const upgradeHeaders = {
  Connection: "Upgrade",
  Upgrade: "websocket",
  "Sec-WebSocket-Version": "13",
  "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
} as const;
