import { multiaddr } from "@multiformats/multiaddr";
import { describe, expect, it } from "vitest";
import { fromMultiaddrs, hexOf, keyOf, peerIdOf, toMultiaddrs } from "../../p2p/io/libp2p/address.ts";
import { peerKey } from "./nodes.ts";

describe("addresses", () => {
  const key = peerKey();
  const token = Uint8Array.from({ length: 16 }, (_, index) => index);
  const path = "000102030405060708090a0b0c0d0e0f";

  it("take the path token only where there is HTTP, and always the pin", () => {
    const id = peerIdOf(key).toString();
    const bare = [
      "/ip4/192.0.2.7/tcp/443/tls/ws",
      "/dns4/relay.example/tcp/8443/wss",
      "/ip6/2001:db8::1/tcp/4001",
      "/ip4/192.0.2.7/tcp/443/tls/sni/example.org/ws",
    ];
    const address = fromMultiaddrs(key, token, bare);
    expect(toMultiaddrs(address).map(String)).toEqual([
      `${bare[0]}/http-path/${path}/p2p/${id}`,
      `${bare[1]}/http-path/${path}/p2p/${id}`,
      `${bare[2]}/p2p/${id}`,
      `${bare[3]}/http-path/${path}/p2p/${id}`,
    ]);
    expect(fromMultiaddrs(key, token, toMultiaddrs(address))).toEqual(address);
  });

  it("are at most four, without repeats and without what would make us look elsewhere", () => {
    const many = [1, 1, 2, 3, 4, 5].map((port) => `/ip4/127.0.0.1/tcp/${port}`);
    expect(fromMultiaddrs(key, token, many).addresses).toHaveLength(4);
    const elsewhere = [
      "/dnsaddr/example.org",
      `/ip4/127.0.0.1/tcp/1/p2p/${peerIdOf(key).toString()}/p2p-circuit`,
      "/unix/tmp",
    ];
    expect(fromMultiaddrs(key, token, elsewhere).addresses).toEqual([]);
    const addresses = elsewhere.map((each) => multiaddr(each).bytes);
    expect(toMultiaddrs({ key, token, addresses })).toEqual([]);
  });

  it("name a node by its key, both ways", () => {
    expect(keyOf(peerIdOf(key))).toEqual(key);
    expect(hexOf(peerIdOf(key))).toBe(Buffer.from(key).toString("hex"));
  });
});
