import type { Port, PortHandlers } from "../../p2p/api/port.ts";
import { portOverMessagePort, portOverWebSocket } from "../../p2p/port/carriers.ts";
import { isChannelId, lentIdOf } from "../../p2p/port/lending.ts";
import type { ToWorker } from "./lend.ts";
import { Lender } from "./lender.ts";
import { lendSocket } from "./web-socket.ts";

/**
 * Holds the lending port and the sockets, away from the page, whose drawing would hold them up. Channels live in the page:
 * browsers make WebRTC connections nowhere else.
 */
function serve({ source, page }: ToWorker): void {
  const engine = "url" in source ? portOverWebSocket(new WebSocket(source.url)) : portOverMessagePort(source.port);
  const peers = portOverMessagePort(page);
  const sockets = new SocketLane(engine);
  engine.attach({
    onMessage: (message) => {
      const isMessage = typeof message === "string" || message instanceof Uint8Array;
      const id = isMessage ? lentIdOf(message) : undefined;
      // What cannot be read is counted where the sockets are.
      if (isMessage && id !== undefined && isChannelId(id)) peers.postMessage(message);
      else sockets.took(message);
    },
    onClose: () => sockets.ended(),
  });
  peers.attach({
    onMessage: (message) => engine.postMessage(message as string | Uint8Array),
    // The page ends this worker when it wants no more.
    onClose: () => undefined,
  });
  new Lender(
    sockets,
    {
      openSocket: (url, events) => lendSocket(new WebSocket(url), events),
      after: (ms, callback) => void setTimeout(callback, ms),
    },
    // In words: Chromium's message ports do not tell that their other end was closed.
    () => postMessage("ended"),
  );
}

/** What of the engine's port is about sockets. */
class SocketLane implements Port {
  readonly #engine: Port;
  #handlers: PortHandlers | undefined;

  constructor(engine: Port) {
    this.#engine = engine;
  }

  postMessage(message: string | Uint8Array): void {
    this.#engine.postMessage(message);
  }

  attach(handlers: PortHandlers): void {
    this.#handlers = handlers;
  }

  close(): void {
    this.#engine.close();
  }

  took(message: unknown): void {
    this.#handlers?.onMessage(message);
  }

  ended(): void {
    this.#handlers?.onClose();
  }
}

addEventListener("message", ({ data }: MessageEvent<ToWorker>) => serve(data), { once: true });
