import { EventEmitter } from "node:events";
import { readFileSync } from "node:fs";
import { createContext, runInContext } from "node:vm";
import type { MessagePort } from "node:worker_threads";
import { type DesktopBridge, desktopBridgeName, desktopPortMessage } from "../../p2p/api/desktop.ts";
import type { ContentsDouble } from "./electron-double.ts";

/** A page behind the preload: what it can reach, and what was sent to it. */
export interface PageDouble {
  /** What the preload put on `window`, by name. */
  readonly world: Readonly<Record<string, unknown>>;
  readonly bridge: DesktopBridge;
  /** Asks for the engine and waits for the port, as a page does. */
  connect(): Promise<MessagePort>;
  /** From the main process. */
  receive(channel: string, event: { readonly ports: readonly MessagePort[] }, ...args: unknown[]): void;
}

/** Runs a built preload as the sandbox does: one script, `require` for Electron only, nothing of Node. */
export function openPage(preload: string, contents: ContentsDouble, ipcMain: EventEmitter): PageDouble {
  const world: Record<string, unknown> = {};
  const messages = new EventEmitter();
  const incoming = new EventEmitter();
  const ipcRenderer = {
    on: (channel: string, listener: (...args: unknown[]) => void) => incoming.on(channel, listener),
    off: (channel: string, listener: (...args: unknown[]) => void) => incoming.off(channel, listener),
    send: (channel: string, ...args: unknown[]) =>
      void ipcMain.emit(channel, { senderFrame: contents.mainFrame, sender: contents }, ...structuredClone(args)),
  };
  const electron = {
    ipcRenderer,
    contextBridge: { exposeInMainWorld: (name: string, api: unknown) => (world[name] = api) },
  };
  const required: string[] = [];
  const sandbox = createContext({
    module: { exports: {} },
    exports: {},
    window: {
      postMessage: (data: unknown, origin: string, ports: readonly MessagePort[]) =>
        messages.emit("message", { data, origin, ports }),
    },
    require: (name: string) => {
      required.push(name);
      if (name !== "electron") throw new Error(`a sandboxed preload cannot require ${name}`);
      return electron;
    },
  });
  runInContext(readFileSync(preload, "utf8"), sandbox);
  const bridge = world[desktopBridgeName] as DesktopBridge;
  return {
    world,
    bridge,
    connect: () =>
      new Promise((resolve, reject) => {
        messages.once("message", ({ data, origin, ports: [port] }: MessageOfPage) => {
          if (data === desktopPortMessage && origin === "/" && port !== undefined) resolve(port);
          else reject(new Error("the page was posted something else than a port"));
        });
        bridge.connect();
      }),
    receive: (channel, event, ...args) => void incoming.emit(channel, event, ...args),
  };
}

interface MessageOfPage {
  readonly data: unknown;
  readonly origin: string;
  readonly ports: readonly MessagePort[];
}
