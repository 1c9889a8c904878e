import type {
  BrowserWindow,
  BrowserWindowConstructorOptions,
  IpcMain,
  MessagePortMain,
  Session,
  SystemPreferences,
  WebFrameMain,
  WebPreferences,
} from "electron";
import type { TalkKeyState } from "../p2p/api/desktop.ts";
import { channels } from "./channels.ts";
import { isOwnPage, pageUrl, servePage } from "./page.ts";
import { limitPermissions, silenceSession } from "./permissions.ts";

/** What of Electron the screen window is made with. */
export interface ScreenElectron {
  readonly BrowserWindow: typeof BrowserWindow;
  readonly ipcMain: Pick<IpcMain, "on">;
  readonly session: { fromPartition(partition: string, options: { cache: boolean }): Session };
}

/** How the screen window behaves. */
export interface ScreenOptions {
  /** Path of the built preload. */
  readonly preload: string;
  /** Folder of the built page. */
  readonly page: string;
  /** Whether this is an installed app: no tools for developers then. */
  readonly packaged: boolean;
  /** Asks the person for the microphone, where the system itself wants to be asked first (macOS). */
  readonly system: Pick<SystemPreferences, "askForMediaAccess"> | undefined;
  /** Whether closing the window leaves it open out of sight, because a room would fall silent otherwise. */
  staysOnClose(): boolean;
  /** The page is up and asks for the engine. */
  onConnect(): void;
  /** The page is gone, with its window or by a crash. */
  onGone(): void;
  /** The window is out of sight, and its page was told; or it is back. */
  onHidden(hidden: boolean): void;
  /** The page wants this key taken from other programs; whatever it sent. */
  onTalkKey(key: unknown): void;
  /** The page wants everything wiped. */
  onWipe(): void;
  /** The window is closed. */
  onClosed(): void;
}

/** Crashes of the page within a minute after which it is not loaded any more, and the window closed. */
const crashesMax = 3;
const crashWindowMs = 60_000;

/** Without `persist:` a partition lives in memory; without a cache nothing of it is spooled to disk either. */
const partition = "teahouse-screen";

/** Options of the screen window. Several of its web preferences are Electron's defaults, said aloud because a test holds them. */
function windowOptions(options: ScreenOptions, session: Session): BrowserWindowConstructorOptions {
  return {
    title: "Teahouse",
    width: 1080,
    height: 760,
    minWidth: 360,
    minHeight: 520,
    show: false,
    autoHideMenuBar: true,
    // Joining by a link plays without a click in the page.
    webPreferences: { ...hardened(session, options), autoplayPolicy: "no-user-gesture-required" },
  };
}

/** What every page of ours is held to. */
export function hardened(
  session: Session,
  { preload, packaged }: Pick<ScreenOptions, "preload" | "packaged">,
): WebPreferences {
  return {
    session,
    preload,
    sandbox: true,
    contextIsolation: true,
    nodeIntegration: false,
    nodeIntegrationInWorker: false,
    nodeIntegrationInSubFrames: false,
    webSecurity: true,
    allowRunningInsecureContent: false,
    experimentalFeatures: false,
    webviewTag: false,
    plugins: false,
    navigateOnDragDrop: false,
    disableDialogs: true,
    spellcheck: false,
    v8CacheOptions: "none",
    devTools: !packaged,
    // A room goes on in a window that nobody sees, and so does its network.
    backgroundThrottling: false,
  };
}

/** The visible window: opened when wanted, one at a time, loaded again when its page crashes. */
export class Screen {
  readonly #electron: ScreenElectron;
  readonly #options: ScreenOptions;
  readonly #session: Session;
  #window: BrowserWindow | undefined;
  #isHidden = false;
  #crashes: number[] = [];

  /** After the app is ready, once. */
  constructor(electron: ScreenElectron, options: ScreenOptions) {
    this.#electron = electron;
    this.#options = options;
    this.#session = electron.session.fromPartition(partition, { cache: false });
    limitPermissions(this.#session, options.system);
    silenceSession(this.#session);
    this.#session.protocol.handle("app", (request) => servePage(options.page, request));
    electron.ipcMain.on(channels.connect, ({ senderFrame }) => {
      if (this.#isOurs(senderFrame)) options.onConnect();
    });
    electron.ipcMain.on(channels.protect, ({ senderFrame }, protect: unknown) => {
      if (this.#isOurs(senderFrame) && typeof protect === "boolean") this.#window?.setContentProtection(protect);
    });
    electron.ipcMain.on(channels.wipe, ({ senderFrame }) => {
      if (this.#isOurs(senderFrame)) options.onWipe();
    });
    electron.ipcMain.on(channels.setTalkKey, ({ senderFrame }, key: unknown) => {
      if (this.#isOurs(senderFrame)) options.onTalkKey(key);
    });
  }

  /** Whether there is nothing to see: the window is open out of sight, where its sound goes on, or closed. */
  get isHidden(): boolean {
    return this.#isHidden || this.#window === undefined;
  }

  /** Brings the window before the person, opening it if need be. */
  show(): void {
    this.#isHidden = false;
    if (this.#window === undefined) return this.#open();
    if (this.#window.isMinimized()) this.#window.restore();
    this.#window.show();
    this.#window.focus();
  }

  /** Ends the window and its page at once. */
  destroy(): void {
    this.#window?.destroy();
  }

  /** Hands the page a port to the engine. Closes the port when there is no page. */
  sendPort(port: MessagePortMain): void {
    if (this.#window === undefined) port.close();
    else this.#window.webContents.postMessage(channels.port, null, [port]);
  }

  /** Tells the page what became of its talk key. */
  sendTalkKey(state: TalkKeyState): void {
    this.#window?.webContents.send(channels.talkKey, state);
  }

  /** Tells the page that this computer falls asleep. */
  sendSleep(): void {
    this.#window?.webContents.send(channels.sleep);
  }

  /** Hands the page a link. The page must have connected. */
  sendLink(link: string): void {
    this.#window?.webContents.send(channels.link, link);
  }

  #open(): void {
    const window = new this.#electron.BrowserWindow(windowOptions(this.#options, this.#session));
    this.#window = window;
    this.#crashes = [];
    window.once("ready-to-show", () => window.show());
    window.on("close", (event) => {
      if (!this.#options.staysOnClose()) return;
      event.preventDefault();
      this.#isHidden = true;
      window.hide();
    });
    window.on("hide", () => this.#tellHidden(window, true));
    window.on("show", () => this.#tellHidden(window, false));
    window.on("closed", () => {
      this.#window = undefined;
      this.#isHidden = false;
      this.#options.onHidden(true);
      this.#options.onGone();
      this.#options.onClosed();
    });
    window.webContents.on("render-process-gone", () => {
      this.#options.onGone();
      this.#onCrash(window);
    });
    this.#load(window);
  }

  /** A microphone must not stay open where nobody sees that it is. */
  #tellHidden(window: BrowserWindow, hidden: boolean): void {
    window.webContents.send(channels.hidden, hidden);
    this.#options.onHidden(hidden);
  }

  #onCrash(window: BrowserWindow): void {
    const now = performance.now();
    this.#crashes = [...this.#crashes.filter((at) => now - at < crashWindowMs), now];
    if (this.#crashes.length > crashesMax) window.destroy();
    else this.#load(window);
  }

  #load(window: BrowserWindow): void {
    // Rejects when the page crashed or was closed while it loaded; both are heard as events.
    window.loadURL(pageUrl).catch(() => undefined);
  }

  /** Whether a message is from the page itself: our address, in the frame that fills our window. */
  #isOurs(frame: WebFrameMain | null): boolean {
    return frame !== null && frame === this.#window?.webContents.mainFrame && isOwnPage(frame.url);
  }
}
