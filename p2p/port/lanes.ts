import type { Port, PortMessage } from "../api/port.ts";
import { type EmitterCarrier, portOverEmitter } from "./carriers.ts";

/** What is for the second lane travels in an array behind this word; everything else is for the first. */
const tag = "lend";

/** A channel that carries whatever is cloned, as the one between two Node processes. */
export interface LanesCarrier extends Omit<EmitterCarrier, "post" | "read"> {
  post(message: PortMessage | readonly [typeof tag, PortMessage]): void;
}

/** The ports of an engine's process: its owner's, and the one over which it borrows the window's network. */
export interface EnginePorts {
  readonly owner: Port;
  readonly lending: Port;
}

/** Two ports over one channel. To close the owner's closes the channel; to close the other closes nothing. */
export function splitLanes(carrier: LanesCarrier): EnginePorts {
  const { emitter, messageEvent } = carrier;
  const lane = (takes: (message: unknown) => boolean) => ({
    on: (event: string, listener: (message: unknown) => void) =>
      emitter.on(event, (message) => {
        if (event !== messageEvent || takes(message)) listener(message);
      }),
  });
  return {
    owner: portOverEmitter({ ...carrier, emitter: lane((message) => !isTagged(message)) }),
    lending: portOverEmitter({
      ...carrier,
      emitter: lane(isTagged),
      read: (message) => (message as readonly unknown[])[1],
      post: (message) => carrier.post([tag, message]),
      close: () => undefined,
    }),
  };
}

function isTagged(message: unknown): boolean {
  return Array.isArray(message) && message[0] === tag;
}
