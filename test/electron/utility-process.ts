import { EventEmitter } from "node:events";
import { pathToFileURL } from "node:url";

/**
 * Runs a script as Electron's utility process would, in a plain Node process: `process.parentPort` brings the setup and
 * one end of a channel, whose other end the parent bridges over Node's own channel between processes.
 */

/** What the parent sends. */
export type FromParent =
  | { readonly kind: "setup"; readonly data: unknown }
  | { readonly kind: "message"; readonly data: unknown }
  | { readonly kind: "close" };

class BridgedChannel extends EventEmitter {
  start(): void {
    // Node keeps what comes before somebody listens.
  }

  postMessage(data: unknown): void {
    process.send?.(data);
  }

  close(): void {
    process.disconnect();
  }
}

const [script = ""] = process.argv.slice(2);
const channel = new BridgedChannel();
const parentPort = new EventEmitter();
Object.assign(process, { parentPort });
await import(pathToFileURL(script).href);
process.on("message", (packet: FromParent) => {
  if (packet.kind === "setup") parentPort.emit("message", { data: packet.data, ports: [channel] });
  else if (packet.kind === "message") channel.emit("message", { data: packet.data, ports: [] });
  else channel.emit("close");
});
// A utility process does not outlive its parent.
process.on("disconnect", () => channel.emit("close"));
