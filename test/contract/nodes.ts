import { generateKeyPairSync } from "node:crypto";
import { noise } from "@chainsafe/libp2p-noise";
import { identify } from "@libp2p/identify";
import type { Libp2p } from "@libp2p/interface";
import { tcp } from "@libp2p/tcp";
import { yamux } from "@libp2p/yamux";
import { createLibp2p } from "libp2p";
import type { RelayAddress } from "../../p2p/api/link.ts";
import { fromMultiaddrs, keyOf } from "../../p2p/io/libp2p/address.ts";

/** A real node on loopback: TCP, Noise and yamux. */
export function loopbackNode(): Promise<Libp2p> {
  return createLibp2p({
    addresses: { listen: ["/ip4/127.0.0.1/tcp/0"] },
    transports: [tcp()],
    connectionEncrypters: [noise()],
    streamMuxers: [yamux()],
    // Every node of a test has the same address; libp2p would hang up on the sixth connection within a second.
    connectionManager: { inboundConnectionThreshold: Number.POSITIVE_INFINITY },
    services: { identify: identify() },
  });
}

/** How others reach the node. */
export function addressOf(node: Libp2p): RelayAddress {
  const key = keyOf(node.peerId);
  if (key === undefined) throw new Error("libp2p makes Ed25519 keys");
  return fromMultiaddrs(key, new Uint8Array(16), node.getMultiaddrs());
}

/** The public key of a node that does not exist. */
export function peerKey(): Uint8Array {
  const { publicKey } = generateKeyPairSync("ed25519");
  return Uint8Array.from(Buffer.from(publicKey.export({ format: "jwk" }).x as string, "base64url"));
}
