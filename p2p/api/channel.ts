/**
 * How a data channel ended. `remote`: the far end said goodbye. `lost`: without one. `protocol`: the far end broke a rule
 * (text, or a message above `channelMessageBytesMax`).
 */
export type ChannelCloseReason = "remote" | "lost" | "protocol";

/**
 * Largest message that WebRTC is told we take: above `limits.linkMessageBytesMax`, so that a message that breaks that limit
 * is seen as such instead of arriving cut off.
 */
export const channelMessageBytesMax = 2048;

/** Characters of a session description at most, either way: ours have 500, a browser's 1,000 and some candidates. */
export const descriptionCharactersMax = 16_384;

/** What a channel calls. Nothing before the call that made it has returned, and nothing after `onClose`. */
export interface ChannelHandlers {
  onOpen(): void;
  /** One message, whole. The bytes belong to the receiver. */
  onMessage(bytes: Uint8Array): void;
  /** `bufferedAmount` fell well below `bufferedBytesMax`. */
  onRoom(): void;
  /** At most once, and not after our own `close` or `abort`. A channel that never opens ends as `lost`. */
  onClose(reason: ChannelCloseReason): void;
}

/**
 * One WebRTC connection with one data channel, from its first description to its end: negotiated, id 1, unordered, never
 * retransmitted. Who is at the far end is for the caller to prove, by whom it gets the far description from.
 */
export interface Channel {
  /** Our session description, in the library's own words. Rejects when the connection failed before it was known. */
  readonly description: Promise<string>;
  /** Bytes given to `send` that are not yet on the wire, as far as this side knows. */
  readonly bufferedAmount: number;
  /** Above this the caller should keep messages back; it is never refused more. */
  readonly bufferedBytesMax: number;
  /** Adds ways to the far end, each a `candidate:` line of SDP. Ignored once closed. */
  addCandidates(candidates: readonly string[]): void;
  /** Sends one message of at most `channelMessageBytesMax` bytes. False when the channel is not open. Never throws. */
  send(bytes: Uint8Array): boolean;
  /** Says goodbye and ends. */
  close(): void;
  /** Ends without a goodbye, as a crash would. */
  abort(): void;
}

/** Makes the answering half: natively by node-datachannel, or lent by the window. */
export interface Channels {
  /** Begins to answer the volunteer's offer, a session description without candidates. Never throws. */
  answer(offer: string, handlers: ChannelHandlers): Channel;
}
