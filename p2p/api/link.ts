import type { LinkId, PeerId } from "./ids.ts";

/** `stream`: libp2p stream (over WSS or, in tests and on a LAN, TCP). `webrtc`: data channel. */
export type LinkKind = "memory" | "stream" | "webrtc";

/** What became of a message handed to a link. `dropped`: this message or an older one fell to make room. */
export type SendResult = "sent" | "dropped" | "closed";

/** Why a link ended. `lost`: without a goodbye. */
export type LinkCloseReason = "local" | "remote" | "lost" | "protocol";

/**
 * A message pipe between two peers whose far end is authenticated. Every implementation runs the suite
 * in test/contract/link.ts.
 *
 * - A message is 1 to `limits.linkMessageBytesMax` bytes and arrives whole or not at all.
 * - `stream` links are ordered; `webrtc` links are unordered and never retransmit, both ways.
 * - Under back-pressure the oldest waiting message falls, never the newest; `dropped` counts them.
 * - `send` never throws and never waits. A message that breaks the size limit is our own bug: assert.
 * - `onClose` is called exactly once, also after `close()`; nothing is delivered after it.
 */
export interface Link {
  readonly id: LinkId;
  /** Who is at the far end, proved by Noise (for `webrtc`: by the Noise stream that carried the signalling). */
  readonly remote: PeerId;
  readonly kind: LinkKind;
  /** Messages that fell because the network did not keep up. */
  readonly dropped: number;
  /** Bytes handed to the network so far, and received from it. */
  readonly bytesOut: number;
  readonly bytesIn: number;
  send(message: Uint8Array): SendResult;
  close(): void;
  /** Set once, by whoever was given the link. Messages that came earlier are delivered then. */
  attach(handlers: LinkHandlers): void;
}

/** What a link calls. */
export interface LinkHandlers {
  onMessage(message: Uint8Array): void;
  onClose(reason: LinkCloseReason): void;
}

/**
 * How a relay is reached: what its card says. `key` is the pin: whoever answers must prove it by Noise.
 */
export interface RelayAddress {
  /** Ed25519 public key, 32 bytes. */
  readonly key: Uint8Array;
  /** Binary multiaddrs without /p2p and /http-path, each at most `limits.multiaddrBytesMax`. */
  readonly addresses: readonly Uint8Array[];
  /** Path token that opens the relay's site, 16 bytes. */
  readonly token: Uint8Array;
}
