import { EventEmitter } from "node:events";
import { MessageChannel, type MessagePort } from "node:worker_threads";

/** Electron's MessagePortMain over one of Node's: events instead of handlers, messages wrapped, nothing before `start`. */
export class MessagePortMainDouble extends EventEmitter {
  readonly raw: MessagePort;

  constructor(raw: MessagePort) {
    super();
    this.raw = raw;
    raw.on("close", () => this.emit("close"));
  }

  start(): void {
    this.raw.on("message", (data: unknown) => this.emit("message", { data, ports: [] }));
  }

  postMessage(message: unknown): void {
    this.raw.postMessage(message);
  }

  close(): void {
    this.raw.close();
  }
}

/** Electron's MessageChannelMain. */
export class MessageChannelMainDouble {
  readonly port1: MessagePortMainDouble;
  readonly port2: MessagePortMainDouble;

  constructor() {
    const { port1, port2 } = new MessageChannel();
    this.port1 = new MessagePortMainDouble(port1);
    this.port2 = new MessagePortMainDouble(port2);
  }
}
