import type { ConnectionGater } from "@libp2p/interface";
import { isPrivate } from "@libp2p/utils";
import type { Multiaddr } from "@multiformats/multiaddr";
import type { Profile } from "../../api/engine.ts";

/**
 * Decides which addresses of others are remembered: what a stranger tells us may not send us exploring our own network.
 * Private addresses are kept only on a LAN, or while we are connected over a private address anyway. An address that a
 * person gives is dialed whatever it is.
 */
export const createGater = (
  profile: Profile,
  connections: () => readonly { readonly remoteAddr: Multiaddr }[],
): ConnectionGater => ({
  filterMultiaddrForPeer: (_peer, address) =>
    !isPrivate(address) || profile === "lan" || connections().some(({ remoteAddr }) => isPrivate(remoteAddr)),
});
