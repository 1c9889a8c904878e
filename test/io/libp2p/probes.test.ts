import { once } from "node:events";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import type { RequestListener } from "node:http";
import { createServer } from "node:https";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { multiaddr } from "@multiformats/multiaddr";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { selfSignedCertificate } from "../../../p2p/io/libp2p/certificate.ts";
import { dhtTokenOf, pathOf } from "../../../p2p/io/libp2p/path-token.ts";
import { SocketListener } from "../../../p2p/io/libp2p/socket-listener.ts";
import type { SitePatience } from "../../../p2p/io/libp2p/socket-listener.ts";
import { folderSite } from "../../../p2p/io/site/folder.ts";
import { plainSite } from "../../../p2p/io/site/plain.ts";
import { crypto } from "./nodes.ts";
import { probe, requestText, upgradeHeaders } from "./probe.ts";
import type { Probe } from "./probe.ts";

/** Node's own are minutes. */
const patience: SitePatience = {
  handshakeTimeout: 700,
  headersTimeout: 500,
  requestTimeout: 700,
  keepAliveTimeout: 50,
  connectionsCheckingInterval: 50,
};

const token = crypto.randomBytes(16);
const fresh = (of = token, now = Date.now()): string => pathOf(of, crypto.randomBytes(12), now);

/** A site as a relay, and the same site on a server that knows nothing of relays. */
class Pair {
  readonly relay: number;
  readonly plain: number;
  /** Sockets that the relay opened to somebody. */
  readonly accepted: () => number;
  readonly close: () => Promise<void>;

  private constructor(relay: number, plain: number, accepted: () => number, close: () => Promise<void>) {
    this.relay = relay;
    this.plain = plain;
    this.accepted = accepted;
    this.close = close;
  }

  static async start(site: RequestListener): Promise<Pair> {
    const certificate = selfSignedCertificate(Date.now());
    let accepted = 0;
    const listener = new SocketListener(
      { certificate: () => certificate, token, site, now: Date.now, patience },
      (socket) => {
        accepted++;
        socket.send(Buffer.from("\x13/multistream/1.0.0\n"));
        socket.close();
      },
    );
    await listener.listen(multiaddr("/ip4/127.0.0.1/tcp/0/tls/ws"));
    const relay = Number(listener.getAddrs()[0]?.getComponents()[1]?.value);
    const server = createServer({ ...certificate, ...patience }, site).listen(0, "127.0.0.1");
    await once(server, "listening");
    const plain = (server.address() as AddressInfo).port;
    return new Pair(
      relay,
      plain,
      () => accepted,
      async () => {
        server.closeAllConnections();
        server.close();
        await listener.close();
      },
    );
  }
}

const random = (length: number): Uint8Array => crypto.randomBytes(length);
const asked = (...texts: Parameters<typeof requestText>): Probe => ({ says: [requestText(...texts)] });
const upgrade = (path: string, headers: Readonly<Record<string, string>> = {}, rest = {}): Probe =>
  asked(path, { headers: { ...upgradeHeaders, ...headers }, ...rest });
const without = (name: keyof typeof upgradeHeaders): Record<string, string> =>
  Object.fromEntries(Object.entries(upgradeHeaders).filter(([other]) => other !== name));

/** None of them may open. */
const probes: Readonly<Record<string, Probe>> = {
  "GET /": asked("/"),
  "GET of a page that is not there": asked("/nothing"),
  HEAD: asked("/", { method: "HEAD" }),
  "a page and another": { says: [requestText("/"), requestText("/page.html")] },
  "two at once": { says: [requestText("/") + requestText("/page.html")] },
  "if it was changed": asked("/", { headers: { "If-Modified-Since": new Date().toUTCString() } }),
  "a part": asked("/page.html", { headers: { Range: "bytes=1-3" } }),
  OPTIONS: asked("/", { method: "OPTIONS" }),
  "OPTIONS *": asked("*", { method: "OPTIONS" }),
  "POST with a body": asked("/", { method: "POST", headers: { "Content-Length": "5" }, body: "hello" }),
  "POST whose body never comes": asked("/", { method: "POST", headers: { "Content-Length": "5" }, body: "he" }),
  "PUT in pieces": asked("/", {
    method: "PUT",
    headers: { "Transfer-Encoding": "chunked" },
    body: "5\r\nhello\r\n0\r\n\r\n",
  }),
  CONNECT: asked("example.org:443", { method: "CONNECT" }),
  TRACE: asked("/", { method: "TRACE" }),
  "a method of nobody's": asked("/", { method: "BREW" }),
  "Expect: 100-continue": asked("/", {
    method: "POST",
    headers: { Expect: "100-continue", "Content-Length": "1" },
    body: "x",
  }),
  "Expect of nobody's": asked("/", { headers: { Expect: "tea" } }),
  "HTTP/1.0": asked("/", { version: "1.0" }),
  "HTTP/1.0 that stays": asked("/", { version: "1.0", headers: { Connection: "keep-alive" } }),
  "HTTP/0.9": { says: ["GET /\r\n"] },
  "HTTP/3.7": asked("/", { version: "3.7" }),
  "HTTP/2 by prior knowledge": { says: ["PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0"] },
  "h2 by ALPN": { ...asked("/"), tls: { ALPNProtocols: ["h2"] } },
  "h2 or HTTP/1.1 by ALPN": { ...asked("/"), tls: { ALPNProtocols: ["h2", "http/1.1"] } },
  "another ALPN": { ...asked("/"), tls: { ALPNProtocols: ["libp2p"] } },
  "a server's name": { ...asked("/"), tls: { servername: "example.org" } },
  "TLS 1.2": { ...asked("/"), tls: { maxVersion: "TLSv1.2" } },
  "TLS 1.1": { ...asked("/"), tls: { maxVersion: "TLSv1.1", minVersion: "TLSv1" } },
  "one cipher": { ...asked("/"), tls: { maxVersion: "TLSv1.2", ciphers: "ECDHE-ECDSA-AES128-SHA" } },
  "HTTP without TLS": { ...asked("/"), bare: true },
  "multistream without TLS": { says: ["\x13/multistream/1.0.0\n\x07/noise\n"], bare: true },
  "garbage without TLS": { says: [random(300)], bare: true },
  "nothing without TLS": { says: [], bare: true },
  "half a ClientHello": { says: [Buffer.from("160301020001000", "hex")], bare: true },
  "goodbye without TLS": { says: [], bare: true, ends: true },
  multistream: { says: ["\x13/multistream/1.0.0\n\x07/noise\n"] },
  garbage: { says: [random(300)] },
  "much garbage": { says: [random(40_000)] },
  "a WebSocket frame": { says: [Buffer.from("8285000000000102030405", "hex")] },
  nothing: { says: [] },
  goodbye: { says: [], ends: true },
  "half a request": { says: ["GET / HT"] },
  "half a head": { says: ["GET / HTTP/1.1\r\nHost: a\r\nX-a: "] },
  "half a head and goodbye": { says: ["GET / HTTP/1.1\r\nHost: a\r\n"], ends: true },
  "no host": { says: ["GET / HTTP/1.1\r\n\r\n"] },
  "two hosts": asked("/", { headers: { host: "127.0.0.2" } }),
  "a header of 20 kB": asked("/", { headers: { "X-Long": "a".repeat(20_000) } }),
  "a thousand headers": asked("/", {
    headers: Object.fromEntries(Array.from({ length: 1_000 }, (_, i) => [`X-${i}`, "a"])),
  }),
  "a path of 20 kB": asked(`/${"a".repeat(20_000)}`),
  "two lengths": asked("/", { method: "POST", headers: { "Content-Length": "1", "content-length": "2" }, body: "xy" }),
  "length and pieces": asked("/", {
    method: "POST",
    headers: { "Content-Length": "1", "Transfer-Encoding": "chunked" },
    body: "x",
  }),
  "a zero in a header": asked("/", { headers: { "X-Zero": "a\0b" } }),
  "a folded header": asked("/", { headers: { "X-Fold": "a\r\n b" } }),
  "an upgrade of /": upgrade("/"),
  "an upgrade of a page": upgrade("/page.html"),
  "an upgrade to HTTP/2": asked("/", {
    headers: { Connection: "Upgrade, HTTP2-Settings", Upgrade: "h2c", "HTTP2-Settings": "AAMAAABk" },
  }),
  "an upgrade with a body": upgrade("/", { "Content-Length": "5" }, { body: "hello" }),
  "an upgrade, and another request": {
    says: [requestText("/", { headers: upgradeHeaders }) + requestText("/page.html")],
  },
  "a token of another relay": upgrade(fresh(crypto.randomBytes(16))),
  "a token of another relay's DHT": upgrade(fresh(dhtTokenOf(crypto.randomBytes(16)))),
  "the token itself": upgrade(`/${Buffer.from(token).toString("hex")}`),
  "the right form": upgrade(`/${Buffer.from(random(32)).toString("base64url")}`),
  "a token of last week": upgrade(fresh(token, Date.now() - 7 * 86_400_000)),
  "a token of next week": upgrade(fresh(token, Date.now() + 7 * 86_400_000)),
  "a right token and more": upgrade(`${fresh()}/`),
  "a right token with a query": upgrade(`${fresh()}?a`),
  "a right token of a whole URL": upgrade(`https://127.0.0.1${fresh()}`),
  "a right token without an upgrade": asked(fresh()),
  "a right token with POST": upgrade(fresh(), {}, { method: "POST" }),
  "a right token with HEAD": upgrade(fresh(), {}, { method: "HEAD" }),
  "a right token with OPTIONS": upgrade(fresh(), {}, { method: "OPTIONS" }),
  "a right token with HTTP/1.0": upgrade(fresh(), {}, { version: "1.0" }),
  "a right token with another upgrade": upgrade(fresh(), { Upgrade: "h2c" }),
  "a right token with two upgrades": upgrade(fresh(), { Upgrade: "websocket, h2c" }),
  "a right token without a connection": asked(fresh(), { headers: without("Connection") }),
  "a right token without a key": asked(fresh(), { headers: without("Sec-WebSocket-Key") }),
  "a right token with a wrong key": upgrade(fresh(), { "Sec-WebSocket-Key": "short" }),
  "a right token without a version": asked(fresh(), { headers: without("Sec-WebSocket-Version") }),
  "a right token with an old version": upgrade(fresh(), { "Sec-WebSocket-Version": "8" }),
};

describe("[C7] who has no token of a relay learns no more than of an ordinary site", () => {
  let folder: string;
  const pairs: Record<"plain" | "decoy", Pair | undefined> = { plain: undefined, decoy: undefined };

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "decoy-"));
    await writeFile(join(folder, "index.html"), "<h1>Bicycle repairs</h1>");
    await writeFile(join(folder, "page.html"), "<h1>Opening hours</h1>");
    pairs.plain = await Pair.start(plainSite);
    pairs.decoy = await Pair.start(await folderSite(folder));
  });

  afterAll(async () => {
    for (const pair of Object.values(pairs)) await pair?.close();
    await rm(folder, { recursive: true });
  });

  const pairOf = (name: "plain" | "decoy"): Pair => {
    const pair = pairs[name];
    if (pair === undefined) throw new Error("it was started");
    return pair;
  };

  for (const name of ["plain", "decoy"] as const) {
    it(`on the ${name} site, by any probe: bytes, TLS and end are the same`, { timeout: 120_000 }, async () => {
      const { relay, plain, accepted } = pairOf(name);
      const before = accepted();
      // A few at a time, so that each server answers in good time.
      const names = Object.keys(probes);
      for (let index = 0; index < names.length; index += 20) {
        const some = names.slice(index, index + 20).flatMap((each) => {
          const tried = probes[each];
          return tried === undefined ? [] : [{ each, tried }];
        });
        await Promise.all(
          some.map(async ({ each, tried }) => {
            const [ofRelay, ofPlain] = await Promise.all([probe(relay, tried), probe(plain, tried)]);
            expect([each, ofRelay]).toEqual([each, ofPlain]);
            expect(ofRelay.said).not.toMatch(/tea(?!pot)|libp2p|multistream|noise|yamux|websocket/i);
          }),
        );
      }
      expect(accepted()).toBe(before);
    });
  }

  it("nor by what somebody with a token has used", async () => {
    const { relay, plain, accepted } = pairOf("decoy");
    const path = fresh();
    const opened = await probe(relay, upgrade(path));
    expect(opened.said).toMatch(/^HTTP\/1\.1 101 .*multistream/s);
    expect(accepted()).toBe(1);
    const [again, ofPlain] = await Promise.all([probe(relay, upgrade(path)), probe(plain, upgrade(path))]);
    expect(again).toEqual(ofPlain);
    expect(again.said).toMatch(/^HTTP\/1\.1 404 /);
    expect(accepted()).toBe(1);
  });

  it("is reached by what the probes above would have opened with, had they been right", async () => {
    const { relay, accepted } = pairOf("plain");
    const before = accepted();
    await probe(relay, upgrade(fresh()));
    await probe(relay, upgrade(fresh(dhtTokenOf(token))));
    await probe(relay, upgrade(fresh(token, Date.now() - 25 * 3_600_000)));
    // Also after a request that anybody may make.
    await probe(relay, { says: [requestText("/"), requestText(fresh(), { headers: upgradeHeaders })] });
    expect(accepted() - before).toBe(4);
  });

  it("and is what Node says: HTTP/1.1 where a browser offers h2, and no protocol where that is all it offers", async () => {
    const { relay } = pairOf("decoy");
    const offered = async (...ALPNProtocols: string[]) => probe(relay, { ...asked("/"), tls: { ALPNProtocols } });
    expect((await offered("h2", "http/1.1")).tls[2]).toBe("http/1.1");
    expect((await offered("h2")).ended).toContain("ERR_SSL_TLSV1_ALERT_NO_APPLICATION_PROTOCOL");
    const { said } = await probe(relay, asked("/"));
    expect(said).toMatch(/^HTTP\/1\.1 200 OK\r\nX-Powered-By: Express\r\n/);
  });
});

describe("connections without a token", () => {
  it("are dropped where most wait when there are too many, and newcomers get in", { timeout: 120_000 }, async () => {
    const pair = await Pair.start(plainSite);
    const idle = Array.from({ length: 600 }, () => probe(pair.relay, { says: [], bare: true }));
    const opened = await probe(pair.relay, upgrade(fresh()));
    expect(opened.said).toMatch(/^HTTP\/1\.1 101 /);
    await Promise.all(idle);
    await pair.close();
  });
});
