import { publicKeyFromRaw } from "@libp2p/crypto/keys";
import type { PeerId as Libp2pPeerId } from "@libp2p/interface";
import { peerIdFromPublicKey } from "@libp2p/peer-id";
import { multiaddr, type Multiaddr } from "@multiformats/multiaddr";
import type { PeerId } from "../../api/ids.ts";
import { limits } from "../../api/limits.ts";
import type { RelayAddress } from "../../api/link.ts";

/** What an address in a card or invite may be made of. No dnsaddr, circuit or unix path: each would make us look somewhere else. */
const allowed: ReadonlySet<string> = new Set([
  "ip4",
  "ip6",
  "ip6zone",
  "dns",
  "dns4",
  "dns6",
  "tcp",
  "tls",
  "sni",
  "ws",
  "wss",
]);

/** The libp2p name of the node with this raw Ed25519 public key (32 bytes). Throws when it is not a key. */
export function peerIdOf(key: Uint8Array): Libp2pPeerId {
  const parsed = publicKeyFromRaw(key);
  if (parsed.type !== "Ed25519") throw new Error("not an Ed25519 key");
  return peerIdFromPublicKey(parsed);
}

/** The raw Ed25519 public key, 32 bytes; undefined for a node of any other key type. */
export function keyOf(peerId: Libp2pPeerId): Uint8Array | undefined {
  return peerId.type === "Ed25519" ? peerId.publicKey.raw : undefined;
}

/** Our own name of a node: its key as 64 lower-case hex digits. Undefined for a key that is not Ed25519. */
export function hexOf(peerId: Libp2pPeerId): PeerId | undefined {
  const key = keyOf(peerId);
  return key === undefined ? undefined : (Buffer.from(key).toString("hex") as PeerId);
}

/** The libp2p name behind our own. Throws when the hex is not a key. */
export function peerIdOfHex(peer: PeerId): Libp2pPeerId {
  return peerIdOf(Buffer.from(peer, "hex"));
}

/**
 * What to dial: `<address>[/http-path/<token in hex>]/p2p/<peer id>`, the path only for WebSocket addresses. Addresses
 * that do not parse, are too long or name anything but a host, a port, TLS and WebSocket are left out; the result may be empty.
 * Throws when the key is none.
 */
export function toMultiaddrs(target: RelayAddress): Multiaddr[] {
  const peer = peerIdOf(target.key).toString();
  const token = Buffer.from(target.token).toString("hex");
  const found: Multiaddr[] = [];
  for (const bytes of target.addresses.slice(0, limits.cardAddressesMax)) {
    const names = bytes.length <= limits.multiaddrBytesMax ? namesOf(bytes) : undefined;
    if (names === undefined || names.length === 0 || !names.every((name) => allowed.has(name))) continue;
    const webSocket = names.includes("ws") || names.includes("wss");
    const path = webSocket && token !== "" ? `/http-path/${token}` : "";
    found.push(multiaddr(bytes).encapsulate(`${path}/p2p/${peer}`));
  }
  return found;
}

/**
 * The address to put in a card: `/p2p` and `/http-path` parts are cut off, repeats and whatever `toMultiaddrs` would
 * leave out are dropped, at most `limits.cardAddressesMax` are kept, in the order given.
 */
export function fromMultiaddrs(
  key: Uint8Array,
  token: Uint8Array,
  addresses: readonly (Multiaddr | string)[],
): RelayAddress {
  const seen = new Set<string>();
  const kept: Uint8Array[] = [];
  for (const address of addresses) {
    const components = multiaddr(address)
      .getComponents()
      .filter(({ name }) => name !== "p2p" && name !== "http-path");
    const bare = multiaddr(components);
    if (components.length === 0 || !components.every(({ name }) => allowed.has(name))) continue;
    if (bare.bytes.length > limits.multiaddrBytesMax || seen.has(bare.toString())) continue;
    seen.add(bare.toString());
    if (kept.length < limits.cardAddressesMax) kept.push(bare.bytes);
  }
  return { key, addresses: kept, token };
}

function namesOf(bytes: Uint8Array): string[] | undefined {
  try {
    return multiaddr(bytes)
      .getComponents()
      .map(({ name }) => name);
  } catch {
    return undefined;
  }
}
