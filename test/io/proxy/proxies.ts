import { once } from "node:events";
import { createServer as createHttpServer } from "node:http";
import { connect, createServer } from "node:net";
import type { AddressInfo, Server, Socket } from "node:net";
import type { Proxy } from "../../../p2p/api/socket.ts";

/** What a proxy of the tests does instead of what was asked. */
export type ProxyFault = "garbage" | "stall" | "refuse" | "hang up" | "no way";

/** A proxy on loopback that leads every name to loopback, and remembers whom it was asked for. */
export interface TestProxy {
  readonly proxy: Proxy;
  /** `host:port` as asked, in the order of asking. */
  readonly asked: string[];
  /** Who asked, where credentials were given. */
  readonly users: string[];
  readonly connections: number;
  stop(): Promise<void>;
}

/** How it behaves. */
export interface TestProxyOptions {
  readonly credentials?: { readonly user: string; readonly password: string };
  readonly fault?: ProxyFault;
}

class Counted implements TestProxy {
  readonly asked: string[] = [];
  readonly users: string[] = [];
  readonly #kind: Proxy["kind"];
  readonly #options: TestProxyOptions;
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  connections = 0;

  constructor(kind: Proxy["kind"], options: TestProxyOptions, server: Server) {
    this.#kind = kind;
    this.#options = options;
    this.#server = server;
    server.on("connection", (socket) => {
      this.connections++;
      this.hold(socket);
    });
  }

  get proxy(): Proxy {
    const { port } = this.#server.address() as AddressInfo;
    const { credentials } = this.#options;
    return { kind: this.#kind, host: "127.0.0.1", port, ...(credentials === undefined ? {} : { credentials }) };
  }

  hold(socket: Socket): void {
    this.#sockets.add(socket);
    socket.on("error", () => undefined);
    socket.once("close", () => this.#sockets.delete(socket));
  }

  /** Goes to loopback, whatever the name: it is resolved here, not by whoever asks. */
  join(client: Socket, host: string, port: number, granted: () => void): void {
    this.asked.push(`${host}:${port}`);
    const upstream = connect({ host: "127.0.0.1", port }, () => {
      granted();
      client.pipe(upstream).pipe(client);
    });
    this.hold(upstream);
    upstream.once("error", () => client.destroy());
  }

  async stop(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    this.#server.close();
    await once(this.#server, "close");
  }
}

/** SOCKS5 as RFC 1928 and RFC 1929 have it. */
export async function startSocksProxy(options: TestProxyOptions = {}): Promise<TestProxy> {
  const server = createServer((socket) => void serveSocks(socket, options, counted).catch(() => socket.destroy()));
  const counted = new Counted("socks5", options, server);
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return counted;
}

async function serveSocks(socket: Socket, { fault, credentials }: TestProxyOptions, counted: Counted): Promise<void> {
  if (fault === "stall") return;
  if (fault === "hang up") return void socket.end();
  if (fault === "garbage") return void socket.write(Buffer.from("SSH-2.0-OpenSSH_9.9\r\n".repeat(500)));
  const [, count = 0] = await take(socket, 2);
  const methods = await take(socket, count);
  const method = credentials === undefined ? 0 : 2;
  socket.write(Uint8Array.of(5, methods.includes(method) ? method : 255));
  if (credentials !== undefined) {
    const [, userLength = 0] = await take(socket, 2);
    const user = (await take(socket, userLength)).toString();
    const [passwordLength = 0] = await take(socket, 1);
    const password = (await take(socket, passwordLength)).toString();
    counted.users.push(user);
    const isRight = user === credentials.user && password === credentials.password;
    socket.write(Uint8Array.of(1, isRight ? 0 : 1));
    if (!isRight) return void socket.end();
  }
  const [, , , kind = 0] = await take(socket, 4);
  const host =
    kind === 3
      ? (await take(socket, (await take(socket, 1))[0] ?? 0)).toString()
      : [...(await take(socket, kind === 1 ? 4 : 16))].join(".");
  const port = (await take(socket, 2)).readUInt16BE();
  const reply = fault === "refuse" ? 2 : fault === "no way" ? 4 : 0;
  const answer = Uint8Array.of(5, reply, 0, 1, 0, 0, 0, 0, 0, 0);
  if (reply === 0) counted.join(socket, host, port, () => socket.write(answer));
  else socket.end(answer);
}

async function take(socket: Socket, count: number): Promise<Buffer> {
  for (;;) {
    const bytes = socket.read(count) as Buffer | null;
    if (bytes !== null) return bytes;
    if (socket.destroyed || socket.readableEnded) throw new Error("gone");
    await once(socket, "readable");
  }
}

/** HTTP CONNECT as RFC 9110, 9.3.6, has it, on Node's own HTTP server. */
export async function startHttpProxy(options: TestProxyOptions = {}): Promise<TestProxy> {
  const { fault, credentials } = options;
  const http = createHttpServer();
  const plain = createServer((socket) => {
    if (fault === "hang up") socket.end();
    if (fault === "garbage") socket.write(Buffer.from("SSH-2.0-OpenSSH_9.9\r\n".repeat(500)));
  });
  const server: Server = fault === "garbage" || fault === "stall" || fault === "hang up" ? plain : http;
  const counted = new Counted("http", options, server);
  http.on("connect", ({ url = "", headers }, socket) => {
    const [, host = "", port = ""] = /^\[?(.*?)\]?:(\d+)$/.exec(url) ?? [];
    const basic = Buffer.from(headers["proxy-authorization"]?.replace(/^Basic /, "") ?? "", "base64").toString();
    if (basic !== "") counted.users.push(basic.split(":")[0] ?? "");
    if (credentials !== undefined && basic !== `${credentials.user}:${credentials.password}`) {
      socket.end("HTTP/1.1 407 Proxy Authentication Required\r\n\r\n");
    } else if (fault === "refuse") socket.end("HTTP/1.1 403 Forbidden\r\n\r\n");
    else if (fault === "no way") socket.end("HTTP/1.1 504 Gateway Timeout\r\n\r\n");
    else counted.join(socket as Socket, host, Number(port), () => socket.write("HTTP/1.1 200 OK\r\n\r\n"));
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return counted;
}
