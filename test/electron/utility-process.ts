import { EventEmitter } from "node:events";
import { pathToFileURL } from "node:url";

/**
 * Runs a script as Electron's utility process would, in a plain Node process: `process.parentPort` brings the setup and
 * one end each of some channels, whose other ends the parent bridges over Node's own channel between processes.
 */

/** What the parent sends; `port`: which of the channels. */
export type FromParent =
  | { readonly kind: "setup"; readonly ports: number; readonly data: unknown }
  | { readonly kind: "message"; readonly port: number; readonly data: unknown }
  | { readonly kind: "close"; readonly port: number };

/** What it is sent. */
export interface FromChild {
  readonly port: number;
  readonly data: unknown;
}

class BridgedChannel extends EventEmitter {
  readonly #port: number;

  constructor(port: number) {
    super();
    this.#port = port;
  }

  start(): void {
    // Node keeps what comes before somebody listens.
  }

  postMessage(data: unknown): void {
    const packet: FromChild = { port: this.#port, data };
    process.send?.(packet);
  }

  close(): void {
    process.disconnect();
  }
}

const [script = ""] = process.argv.slice(2);
let channels: readonly BridgedChannel[] = [];
const parentPort = new EventEmitter();
Object.assign(process, { parentPort });
await import(pathToFileURL(script).href);
process.on("message", (packet: FromParent) => {
  if (packet.kind === "setup") {
    channels = Array.from({ length: packet.ports }, (_, port) => new BridgedChannel(port));
    parentPort.emit("message", { data: packet.data, ports: channels });
  } else if (packet.kind === "message") channels[packet.port]?.emit("message", { data: packet.data, ports: [] });
  else channels[packet.port]?.emit("close");
});
// A utility process does not outlive its parent.
process.on("disconnect", () => channels.forEach((channel) => channel.emit("close")));
