/**
 * What crosses a port: text for commands and events (JSON), bytes for sound. Both survive every carrier as they are:
 * a WebSocket, a MessagePort, the channel between two processes.
 */
export type PortMessage = string | Uint8Array;

/** What a port calls. Nothing is delivered before `attach` and nothing after `onClose`. */
export interface PortHandlers {
  /** Whatever the other side sent, unlooked at: it may be anything. */
  onMessage(message: unknown): void;
  /** The other side is gone. Called at most once, and not after our own `close`. */
  onClose(): void;
}

/**
 * One end of a pipe between window and engine: ordered, and reliable while it lasts. Implementations: a pair in
 * memory, WebSocket, MessagePort, process channel. All run the suite in test/contract/engine-port.ts.
 */
export interface Port {
  /** Hands a message over. Never throws, never waits; ignored once the port is closed. */
  postMessage(message: PortMessage): void;
  /** Set once; messages that came earlier are delivered then. */
  attach(handlers: PortHandlers): void;
  /** Ends it for both sides. */
  close(): void;
}

/**
 * How far a window's connection is. `connecting`: no answer yet. `occupied`: another window is open, and `takeOver`
 * would close it. `open`: in use. `closed`: over, for the reason given.
 */
export type PortState = "connecting" | "occupied" | "open" | "closed";

/**
 * Why a connection ended. `local`: we closed it. `lost`: the other side went without a word. `replaced`: another
 * window took over. `engine-gone`: the engine stopped again and again and is not started any more. `protocol`: the other side
 * broke the rules.
 */
export type PortCloseReason = "local" | "lost" | "replaced" | "engine-gone" | "protocol";
