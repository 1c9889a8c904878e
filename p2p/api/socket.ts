/**
 * The largest message on a socket, both ways: libp2p hands over chunks of this size at most, and a peer that sends
 * more is cut off, so that nobody allocates more for a stranger than `limits.unauthenticatedBytesMax`.
 */
export const socketMessageBytesMax = 65_536;

/** Bytes not yet on the wire above which a sender waits for `onDrain`: half a second at 4 Mbit/s. */
export const socketBufferedBytesMax = 262_144;

/**
 * How a socket ended. `clean`: with the WebSocket closing handshake. `lost`: without one. `protocol`: the far end
 * broke a rule (a text message, too large a message, a malformed frame).
 */
export type SocketCloseReason = "clean" | "lost" | "protocol";

/** Set once by whoever was given the socket. Nothing is delivered before `attach` and nothing after `onClose`. */
export interface SocketHandlers {
  /** One binary message of 1 to `socketMessageBytesMax` bytes, whole. The bytes belong to the receiver. */
  onMessage(bytes: Uint8Array): void;
  /** `bufferedAmount` is zero again after it was above `socketBufferedBytesMax`. */
  onDrain(): void;
  /** Called exactly once, also after `close()` and `terminate()`. */
  onClose(reason: SocketCloseReason): void;
}

/**
 * An open WebSocket inside TLS: a pipe of binary messages, ordered and reliable, whose far end is not yet
 * authenticated (Noise does that, inside). Two implementations: `ws` natively, Chromium's `WebSocket` lent by the window.
 */
export interface Socket {
  /** Bytes given to `send` that the network has not taken yet. */
  readonly bufferedAmount: number;
  /** Sends one binary message of at most `socketMessageBytesMax` bytes. Ignored once closing. Never throws, never waits. */
  send(bytes: Uint8Array): void;
  /** Says goodbye, delivers what was sent before, then ends. */
  close(): void;
  /** Ends at once; what was not delivered is lost. */
  terminate(): void;
  attach(handlers: SocketHandlers): void;
}

/** What is needed of the platform's AbortSignal, which this layer does not know. */
export interface OpenSignal {
  readonly aborted: boolean;
  addEventListener(type: "abort", listener: () => void, options: { readonly once: true }): void;
  removeEventListener(type: "abort", listener: () => void): void;
}

/** The person's own way out: everything of Teahouse goes through it, and nothing beside it. */
export interface Proxy {
  readonly kind: "socks5" | "http";
  readonly host: string;
  readonly port: number;
  /** Absent: the proxy asks for nothing. */
  readonly credentials?: { readonly user: string; readonly password: string };
}

/** Where a socket leads, and how it gets there. */
export interface SocketRoute {
  /** Whom TCP connects to: an IP literal, or a name where the relay's card has one. */
  readonly host: string;
  readonly port: number;
  /** Path with its leading slash; it shows the token. */
  readonly path: string;
  /** Name told in the ClientHello when it is another than `host`; undefined: `host`, if it is a name, else none. */
  readonly serverName: string | undefined;
  /** Undefined: straight. */
  readonly proxy: Proxy | undefined;
}

/**
 * Why the window could not be asked for a socket or channel: the message of the Error. `no window`: none is open.
 * `not in this browser`: one that Teahouse did not start can neither give another name nor use the person's proxy.
 * `too many`: `lendingThingsMax` are open.
 */
export type LendingRefusal = "no window" | "not in this browser" | "too many";

/** Opens sockets. */
export interface Sockets {
  /**
   * Connects. The certificate is not looked at: relays sign their own, and Noise pins who answers. Rejects with an Error
   * whose message says what failed; when the signal aborts, nothing is left behind.
   */
  open(route: SocketRoute, options: { readonly signal: OpenSignal }): Promise<Socket>;
}

/** The route's address as browsers write it: `wss://host:port/path`, by the server's name where there is one. */
export function urlOfRoute({ host, port, path, serverName }: SocketRoute): string {
  const name = serverName ?? host;
  return `wss://${name.includes(":") ? `[${name}]` : name}:${port}${path}`;
}
