import type { Link, RelayAddress } from "../api/link.ts";
import type { Millis, PeerId } from "../api/ids.ts";
import type { ChosenWay, Rung, WayChoice, WayFailures } from "../api/way.ts";

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
   * @param fresh an open connection to the target is frozen or half dead: it is hung up, and another is made.
   */
  dial(target: RelayAddress, signal: AbortSignal, fresh?: boolean): Promise<Link>;
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

/** The ways to the network, and which of them is taken. */
export interface Ways {
  /** Takes this way from now on; what is open is hung up. Throws `TeahouseError` `proxy-damaged`. */
  choose(choice: WayChoice): void;
  readonly chosen: ChosenWay;
  /** Where the room to be entered leads: an invite's relays, or the cards of a host. */
  enter(relays: readonly RelayAddress[]): void;
  /** Whether nothing may go beside a proxy. */
  readonly proxied: boolean;
  /** Whether data channels may be had. */
  readonly allowsUdp: boolean;
  /** How the last stream went; undefined before the first. */
  readonly stream: Rung | undefined;
  readonly failures: Readonly<Partial<Record<Rung, WayFailures>>>;
  /** An address as people write it, without what is secret in it. */
  addressText(address: Uint8Array): string;
  /** Has so many bytes sent back by a peer that is connected. Rejects when they stop coming. */
  transfer(remote: PeerId, bytes: number, signal: AbortSignal): Promise<void>;
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
  /** Absent where there is only one way, as in memory. */
  readonly ways?: Ways;
}

/** The node under the engine. */
export interface Network {
  /** Brings it up. Rejects with `TeahouseError`: `port-taken`, `address-unusable`. Called once. */
  start(): Promise<Presence>;
  /** Takes it down; afterwards nothing of it is left running. */
  stop(): Promise<void>;
}
