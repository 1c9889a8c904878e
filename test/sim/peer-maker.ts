import { Peer } from "../../p2p/core/peer.ts";
import { createSeats } from "../../p2p/core/room/member/seats.ts";
import type { PeerMaker } from "./cast.ts";

/** The real machine. Relays are made as they are in life: without the part that opens packets. */
export const makePeer: PeerMaker = (options, crypto, _node, part) =>
  new Peer(options, crypto, part === "relay" ? undefined : createSeats(crypto));
