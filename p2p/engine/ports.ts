import type { Link, RelayAddress } from "../api/link.ts";
import type { Millis, PeerId } from "../api/ids.ts";

/** What the engine needs from outside. Implementations live in p2p/io. */

export interface Clock {
  /** Unix time in milliseconds that never steps backwards. */
  now(): Millis;
  /** Calls back once, at or after `at`. The returned function cancels. */
  wakeAt(at: Millis, callback: () => void): () => void;
}

/** The links of a node, ours and others'. */
export interface Links {
  /**
   * Opens a stream link to the relay at this address. Rejects with an Error whose message says what failed
   * (for counting and for `probe`); never leaves a half-open connection behind.
   */
  dial(target: RelayAddress, signal: AbortSignal): Promise<Link>;
  /** Opens a second, WebRTC link to a peer that already has a stream link with us. The relay makes the offer. */
  upgrade(remote: PeerId, signal: AbortSignal): Promise<Link>;
  /** Every link that somebody else opened. Called before `start` of the node resolves. */
  onLink(listener: (link: Link) => void): void;
}

/** Values under 32-byte keys in the DHT; each value is checked by core/discovery/record.ts before it is believed. */
export interface Discovery {
  /** Puts the value; resolves when enough nodes took it. Rejects when none could be reached. */
  publish(key: Uint8Array, value: Uint8Array, signal: AbortSignal): Promise<void>;
  /** Yields each different valid value as soon as a peer answers with it; ends when the lookup ends; never throws for a peer's fault. */
  lookup(key: Uint8Array, signal: AbortSignal): AsyncIterable<Uint8Array>;
}

/** A running node, as the engine sees it. */
export interface Presence {
  readonly peer: PeerId;
  /** Where it listens, as multiaddrs with the peer id; empty when it does not. */
  readonly addresses: readonly string[];
  /** How others reach it: what a card says. Undefined when it does not listen. */
  readonly reach: RelayAddress | undefined;
  readonly links: Links;
  /** Undefined when the DHT is switched off. */
  readonly discovery: Discovery | undefined;
}

/** The node under the engine. */
export interface Network {
  /** Brings it up. Rejects with `TeahouseError`: `port-taken`, `address-unusable`. Called once. */
  start(): Promise<Presence>;
  /** Takes it down; afterwards nothing of it is left running. */
  stop(): Promise<void>;
}
