import type { ConnectionGater } from "@libp2p/interface";
import { isPrivate } from "@libp2p/utils";
import type { Multiaddr } from "@multiformats/multiaddr";
import type { Routes } from "../routes/routes.ts";
import { cardTokenBytes } from "./path-token.ts";
import { socketTarget } from "./socket-transport.ts";

/**
 * Decides which addresses of others are remembered: what a stranger tells us may not send us exploring our own network.
 * It has to pass the gate of the routes; private addresses also do while we are connected over one anyway. The token of a card or
 * invite is kept nowhere: the DHT would pass on what is remembered. An address that a person gives is dialed whatever it is.
 */
export const createGater = (
  routes: Pick<Routes, "obstacle">,
  connections: () => readonly { readonly remoteAddr: Multiaddr }[],
): ConnectionGater => ({
  filterMultiaddrForPeer: (_peer, address) =>
    socketTarget(address)?.token?.length !== cardTokenBytes && mayRemember(routes.obstacle(address), connections),
});

const mayRemember = (
  obstacle: ReturnType<Routes["obstacle"]>,
  connections: () => readonly { readonly remoteAddr: Multiaddr }[],
): boolean =>
  obstacle === undefined ||
  (obstacle === "local address" && connections().some(({ remoteAddr }) => isPrivate(remoteAddr)));
