import { StrictMode } from "react";
import { createRoot } from "react-dom/client";
import type { DesktopBridge } from "../p2p/api/desktop.ts";
import { portOverMessagePort, portOverWebSocket } from "../p2p/port/carriers.ts";
import { createPortClient } from "../p2p/port/client.ts";
import { browserTimers } from "./audio/browser-timers.ts";
import { createMicrophone } from "./audio/capture/microphone-browser.ts";
import { createSpeakers } from "./audio/playout/speakers-browser.ts";
import { App } from "./model/app.ts";
import { Line, type LinePorts } from "./model/room/line.ts";
import { Scope } from "./model/scope.ts";
import { askForPort, findBridge } from "./net/desktop-port.ts";
import { watchPower } from "./net/power.ts";
import { Lending } from "./net/lend.ts";
import { AppView } from "./ui/app-view.tsx";
import { createLanguage } from "./ui/language.ts";

/** The browser shell: a WebSocket to the server that the page came from. */
const shellPorts: LinePorts = {
  open: () => Promise.resolve(portOverWebSocket(new WebSocket(`ws://${location.host}/port`))),
  look: async () => {
    try {
      const { status } = await fetch("/", { method: "HEAD" });
      return status === 403 ? "refused" : "there";
    } catch {
      return "gone";
    }
  },
};

/** The desktop app: its preload hands over one MessagePort each time it is asked. */
const desktopPorts = (bridge: DesktopBridge): LinePorts => ({
  open: async () => portOverMessagePort(await askForPort(bridge)),
  look: () => Promise.resolve("there"),
});

const bridge = findBridge();
const client = createPortClient();
const line = new Line(client, bridge === undefined ? shellPorts : desktopPorts(bridge), browserTimers, new Scope());
if (bridge === undefined) {
  // In a browser the window itself lends the network, while it has the seat; the desktop app has a page for that.
  const lending = new Lending(() => Promise.resolve({ url: `ws://${location.host}/lend` }));
  line.state.subscribe(() => (line.state.get() === "open" ? lending.start() : lending.stop()));
}
const app = new App({
  engine: client,
  line: line.state,
  takeOver: () => line.takeOver(),
  microphone: createMicrophone(),
  speakers: createSpeakers(),
  keepsake: client,
  talkKey: bridge,
  timers: browserTimers,
  wallClock: Date.now,
  watchPower,
  wipeAround: () => bridge?.wipe(),
  systemLanguages: navigator.languages,
});
bridge?.onLink((link) => app.open(link));
bridge?.onHidden((hidden) => app.voice.setHidden(hidden));
bridge?.onSleep(() => app.voice.sleep());

const root = document.getElementById("root");
if (root === null) throw new Error("the page has no place to draw in");
createRoot(root).render(
  <StrictMode>
    <AppView app={app} language={createLanguage(app.settings.language.get())} />
  </StrictMode>,
);
