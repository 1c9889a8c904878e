import { generateKeyPair } from "@libp2p/crypto/keys";
import { peerIdFromPrivateKey } from "@libp2p/peer-id";
import { multiaddr } from "@multiformats/multiaddr";
import { describe, expect, it } from "vitest";
import { createGater } from "../../../p2p/io/libp2p/gater.ts";

describe("gater", () => {
  it("remembers private addresses only on a LAN or over a private connection", async () => {
    const peer = peerIdFromPrivateKey(await generateKeyPair("Ed25519"));
    const home = multiaddr("/ip4/192.168.1.1/tcp/80/tls/ws");
    const far = multiaddr("/ip4/9.9.9.9/tcp/443/tls/ws");
    const connections = (text: string) => () => [{ remoteAddr: multiaddr(text) }];
    const keeps = (gater: ReturnType<typeof createGater>): unknown[] =>
      [home, far].map((address) => gater.filterMultiaddrForPeer?.(peer, address));
    const outside = connections("/ip4/1.1.1.1/tcp/443");
    expect(keeps(createGater("wss", outside))).toEqual([false, true]);
    expect(keeps(createGater("wss", () => []))).toEqual([false, true]);
    expect(keeps(createGater("lan", outside))).toEqual([true, true]);
    expect(keeps(createGater("wss", connections("/ip4/127.0.0.1/tcp/443")))).toEqual([true, true]);
  });
});
