import { type DesktopBridge, desktopBridgeName, desktopPortMessage } from "../../p2p/api/desktop.ts";

/** What Electron's preload put into this page; undefined in a browser. */
export function findBridge(): DesktopBridge | undefined {
  return (window as unknown as Readonly<Record<string, DesktopBridge | undefined>>)[desktopBridgeName];
}

/** Asks the desktop app for this page's port: the window's leads to the engine, the lending page's to whoever borrows. */
export function askForPort(bridge: DesktopBridge): Promise<MessagePort> {
  return new Promise((resolve) => {
    const take = (event: MessageEvent): void => {
      const [port] = event.ports;
      if (event.source !== window || event.data !== desktopPortMessage || port === undefined) return;
      window.removeEventListener("message", take);
      resolve(port);
    };
    window.addEventListener("message", take);
    bridge.connect();
  });
}
