import type { MessagePortMain } from "electron";
import type { Port } from "../p2p/api/port.ts";
import { portOverEmitter } from "../p2p/port/carriers.ts";

/** A port over one end of Electron's own kind of channel, in the main process or a utility process. */
export function portOverMain(channel: MessagePortMain): Port {
  const port = portOverEmitter({
    emitter: channel,
    messageEvent: "message",
    closeEvent: "close",
    read: (event) => (event as { readonly data: unknown }).data,
    post: (message) => channel.postMessage(message),
    close: () => channel.close(),
  });
  channel.start();
  return port;
}
