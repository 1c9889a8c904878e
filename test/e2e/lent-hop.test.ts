import { once } from "node:events";
import { createServer, type Server } from "node:https";
import type { AddressInfo } from "node:net";
import type { TLSSocket } from "node:tls";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { WebSocketServer } from "ws";
import { selfSignedCertificate } from "../../p2p/io/libp2p/certificate.ts";
import { type Hop, startHop } from "../../p2p/io/proxy/hop.ts";
import { LentNetwork } from "./lending.ts";

let hop: Hop;
let network: LentNetwork;
let relay: Server;
beforeAll(async () => {
  hop = await startHop();
  relay = createServer(selfSignedCertificate(Date.now()));
  relay.listen(0, "127.0.0.1");
  [network] = await Promise.all([LentNetwork.start(hop), once(relay, "listening")]);
});
afterAll(async () => {
  await network?.stop();
  await hop?.stop();
  relay?.close();
});

describe("a window in a browser whose connections pass the hop", () => {
  it("reaches an address under another name, which is told in the ClientHello and looked up nowhere", async () => {
    const names: unknown[] = [];
    const upgrades = new WebSocketServer({ server: relay });
    upgrades.on("connection", (far, { socket }) => {
      names.push((socket as TLSSocket).servername);
      far.on("message", (bytes) => far.send(bytes));
    });
    // No such name exists (RFC 6761, 6.4): whoever looked it up would fail.
    const route = {
      host: "127.0.0.1",
      port: (relay.address() as AddressInfo).port,
      path: "/",
      serverName: "relay.invalid",
      proxy: undefined,
    };
    const socket = await network.borrower.sockets.open(route, { signal: AbortSignal.timeout(10_000) });
    const echoed = new Promise<Uint8Array>((resolve) => {
      socket.attach({ onMessage: resolve, onDrain: () => undefined, onClose: () => undefined });
    });
    socket.send(Uint8Array.of(7));
    expect([await echoed, names]).toEqual([Uint8Array.of(7), ["relay.invalid"]]);
    socket.terminate();
  });
});
