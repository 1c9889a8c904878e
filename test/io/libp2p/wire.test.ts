import { once } from "node:events";
import { connect, createServer } from "node:net";
import type { AddressInfo, Server, Socket as NetSocket } from "node:net";
import { multiaddr } from "@multiformats/multiaddr";
import { afterEach, describe, expect, it } from "vitest";
import type { Socket, SocketRoute, Sockets } from "../../../p2p/api/socket.ts";
import { paddedMessages } from "../../../p2p/io/libp2p/padding.ts";
import { pathOf } from "../../../p2p/io/libp2p/path-token.ts";
import { SocketListener } from "../../../p2p/io/libp2p/socket-listener.ts";
import { selfSignedCertificate } from "../../../p2p/io/libp2p/certificate.ts";
import { plainSite } from "../../../p2p/io/site/plain.ts";
import { wsSockets } from "../../../p2p/io/sockets/ws.ts";
import { ja4, parseTlsHello, recordLength } from "../../censor/wire/hello.ts";
import type { ClientHello } from "../../censor/wire/hello.ts";
import { Nodes, addressOf, crypto, tlsAddress } from "./nodes.ts";

const nodes = new Nodes();
const servers: Server[] = [];
const sockets: NetSocket[] = [];
afterEach(async () => {
  await nodes.stop();
  for (const socket of sockets.splice(0)) socket.destroy();
  for (const server of servers.splice(0)) server.close();
});

interface Wiretap {
  readonly port: number;
  /** All that went each way, connection by connection. */
  readonly up: Buffer[];
  readonly down: Buffer[];
}

/** Stands between a dialer and a relay, and reads along. */
const wiretap = async (port: number): Promise<Wiretap> => {
  const up: Buffer[] = [];
  const down: Buffer[] = [];
  const server = createServer((near) => {
    const far = connect(port, "127.0.0.1");
    const index = up.push(Buffer.alloc(0)) - 1;
    down.push(Buffer.alloc(0));
    sockets.push(near, far);
    for (const socket of [near, far]) socket.on("error", () => undefined);
    near.on("data", (bytes) => (up[index] = Buffer.concat([up[index] ?? bytes, bytes])));
    far.on("data", (bytes) => (down[index] = Buffer.concat([down[index] ?? bytes, bytes])));
    near.pipe(far).pipe(near);
  }).listen(0, "127.0.0.1");
  servers.push(server);
  await once(server, "listening");
  return { port: (server.address() as AddressInfo).port, up, down };
};

const portOf = (address: string): number => Number(/\/tcp\/(\d+)/.exec(address)?.[1]);

const helloOf = (bytes: Buffer | undefined): ClientHello => {
  const hello = bytes === undefined ? undefined : parseTlsHello(bytes);
  if (hello === undefined) throw new Error("no ClientHello");
  return hello;
};

/** Lengths of the TLS records that carry data (RFC 8446, 5.1). */
const dataRecords = (bytes: Buffer): number[] => {
  const lengths: number[] = [];
  for (let at = 0; at + 5 <= bytes.length; at += 5 + bytes.readUInt16BE(at + 3)) {
    if (bytes[at] === 23) lengths.push(bytes.readUInt16BE(at + 3));
  }
  return lengths;
};

describe("what stands in clear on the wire", () => {
  it("is a TLS hello with the hinted name, or none for an address, and HTTP/1.1 as the only protocol", async () => {
    const relay = await nodes.create({ listen: [tlsAddress], dht: "server" });
    const tap = await wiretap(portOf(addressOf(relay)));
    const at = (begin: string, hint = ""): string =>
      addressOf(relay).replace(/^.*?\/tls/, `/${begin}/tcp/${tap.port}/tls${hint}`);
    for (const address of [at("ip4/127.0.0.1"), at("ip4/127.0.0.1", "/sni/www.example.org"), at("dns4/localhost")]) {
      const dialer = await nodes.create();
      expect((await dialer.libp2p.dial(multiaddr(address))).status).toBe("open");
    }
    const hellos = tap.up.map(helloOf);
    expect(hellos.map(({ serverName }) => serverName)).toEqual([undefined, "www.example.org", "localhost"]);
    for (const hello of hellos) {
      expect(hello.protocols).toEqual(["http/1.1"]);
      expect(hello.version).toBe(0x0304);
      // An address has no name, and nothing else differs.
      expect(ja4(hello).split("_").slice(1)).toEqual(
        ja4(hellos[0] ?? hello)
          .split("_")
          .slice(1),
      );
      expect(hello.extensions.filter((type) => type !== 0)).toEqual(hellos[0]?.extensions);
    }
    const inClear = Buffer.concat([...tap.up, ...tap.down]).toString("latin1");
    expect(inClear).not.toMatch(/teahouse|libp2p|multistream|noise|yamux|websocket|http-path/i);
    expect(inClear).toContain("http/1.1");
  });

  it("is TLS records and nothing else, from the first byte to the last", async () => {
    const relay = await nodes.create({ listen: [tlsAddress] });
    const tap = await wiretap(portOf(addressOf(relay)));
    const dialer = await nodes.create();
    const address = addressOf(relay).replace(/\/tcp\/\d+/, `/tcp/${tap.port}`);
    await (await dialer.libp2p.dial(multiaddr(address))).close();
    await relay.stop();
    for (const bytes of [tap.up[0], tap.down[0]]) {
      if (bytes === undefined) throw new Error("it was dialed");
      expect(recordLength(bytes)).toBeDefined();
      let at = 0;
      for (; at + 5 <= bytes.length; at += 5 + bytes.readUInt16BE(at + 3)) {
        expect([20, 21, 22, 23]).toContain(bytes[at]);
        expect(bytes[at + 1]).toBe(3);
      }
      expect(at).toBe(bytes.length);
    }
  });

  it("has no series of sizes in which multistream and Noise can be read", async () => {
    const relay = await nodes.create({ listen: [tlsAddress] });
    const tap = await wiretap(portOf(addressOf(relay)));
    const address = addressOf(relay).replace(/\/tcp\/\d+/, `/tcp/${tap.port}`);
    const dials = 12;
    for (let index = 0; index < dials; index++) {
      const dialer = await nodes.create();
      await dialer.libp2p.dial(multiaddr(address));
    }
    // Client to relay: Finished, the request, then the first messages. Of 256 lengths, 12 draws rarely give fewer than 8.
    for (const place of [2, 3]) {
      const lengths = tap.up.map((bytes) => dataRecords(bytes)[place]);
      expect(lengths).toHaveLength(dials);
      expect(new Set(lengths).size).toBeGreaterThan(4);
    }
  });
});

/** Native sockets that note what is asked of them. */
const noting = (routes: SocketRoute[], sizes: number[][]): Sockets => ({
  open: async (route, options) => {
    routes.push(route);
    const socket = await wsSockets.open(route, options);
    const sent: number[] = [];
    sizes.push(sent);
    return new Proxy(socket, {
      get: (target, property) => {
        if (property === "send") {
          return (bytes: Uint8Array) => {
            sent.push(bytes.length);
            target.send(bytes);
          };
        }
        const value: unknown = Reflect.get(target, property, target);
        return typeof value === "function" ? (value.bind(target) as unknown) : value;
      },
    });
  },
});

describe("a dial", () => {
  it("asks for another path each time, which says nothing of the token, and pads its first messages", async () => {
    const relay = await nodes.create({ listen: [tlsAddress] });
    const routes: SocketRoute[] = [];
    const sizes: number[][] = [];
    for (let index = 0; index < 8; index++) {
      const dialer = await nodes.create({ sockets: noting(routes, sizes) });
      await dialer.libp2p.dial(multiaddr(addressOf(relay)));
    }
    expect(new Set(routes.map(({ path }) => path)).size).toBe(8);
    for (const { path } of routes) expect(path).toMatch(/^\/[A-Za-z0-9_-]{43}$/);
    for (let place = 0; place < paddedMessages; place++) {
      expect(new Set(sizes.map((sent) => sent[place])).size).toBeGreaterThan(2);
    }
  });

  it("falls, and counts why, when the relay's first message is not framed as ours are", async () => {
    const token = crypto.randomBytes(16);
    const certificate = selfSignedCertificate(Date.now());
    const messages = [Uint8Array.of(0), Uint8Array.of(0xff, 0xff, 1), Buffer.from("\x13/multistream/1.0.0\n")];
    const hostile = new SocketListener(
      { certificate: () => certificate, token, site: plainSite, now: Date.now },
      (socket) => socket.send(messages.pop() ?? Uint8Array.of(0)),
    );
    await hostile.listen(multiaddr(tlsAddress));
    const dialer = await nodes.create();
    for (let count = 1; count <= 3; count++) {
      const [address] = hostile.getAddrs();
      if (address === undefined) throw new Error("it listens");
      await expect(dialer.libp2p.dial(address)).rejects.toThrow();
      expect([...dialer.faults]).toEqual([["padding", count]]);
    }
    await hostile.close();
  });
});

describe("a relay", () => {
  it("cuts off, and counts, who holds a token and breaks the framing, and serves others", async () => {
    const token = crypto.randomBytes(16);
    const relay = await nodes.create({ listen: [tlsAddress], token });
    const route = { host: "127.0.0.1", port: portOf(addressOf(relay)), serverName: undefined, proxy: undefined };
    const open = (): Promise<Socket> => {
      const path = pathOf(token, crypto.randomBytes(12), Date.now());
      return wsSockets.open({ ...route, path }, { signal: AbortSignal.timeout(20_000) });
    };
    const offences = [Uint8Array.of(1), Uint8Array.of(0, 0, 1), crypto.randomBytes(60_000).fill(0, 0, 2)];
    for (const offence of offences) {
      const socket = await open();
      const closed = new Promise((resolve) => {
        socket.attach({ onMessage: () => undefined, onDrain: () => undefined, onClose: resolve });
      });
      socket.send(offence);
      await closed;
    }
    expect(relay.faults.get("padding")).toBe(offences.length);
    const honest = await nodes.create();
    expect((await honest.libp2p.dial(multiaddr(addressOf(relay)))).status).toBe("open");
  });

  it("is not opened by a path that was stolen on its way and used before its owner did", async () => {
    const token = crypto.randomBytes(16);
    const relay = await nodes.create({ listen: [tlsAddress], token });
    const routes: SocketRoute[] = [];
    const thief: Sockets = {
      open: async (route, options) => {
        routes.push(route);
        (await wsSockets.open(route, options)).terminate();
        return wsSockets.open(route, options);
      },
    };
    const victim = await nodes.create({ sockets: thief });
    await expect(victim.libp2p.dial(multiaddr(addressOf(relay)))).rejects.toThrow();
    // The next dial has a path of its own.
    const other = await nodes.create({ sockets: noting([], []) });
    expect((await other.libp2p.dial(multiaddr(addressOf(relay)))).status).toBe("open");
    expect(routes).toHaveLength(1);
  });
});
