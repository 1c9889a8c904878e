import { contextBridge, ipcRenderer, type IpcRendererEvent } from "electron";
import { desktopBridgeName, desktopPortMessage, type DesktopBridge, type TalkKeyState } from "../p2p/api/desktop.ts";
import { channels } from "./channels.ts";

/** What the preload uses of the page's window. */
declare const window: { postMessage(data: string, targetOrigin: string, transfer: IpcRendererEvent["ports"]): void };

/** Links that came before the page asked for them. */
let waiting: string[] = [];
const listeners = new Set<(link: string) => void>();

ipcRenderer.on(channels.link, (_event, link: string) => {
  if (listeners.size === 0) waiting.push(link);
  for (const listener of listeners) listener(link);
});

ipcRenderer.on(channels.port, (event) => {
  // A port cannot cross the bridge; it can be posted to the page's own origin, which is what "/" says.
  window.postMessage(desktopPortMessage, "/", event.ports);
});

// Nothing of Electron itself crosses: no event object, no channel name of the page's choice.
const bridge: DesktopBridge = {
  connect: () => ipcRenderer.send(channels.connect),
  onLink: (listener) => {
    const hear = (link: string): void => listener(link);
    listeners.add(hear);
    const early = waiting;
    waiting = [];
    early.forEach(hear);
    return () => void listeners.delete(hear);
  },
  onHidden: (listener) => {
    const hear = (_event: IpcRendererEvent, hidden: boolean): void => listener(hidden);
    ipcRenderer.on(channels.hidden, hear);
    return () => void ipcRenderer.off(channels.hidden, hear);
  },
  onSleep: (listener) => {
    const hear = (): void => listener();
    ipcRenderer.on(channels.sleep, hear);
    return () => void ipcRenderer.off(channels.sleep, hear);
  },
  setTalkKey: (key) => ipcRenderer.send(channels.setTalkKey, key ?? null),
  onTalkKey: (listener) => {
    const hear = (_event: IpcRendererEvent, state: TalkKeyState): void => listener(state);
    ipcRenderer.on(channels.talkKey, hear);
    return () => void ipcRenderer.off(channels.talkKey, hear);
  },
  wipe: () => ipcRenderer.send(channels.wipe),
  setContentProtection: (protect) => ipcRenderer.send(channels.protect, protect === true),
};

contextBridge.exposeInMainWorld(desktopBridgeName, bridge);
