import { existsSync } from "node:fs";
import { join } from "node:path";
import type {
  App,
  Dialog,
  GlobalShortcut,
  Menu,
  MessageChannelMain,
  PowerMonitor,
  PowerSaveBlocker,
  Protocol,
  SystemPreferences,
} from "electron";
import type { EngineProcessSetup } from "../p2p/engine-service.ts";
import { Seat } from "../p2p/port/seat.ts";
import { type PortServer, servePort } from "../p2p/port/server.ts";
import { createSupervisor, type Supervisor } from "../p2p/supervisor.ts";
import { type ChildElectron, startEngineChild } from "./engine-child.ts";
import { LendingWindow } from "./lending-window.ts";
import { LinkQueue, linkOfArguments, readLink } from "./links.ts";
import { pageScheme } from "./page.ts";
import { guardContents } from "./permissions.ts";
import { portOverMain } from "./ports.ts";
import { quieten } from "./quiet.ts";
import { type RunFolder, takeRunFolder } from "./run-folder.ts";
import { TrayIcon, type TrayElectron, type Work } from "./tray.ts";
import { type TalkKeyTimers, TalkKeyWatch } from "./talk-key.ts";
import { WipeKey } from "./wipe-key.ts";
import { Screen, type ScreenElectron } from "./windows.ts";
import { wordsFor } from "./words.ts";

/** What of Electron's main process the app uses. */
export interface DesktopElectron extends ScreenElectron, ChildElectron, TrayElectron {
  readonly app: App;
  readonly dialog: Pick<Dialog, "showErrorBox">;
  readonly globalShortcut: Pick<GlobalShortcut, "register" | "unregister">;
  readonly Menu: typeof Menu;
  readonly MessageChannelMain: typeof MessageChannelMain;
  readonly powerMonitor: PowerMonitor;
  readonly powerSaveBlocker: Pick<PowerSaveBlocker, "start" | "stop">;
  readonly protocol: Pick<Protocol, "registerSchemesAsPrivileged">;
  readonly systemPreferences: Pick<SystemPreferences, "askForMediaAccess">;
}

/** What the app finds around it. */
export interface Surroundings {
  /** Folder of the built main process, with preload, peer-process and the icon's images beside it. */
  readonly folder: string;
  /** Folder of the built page. */
  readonly page: string;
  readonly platform: NodeJS.Platform;
  readonly argv: readonly string[];
  readonly environment: Readonly<Record<string, string | undefined>>;
}

/** An engine that dials by itself and listens only when the person hosts without a relay or volunteers. */
const engineSetup: EngineProcessSetup = { profile: "auto", listen: [], bootstrap: [], dht: true };

/** Starts the app, or hands our link to the one that runs already. To be called at once, before the app is ready. */
export function startDesktop(electron: DesktopElectron, surroundings: Surroundings): void {
  const { app } = electron;
  app.enableSandbox();
  electron.protocol.registerSchemesAsPrivileged([pageScheme]);
  quieten(app);
  guardContents(app);
  const runFolder = takeRunFolder(app, surroundings.environment);
  if (runFolder === undefined) return app.quit();
  const desktop = new Desktop(electron, surroundings, runFolder);
  void app.whenReady().then(() => desktop.open());
}

const realTimers: TalkKeyTimers = {
  now: () => performance.now(),
  after: (ms, run) => {
    const timer = setTimeout(run, ms);
    return () => clearTimeout(timer);
  },
};

/** The life of the app: one engine, the hidden window that lends it its network, at most one visible window, and an icon while something goes on. */
class Desktop {
  readonly #electron: DesktopElectron;
  readonly #surroundings: Surroundings;
  readonly #links = new LinkQueue();
  readonly #supervisor: Supervisor;
  readonly #seat = new Seat();
  readonly #talkKey: TalkKeyWatch;
  readonly #wipeKey: WipeKey;
  #screen: Screen | undefined;
  #lender: LendingWindow | undefined;
  #tray: TrayIcon | undefined;
  #served: PortServer | undefined;
  #work: Work = { inRoom: false, relaying: false };
  #awake: number | undefined;
  /** The window is out of sight, and with it the microphone is muted. */
  #isMuted = false;
  #isEngineGone = false;
  #farewell: "none" | "under way" | "said" = "none";

  constructor(electron: DesktopElectron, surroundings: Surroundings, runFolder: RunFolder) {
    this.#electron = electron;
    this.#surroundings = surroundings;
    const script = join(surroundings.folder, "peer-process.js");
    this.#supervisor = createSupervisor(() => startEngineChild(electron, script, engineSetup));
    this.#talkKey = new TalkKeyWatch(electron.globalShortcut, realTimers, (state) => this.#screen?.sendTalkKey(state));
    this.#wipeKey = new WipeKey(electron.globalShortcut, () => this.#wipe());
    const { app } = electron;
    this.#takeLink(linkOfArguments(surroundings.argv));
    app.on("second-instance", (_event, argv) => this.#show(linkOfArguments(argv)));
    app.on("open-url", (event, url) => {
      event.preventDefault();
      this.#show(readLink(url));
    });
    app.on("activate", () => this.#show(undefined));
    // Which windows there are says nothing: one is hidden, and opened again whenever it is gone.
    app.on("window-all-closed", () => undefined);
    app.on("before-quit", (event) => this.#sayFarewell(event));
    app.on("quit", () => runFolder.wipe());
  }

  /** Opens the window and starts the engine. Once, when the app is ready. */
  open(): void {
    const { app, Menu: menu, dialog } = this.#electron;
    const { folder, page, platform } = this.#surroundings;
    const words = wordsFor(app.getLocale());
    if (!existsSync(join(page, "index.html"))) {
      dialog.showErrorBox("Teahouse", words.notBuilt);
      return app.exit(1);
    }
    // Who locked the screen, or shut the computer, is not there to let go of a key.
    const { powerMonitor } = this.#electron;
    powerMonitor.on("suspend", () => {
      this.#talkKey.letGo();
      this.#screen?.sendSleep();
    });
    powerMonitor.on("lock-screen", () => this.#talkKey.letGo());
    const isMac = platform === "darwin";
    // Without a menu, macOS knows no keys for copying and pasting; elsewhere a menu is only in the way.
    menu.setApplicationMenu(
      isMac ? menu.buildFromTemplate([{ role: "appMenu" }, { role: "editMenu" }, { role: "windowMenu" }]) : null,
    );
    this.#screen = new Screen(this.#electron, {
      preload: join(folder, "preload.cjs"),
      page,
      packaged: app.isPackaged,
      system: isMac ? this.#electron.systemPreferences : undefined,
      staysOnClose: () => this.#work.inRoom && this.#farewell === "none",
      onConnect: () => this.#connect(),
      onTalkKey: (key) => this.#talkKey.choose(key),
      onWipe: () => this.#wipe(),
      onGone: () => this.#disconnect(),
      onHidden: (hidden) => {
        this.#isMuted = hidden;
        this.#tray?.update(this.#work, { isMuted: hidden });
      },
      onClosed: () => {
        if (this.#farewell === "none") this.#quitWhenIdle();
      },
    });
    const image = join(folder, isMac ? "tray-template.png" : "tray.png");
    this.#tray = new TrayIcon(this.#electron, image, words, {
      open: () => this.#show(undefined),
      quit: () => app.quit(),
    });
    this.#runEngine();
    this.#screen.show();
    this.#openLender();
  }

  #openLender(): void {
    const { folder, page } = this.#surroundings;
    const lender = new LendingWindow(this.#electron, {
      preload: join(folder, "preload.cjs"),
      page,
      packaged: this.#electron.app.isPackaged,
      hopPort: () => this.#supervisor.openHop(),
      onConnect: () => {
        const { port1, port2 } = new this.#electron.MessageChannelMain();
        this.#supervisor.lend(portOverMain(port1), { byHop: true });
        lender.sendPort(port2);
      },
    });
    this.#lender = lender;
    // Without its hop it would go past the person's proxy; so there is no network then, which the window says.
    lender.open().catch(() => undefined);
  }

  #runEngine(): void {
    const gone = (): void => {
      this.#isEngineGone = true;
      this.#served?.close("engine-gone");
      this.#look();
    };
    this.#supervisor.engine.subscribe(({ event }) => {
      if (event === "joined" || event === "left" || event === "card") this.#look();
      // As at its first opening: without its hop there is no network, which the window says.
      if (event === "left") this.#lender?.renew().catch(() => undefined);
    });
    this.#supervisor.onBack(() => this.#look());
    this.#supervisor.onGone(gone);
    this.#supervisor.start().catch(gone);
  }

  /** Looks at what the engine does, and shows it. */
  #look(): void {
    const events = this.#supervisor.engine.snapshot().map(({ event }) => event);
    this.#work = { inRoom: events.includes("joined"), relaying: events.includes("card") && !this.#isEngineGone };
    this.#tray?.update(this.#work, { isMuted: this.#isMuted });
    this.#keepAwake(this.#work.inRoom);
    this.#wipeKey.update(this.#work.inRoom || this.#work.relaying);
    // Nothing is left that a person could see, hear or reach.
    if (this.#screen?.isHidden === true) this.#quitWhenIdle();
  }

  #keepAwake(isNeeded: boolean): void {
    const { powerSaveBlocker } = this.#electron;
    if (isNeeded) this.#awake ??= powerSaveBlocker.start("prevent-app-suspension");
    else if (this.#awake !== undefined) {
      powerSaveBlocker.stop(this.#awake);
      this.#awake = undefined;
    }
  }

  #connect(): void {
    // A page that was loaded again may ask before its old port is known to be closed.
    this.#served?.close("replaced");
    const { port1, port2 } = new this.#electron.MessageChannelMain();
    this.#served = servePort(portOverMain(port1), this.#supervisor.engine, { rights: "window", seat: this.#seat });
    if (this.#isEngineGone) this.#served.close("engine-gone");
    this.#screen?.sendPort(port2);
    this.#links.deliverTo((link) => this.#screen?.sendLink(link));
  }

  #disconnect(): void {
    this.#talkKey.choose(undefined);
    this.#links.deliverTo(undefined);
    this.#served?.close("local");
    this.#served = undefined;
  }

  #show(link: string | undefined): void {
    this.#takeLink(link);
    this.#screen?.show();
  }

  #takeLink(link: string | undefined): void {
    if (link !== undefined) this.#links.push(link);
  }

  #quitWhenIdle(): void {
    if (!this.#work.inRoom && !this.#work.relaying) this.#electron.app.quit();
  }

  /** Nothing is asked and nothing left: the windows first, then the engine's process with all it knew, the run's folder, and the app. */
  #wipe(): void {
    if (this.#farewell !== "none") return;
    this.#farewell = "said";
    this.#wipeKey.update(false);
    this.#talkKey.choose(undefined);
    this.#screen?.destroy();
    // The goodbye still goes by the window that lends its network.
    void this.#supervisor.engine.wipe().finally(() => {
      this.#lender?.close();
      void this.#supervisor.stop();
      this.#electron.app.exit(0);
    });
  }

  /** Leaves the room properly before the app ends; the supervisor bounds how long that takes. */
  #sayFarewell(event: { preventDefault(): void }): void {
    if (this.#farewell === "said") return;
    event.preventDefault();
    if (this.#farewell === "under way") return;
    this.#farewell = "under way";
    void this.#supervisor.stop().finally(() => {
      this.#farewell = "said";
      this.#lender?.close();
      this.#electron.app.quit();
    });
  }
}
