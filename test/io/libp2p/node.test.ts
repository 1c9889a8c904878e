import { X509Certificate } from "node:crypto";
import { once } from "node:events";
import { createServer } from "node:net";
import type { AddressInfo, Socket } from "node:net";
import { connect as connectTls } from "node:tls";
import type { Stream } from "@libp2p/interface";
import { multiaddr } from "@multiformats/multiaddr";
import { afterEach, describe, expect, it } from "vitest";
import { TeahouseError } from "../../../p2p/api/errors.ts";
import { selfSignedCertificate } from "../../../p2p/io/libp2p/certificate.ts";
import { createNode } from "../../../p2p/io/libp2p/node.ts";
import type { TeahouseNode } from "../../../p2p/io/libp2p/node.ts";
import { dhtTokenOf } from "../../../p2p/io/libp2p/path-token.ts";
import { socketTarget } from "../../../p2p/io/libp2p/socket-transport.ts";
import { Nodes, addressOf, clock, crypto, tcpAddress, tlsAddress } from "./nodes.ts";

const nodes = new Nodes();
afterEach(() => nodes.stop());

const token = new Uint8Array(16).fill(0xab);
const path = `/${"ab".repeat(16)}`;
const portOf = (node: TeahouseNode): number => {
  const target = socketTarget(multiaddr(addressOf(node)));
  if (target === undefined) throw new Error("not TLS");
  return target.port;
};

const echo = async (node: TeahouseNode): Promise<void> => {
  await node.libp2p.handle("/test/echo", (stream) => {
    stream.addEventListener("message", ({ data }) => stream.send(data));
    stream.addEventListener("remoteCloseWrite", () => void stream.close());
  });
};

const read = async (stream: Stream): Promise<number> => {
  let bytes = 0;
  for await (const data of stream) bytes += data.byteLength;
  return bytes;
};

describe("addresses of TLS WebSockets", () => {
  const peer = "/p2p/12D3KooWGXAaRXqNkXRGkyaLAXGyc4ES3F2Lp3jHsxZoJFZdVaKp";
  const target = (text: string): unknown => socketTarget(multiaddr(text));

  it("are read, and no other address is", () => {
    expect(target("/ip4/1.2.3.4/tcp/443/tls/ws")).toEqual({ host: "1.2.3.4", port: 443 });
    expect(target(`/ip6/::1/tcp/1/tls/ws/http-path${path}${peer}`)).toEqual({ host: "::1", port: 1, token });
    expect(target(`/ip6/::1/tcp/1/tls/ws/http-path/${"01".repeat(20)}`)).toMatchObject({
      token: new Uint8Array(20).fill(1),
    });
    expect(target(`/dns4/a.example/tcp/8443/wss${peer}`)).toEqual({ host: "a.example", port: 8443 });
    expect(target(`/ip4/1.2.3.4/tcp/443/tls/sni/example.org/ws/http-path${path}${peer}`)).toEqual({
      host: "1.2.3.4",
      port: 443,
      serverName: "example.org",
      token,
    });
    for (const other of [
      "/ip4/1.2.3.4/tcp/443",
      "/ip4/1.2.3.4/tcp/443/ws",
      "/ip4/1.2.3.4/tcp/443/tls",
      "/ip4/1.2.3.4/tcp/443/sni/example.org/ws",
      "/ip4/1.2.3.4/udp/443/quic-v1",
      "/ip4/1.2.3.4/tcp/443/tls/ws/http-path/abcd",
      "/ip4/1.2.3.4/tcp/443/tls/ws/p2p-circuit",
      `/ip4/1.2.3.4/tcp/443/tls/ws${peer}/p2p-circuit${peer}`,
      "/unix/tmp",
    ]) {
      expect(target(other)).toBeUndefined();
    }
  });

  it("hold names that lead nowhere but to that name", () => {
    // A card's bytes may hold anything in the place of a name, which then stands in a URL.
    const named = (kind: "dns4" | "sni", value: string): unknown => {
      const address = (name: string): string =>
        kind === "sni" ? `/ip4/1.2.3.4/tcp/443/tls/sni/${name}/ws` : `/${kind}/${name}/tcp/443/tls/ws`;
      const { bytes } = multiaddr(address("x".repeat(Buffer.byteLength(value))));
      const at = Buffer.from(bytes).indexOf("x".repeat(Buffer.byteLength(value)));
      bytes.set(Buffer.from(value), at);
      return socketTarget(multiaddr(bytes));
    };
    const absurd = [
      "a/b",
      "a@b",
      "a:80",
      "a#b",
      "a?b",
      "a b",
      "1.2.3.4",
      "127.1",
      "0x7f.1",
      "a..b",
      "a.",
      "-a/",
      "é.example",
    ];
    for (const name of [...absurd, "a\r\nHost: b", "1", "a".repeat(64), Array(64).fill("abc").join(".")]) {
      expect([name, named("sni", name), named("dns4", name)]).toEqual([name, undefined, undefined]);
    }
    expect(named("sni", "www.xn--bcher-kva.example")).toMatchObject({ serverName: "www.xn--bcher-kva.example" });
    // Would take a parser that backtracks for ever.
    expect(named("dns4", `${"a-".repeat(120)}!`)).toBeUndefined();
  });
});

describe("node over TLS WebSockets", () => {
  it("reaches a relay that signs its own certificate, and carries a megabyte both ways", async () => {
    const relay = await nodes.create({ listen: [tlsAddress], token });
    await echo(relay);
    const listener = await nodes.create();
    expect(addressOf(relay)).toMatch(new RegExp(`^/ip4/127.0.0.1/tcp/\\d+/tls/ws/http-path${path}/p2p/12D3`));
    expect(listener.addresses()).toEqual([]);
    const stream = await listener.libp2p.dialProtocol(multiaddr(addressOf(relay)), "/test/echo");
    const received = read(stream);
    for (let index = 0; index < 16; index++) {
      if (!stream.send(new Uint8Array(65_536))) await stream.onDrain();
    }
    await stream.close();
    expect(await received).toBe(1_048_576);
    expect(relay.peerId).toMatch(/^[0-9a-f]{64}$/);
  });

  it("refuses whoever answers with another key", async () => {
    const [relay, other, listener] = await Promise.all([
      nodes.create({ listen: [tlsAddress] }),
      nodes.create(),
      nodes.create(),
    ]);
    const wrong = addressOf(relay).replace(/\/p2p\/.*/, `/p2p/${other.libp2p.peerId}`);
    await expect(listener.libp2p.dial(multiaddr(wrong))).rejects.toThrow();
    expect(listener.libp2p.getConnections()).toHaveLength(0);
    expect([...listener.faults]).toEqual([["wrong key", 1]]);
  });

  it("does not open to a wrong token", async () => {
    const relay = await nodes.create({ listen: [tlsAddress], token });
    const listener = await nodes.create();
    const wrong = addressOf(relay).replace(path, path.replace("ab", "ac"));
    await expect(listener.libp2p.dial(multiaddr(wrong))).rejects.toThrow();
    expect(relay.libp2p.getConnections()).toHaveLength(0);
  });

  it("shows the certificate it was given, and speaks TLS 1.2 at least", async () => {
    const certificate = selfSignedCertificate(Date.now());
    const port = portOf(await nodes.create({ listen: [tlsAddress], certificate }));
    const visitor = connectTls({ port, host: "127.0.0.1", rejectUnauthorized: false });
    await once(visitor, "secureConnect");
    expect(visitor.getPeerX509Certificate()?.fingerprint256).toBe(new X509Certificate(certificate.cert).fingerprint256);
    visitor.destroy();
    const old = connectTls({
      port,
      host: "127.0.0.1",
      rejectUnauthorized: false,
      maxVersion: "TLSv1.1",
      minVersion: "TLSv1",
    });
    const [error] = (await once(old, "error").catch((thrown: unknown) => [thrown])) as [Error];
    expect(error).toBeInstanceOf(Error);
  });

  it("names a port that is taken, and an address that cannot be had", async () => {
    const taken = createServer().listen(0, "127.0.0.1");
    await once(taken, "listening");
    const { port } = taken.address() as AddressInfo;
    const code = async (listen: string, tcp = false): Promise<unknown> => {
      try {
        await nodes.create({ listen: [listen], tcp });
        return "listening";
      } catch (error) {
        return error instanceof TeahouseError ? error.code : error;
      }
    };
    expect(await code(`/ip4/127.0.0.1/tcp/${port}/tls/ws`)).toBe("port-taken");
    expect(await code(`/ip4/127.0.0.1/tcp/${port}`, true)).toBe("port-taken");
    expect(await code("/ip4/192.0.2.1/tcp/0/tls/ws")).toBe("address-unusable");
    expect(await code("/ip4/127.0.0.1/tcp/0")).toBe("address-unusable");
    expect(await code("nonsense")).toBe("address-unusable");
    taken.close();
  });

  it("leaves nothing behind when a dial is aborted", async () => {
    const mute = createServer().listen(0, "127.0.0.1");
    await once(mute, "listening");
    const arrived = once(mute, "connection");
    const controller = new AbortController();
    const listener = await nodes.create();
    const address = multiaddr(`/ip4/127.0.0.1/tcp/${(mute.address() as AddressInfo).port}/tls/ws/http-path${path}`);
    const dial = listener.libp2p.dial(address, { signal: controller.signal });
    const [socket] = (await arrived) as [Socket];
    socket.resume();
    const closed = once(socket, "close");
    controller.abort();
    await expect(dial).rejects.toThrow();
    await closed;
    mute.close();
  });

  it("tells peers a constant name, and of somebody who only listens no address", async () => {
    const relay = await nodes.create({ listen: [tlsAddress], dht: "server" });
    const listener = await nodes.create({ dht: "client" });
    const identified = Promise.all([
      once(relay.libp2p as never, "peer:identify"),
      once(listener.libp2p as never, "peer:identify"),
    ]);
    await listener.libp2p.dial(multiaddr(addressOf(relay)));
    const told = (await identified).map(([event]) => (event as CustomEvent<Record<string, unknown>>).detail);
    for (const { agentVersion, protocolVersion, protocols } of told) {
      expect(agentVersion).toBe("teahouse");
      expect(protocolVersion).toBe("teahouse/0.1.0");
      for (const protocol of protocols as string[]) expect(protocol).toMatch(/^\/teahouse\//);
    }
    expect(told[0]?.["listenAddrs"]).toEqual([]);
    expect(told[0]?.["protocols"]).not.toContain("/teahouse/kad/1");
    expect(told[1]?.["protocols"]).toContain("/teahouse/kad/1");
  });

  it("tells nobody its card's token: servers of the DHT have another one, and others tell no address", async () => {
    const server = await nodes.create({ listen: [tlsAddress], dht: "server", token });
    const only = await nodes.create({ listen: [tlsAddress], dht: "client", token });
    const witness = await nodes.create({ dht: "client" });
    const dhtToken = Buffer.from(dhtTokenOf(token)).toString("hex");
    for (const [relay, tokens] of [
      [server, [dhtToken]],
      [only, []],
    ] as const) {
      const identified = once(witness.libp2p as never, "peer:identify");
      await witness.libp2p.dial(multiaddr(addressOf(relay)));
      const [event] = (await identified) as [CustomEvent<{ readonly listenAddrs: readonly { toString(): string }[] }>];
      const told = event.detail.listenAddrs.map(String);
      expect(told.map((address) => /http-path\/([0-9a-f]+)/.exec(address)?.[1])).toEqual(tokens);
      // Nor is the address kept that the witness itself was given and has dialed: it would be passed on.
      const { addresses } = await witness.libp2p.peerStore.get(relay.libp2p.peerId);
      expect(addresses.map(({ multiaddr: kept }) => /http-path\/([0-9a-f]+)/.exec(kept.toString())?.[1])).toEqual(
        tokens,
      );
    }
    // Which is enough to come back.
    await witness.libp2p.hangUp(server.libp2p.peerId);
    expect((await witness.libp2p.dial(server.libp2p.peerId)).status).toBe("open");
  });

  it("announces what it is told to, with the path token, and not what it listens on", async () => {
    const relay = await nodes.create({
      listen: [tlsAddress],
      announce: ["/dns4/relay.example/tcp/443/tls/ws"],
      token,
    });
    expect(relay.addresses()).toEqual([
      `/dns4/relay.example/tcp/443/tls/ws/http-path${path}/p2p/${relay.libp2p.peerId}`,
    ]);
    const hinted = await nodes.create({
      listen: [tlsAddress],
      announce: ["/ip4/192.0.2.7/tcp/443/tls/sni/example.org/ws"],
      token,
      dht: "server",
    });
    expect(hinted.addresses()).toEqual([
      `/ip4/192.0.2.7/tcp/443/tls/sni/example.org/ws/http-path${path}/p2p/${hinted.libp2p.peerId}`,
    ]);
  });

  it("says goodbye when it stops: streams end and are not reset", async () => {
    const relay = await nodes.create({ listen: [tlsAddress] });
    const opened = new Promise<void>((resolve) => void relay.libp2p.handle("/test/open", () => resolve()));
    const listener = await nodes.create();
    const stream = await listener.libp2p.dialProtocol(multiaddr(addressOf(relay)), "/test/open");
    await opened;
    const connection = listener.libp2p.getConnections()[0];
    const closed = Promise.all([stream, connection].map((end) => once(end as never, "close")));
    await relay.stop();
    for (const [event] of await closed) expect((event as { readonly error?: Error }).error).toBeUndefined();
  });

  it("has room for a hundred listeners behind one address, in waves of 25", { timeout: 120_000 }, async () => {
    const relay = await nodes.create({ listen: [tlsAddress], dht: "server" });
    for (let wave = 1; wave <= 4; wave++) {
      const arrived = new Promise<void>((resolve) => {
        const count = (): void => {
          if (relay.libp2p.getPeers().length === wave * 25) resolve();
        };
        relay.libp2p.addEventListener("peer:connect", count);
      });
      const listeners = await Promise.all(Array.from({ length: 25 }, () => nodes.create()));
      await Promise.all(listeners.map(({ libp2p }) => libp2p.dial(multiaddr(addressOf(relay)))));
      await arrived;
    }
    expect(relay.libp2p.getConnections()).toHaveLength(100);
  });

  it("speaks plain TCP only where that is asked for", async () => {
    const relay = await nodes.create({ listen: [tcpAddress], tcp: true });
    const plain = await nodes.create({ profile: "lan" });
    await plain.libp2p.dial(multiaddr(addressOf(relay)));
    for (const profile of ["wss", "webrtc", "auto"] as const) {
      const careful = await nodes.create({ profile });
      await expect(careful.libp2p.dial(multiaddr(addressOf(relay)))).rejects.toThrow("no valid addresses");
    }
  });

  it("keeps its identity from its seed", async () => {
    const privateKey = new Uint8Array(32).fill(1);
    const node = await createNode({ privateKey, profile: "wss", dht: "off", crypto, clock });
    expect(node.peerId).toBe(Buffer.from(crypto.publicKey(privateKey)).toString("hex"));
    await node.stop();
  });
});
