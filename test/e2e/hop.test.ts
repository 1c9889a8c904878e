import { once } from "node:events";
import { createServer as createTlsSite } from "node:https";
import { createServer } from "node:net";
import type { AddressInfo, Server, Socket } from "node:net";
import { type Browser, chromium } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it, test } from "vitest";
import { millis } from "../../p2p/api/ids.ts";
import { selfSignedCertificate } from "../../p2p/io/libp2p/certificate.ts";
import { startHop } from "../../p2p/io/proxy/hop.ts";
import type { Hop } from "../../p2p/io/proxy/hop.ts";
import { chromiumProgram, quietArguments } from "./chromium.ts";

/** What a ClientHello (RFC 8446, 4.1.2) shows of who made it, less what is random or shuffled each time. */
interface Hello {
  readonly versions: readonly number[];
  readonly ciphers: readonly number[];
  readonly extensions: readonly number[];
  readonly alpn: string;
  readonly serverName: string;
}

const isGrease = (value: number): boolean => (value & 0x0f0f) === 0x0a0a;
const words = (bytes: Buffer): number[] =>
  Array.from({ length: bytes.length >> 1 }, (_, index) => bytes.readUInt16BE(2 * index)).filter(
    (word) => !isGrease(word),
  );

/** Undefined while it is not whole. */
function readHello(record: Buffer): Hello | undefined {
  if (record.length < 5 || record.length < 5 + record.readUInt16BE(3)) return undefined;
  expect(record[0]).toBe(22);
  let at = 5 + 4 + 2 + 32;
  at += 1 + record.readUInt8(at);
  const ciphers = words(record.subarray(at + 2, at + 2 + record.readUInt16BE(at)));
  at += 2 + record.readUInt16BE(at);
  at += 1 + record.readUInt8(at) + 2;
  const extensions = new Map<number, Buffer>();
  while (at < 5 + record.readUInt16BE(3)) {
    extensions.set(record.readUInt16BE(at), record.subarray(at + 4, at + 4 + record.readUInt16BE(at + 2)));
    at += 4 + record.readUInt16BE(at + 2);
  }
  return {
    versions: words(extensions.get(43)?.subarray(1) ?? Buffer.alloc(0)),
    ciphers,
    extensions: [...extensions.keys()].filter((kind) => !isGrease(kind)).toSorted((a, b) => a - b),
    alpn: extensions.get(16)?.toString("latin1") ?? "",
    serverName: extensions.get(0)?.subarray(5).toString("latin1") ?? "",
  };
}

/** Takes the first ClientHello that comes, then hangs up. */
class Ear {
  readonly #server: Server;
  #onHello: (hello: Hello) => void = () => undefined;

  constructor() {
    this.#server = createServer((socket) => {
      let record = Buffer.alloc(0);
      socket.on("error", () => undefined);
      socket.on("data", (bytes: Buffer) => {
        record = Buffer.concat([record, bytes]);
        const hello = readHello(record);
        if (hello === undefined) return;
        socket.destroy();
        this.#onHello(hello);
      });
    });
  }

  async start(): Promise<number> {
    this.#server.listen(0, "127.0.0.1");
    await once(this.#server, "listening");
    return (this.#server.address() as AddressInfo).port;
  }

  hello(): Promise<Hello> {
    return new Promise((resolve) => (this.#onHello = resolve));
  }

  stop(): void {
    this.#server.close();
  }
}

let browser: Browser;
let hop: Hop;
let port: number;
const ear = new Ear();

beforeAll(async () => {
  port = await ear.start();
  hop = await startHop();
  browser = await chromium.launch({
    executablePath: chromiumProgram(),
    args: [
      ...quietArguments,
      // Relays sign their own: as the shell starts it.
      "--ignore-certificate-errors",
      // It can look up no name: whatever would need that fails.
      "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE *.localhost, EXCLUDE 127.0.0.1",
    ],
  });
});

afterAll(async () => {
  await browser.close();
  await hop.stop();
  ear.stop();
});

async function helloOf(name: string, proxy: string | undefined): Promise<Hello> {
  const context = await browser.newContext(proxy === undefined ? {} : { proxy: { server: proxy } });
  const page = await context.newPage();
  const heard = ear.hello();
  await page.evaluate((url) => void new WebSocket(url), `wss://${name}:${port}/`);
  const hello = await heard;
  await context.close();
  return hello;
}

test("TLS that comes out of the hop is Chromium's own, with the route's name, without a name looked up", async () => {
  const direct = await helloOf("direct.localhost", undefined);
  await hop.route({ name: "hopped.example", port, to: { host: "127.0.0.1", port, proxy: undefined } });
  const hopped = await helloOf("hopped.example", `socks5://127.0.0.1:${hop.port}`);
  expect(hopped.serverName).toBe("hopped.example");
  expect(direct.ciphers.length).toBeGreaterThan(10);
  expect({ ...hopped, serverName: "" }).toEqual({ ...direct, serverName: "" });
});

describe("whoever a route leads to and is no relay is told apart, which the page cannot", () => {
  const { cert, key } = selfSignedCertificate(millis(Date.now()));
  const tls = createTlsSite({ cert, key }, (_, answer) => answer.writeHead(404).end());
  it.each<[string, string, Server | undefined]>([
    ["a site that knows no upgrade", "stranger", tls],
    [
      "a site that hangs up after its answer",
      "stranger",
      createTlsSite({ cert, key }).on("upgrade", (_, socket) => {
        socket.end("HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
      }),
    ],
    ["a mail server", "stranger", createServer((socket) => void socket.write("220 mail ESMTP\r\n"))],
    ["a reset after the hello", "cut", createServer((socket) => socket.once("data", () => socket.resetAndDestroy()))],
    ["a hang-up after the hello", "cut", createServer((socket) => socket.once("data", () => socket.end()))],
    ["nobody", "unreachable", undefined],
  ])("%s: %s", async (_, reason, server) => {
    const open = new Set<Socket>();
    const other = server ?? createServer();
    other.on("connection", (socket: Socket) => void open.add(socket.on("error", () => undefined)));
    other.listen(0, "127.0.0.1");
    await once(other, "listening");
    const { port: at } = other.address() as AddressInfo;
    const close = async (): Promise<void> => {
      for (const socket of open) socket.destroy();
      other.close();
      await once(other, "close");
    };
    if (server === undefined) await close();
    const failed = new Promise<string>((resolve, reject) => {
      const to = { host: "127.0.0.1", port: at, proxy: undefined };
      hop.route({ name: "hopped.example", port: at, to, onFailed: resolve }).catch(reject);
    });
    const context = await browser.newContext({ proxy: { server: `socks5://127.0.0.1:${hop.port}` } });
    const page = await context.newPage();
    await page.evaluate((url) => void new WebSocket(url), `wss://hopped.example:${at}/x`);
    expect(await failed).toBe(reason);
    await context.close();
    if (server !== undefined) await close();
  });
});
