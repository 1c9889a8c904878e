import { generateKeyPair } from "@libp2p/crypto/keys";
import { peerIdFromPrivateKey } from "@libp2p/peer-id";
import { multiaddr } from "@multiformats/multiaddr";
import { describe, expect, it } from "vitest";
import type { Profile } from "../../../p2p/api/engine.ts";
import { createGater } from "../../../p2p/io/libp2p/gater.ts";
import { Routes } from "../../../p2p/io/routes/routes.ts";

describe("gater", () => {
  it("remembers private addresses only on a LAN or over a private connection, and names never", async () => {
    const peer = peerIdFromPrivateKey(await generateKeyPair("Ed25519"));
    const told = [
      "/ip4/192.168.1.1/tcp/80/tls/ws",
      "/ip4/9.9.9.9/tcp/443/tls/ws",
      "/ip4/169.254.169.254/tcp/80/tls/ws",
      "/dns4/localhost/tcp/80/tls/ws",
    ].map((text) => multiaddr(text));
    const keeps = (profile: Profile, ...connected: string[]): unknown[] => {
      const connections = connected.map((text) => ({ remoteAddr: multiaddr(text) }));
      const gater = createGater(new Routes({ profile }), () => connections);
      return told.map((address) => gater.filterMultiaddrForPeer?.(peer, address));
    };
    expect(keeps("wss", "/ip4/1.1.1.1/tcp/443")).toEqual([false, true, false, false]);
    expect(keeps("wss")).toEqual([false, true, false, false]);
    expect(keeps("lan", "/ip4/1.1.1.1/tcp/443")).toEqual([true, true, false, true]);
    expect(keeps("wss", "/ip4/127.0.0.1/tcp/443")).toEqual([true, true, false, false]);
  });
});
