import type { BrowserWindow, MessagePortMain, Session } from "electron";
import { channels } from "./channels.ts";
import { isOwnPage, lendUrl, servePage } from "./page.ts";
import { limitLender } from "./permissions.ts";
import { hardened, type ScreenElectron } from "./windows.ts";

/** How the lending window behaves. */
export interface LendingOptions {
  /** Path of the built preload. */
  readonly preload: string;
  /** Folder of the built pages. */
  readonly page: string;
  readonly packaged: boolean;
  /** The page asks for its end of the lending port. */
  onConnect(): void;
  /** Where on 127.0.0.1 the hop is, by which everything of this window goes. */
  hopPort(): Promise<number>;
}

/** Waits before a window that crashed is opened again, in ms; the last holds for all further ones in a bad spell. */
const waitsMs = [0, 250, 1000, 4000] as const;
/** A spell of crashes is over after this long without one, in ms. */
const spellMs = 60_000;

/** Numbered by rooms. Without `persist:` a partition lives in memory; without a cache nothing of it is spooled to disk either. */
const partition = "teahouse-lend";

/**
 * The hidden window that lends its network to the engine. It outlives the visible one, has a session of its own for each room, and
 * is opened again whenever it is gone.
 */
export class LendingWindow {
  readonly #electron: ScreenElectron;
  readonly #options: LendingOptions;
  #session: Session;
  #sessions = 0;
  #window: BrowserWindow | undefined;
  #crashes: number[] = [];
  #timer: NodeJS.Timeout | undefined;
  #isOver = false;

  /** After the app is ready, once. */
  constructor(electron: ScreenElectron, options: LendingOptions) {
    this.#electron = electron;
    this.#options = options;
    this.#session = this.#newSession();
    electron.ipcMain.on(channels.connect, ({ senderFrame }) => {
      const isOurs = senderFrame !== null && senderFrame === this.#window?.webContents.mainFrame;
      if (isOurs && isOwnPage(senderFrame.url)) options.onConnect();
    });
  }

  /** Opens it. Resolves when that was begun; a session without its proxy is not opened. */
  async open(): Promise<void> {
    const session = this.#session;
    const port = await this.#options.hopPort();
    await session.setProxy({ proxyRules: `socks5://127.0.0.1:${port}` });
    if (!this.#isOver && session === this.#session) this.#show();
  }

  /**
   * Opens it anew, with nothing of before: by cookies and TLS tickets a relay of two rooms would know that the same person was in
   * both.
   */
  async renew(): Promise<void> {
    const before = this.#window;
    this.#window = undefined;
    clearTimeout(this.#timer);
    this.#session = this.#newSession();
    before?.destroy();
    await this.open();
  }

  /** Hands the page its end of the lending port. Closes it when there is no page. */
  sendPort(port: MessagePortMain): void {
    if (this.#window === undefined) port.close();
    else this.#window.webContents.postMessage(channels.port, null, [port]);
  }

  /** Closes it for good. */
  close(): void {
    this.#isOver = true;
    clearTimeout(this.#timer);
    this.#window?.destroy();
  }

  #newSession(): Session {
    const session = this.#electron.session.fromPartition(`${partition}-${++this.#sessions}`, { cache: false });
    limitLender(session);
    session.protocol.handle("app", (request) => servePage(this.#options.page, request));
    return session;
  }

  #show(): void {
    const { preload, packaged } = this.#options;
    const window = new this.#electron.BrowserWindow({
      title: "Teahouse",
      show: false,
      skipTaskbar: true,
      focusable: false,
      webPreferences: hardened(this.#session, { preload, packaged }),
    });
    this.#window = window;
    window.webContents.on("render-process-gone", () => window.destroy());
    window.on("closed", () => this.#gone(window));
    // Rejects when the page crashed or was closed while it loaded; both are heard as events.
    window.loadURL(lendUrl).catch(() => undefined);
  }

  #gone(window: BrowserWindow): void {
    if (this.#window !== window) return;
    this.#window = undefined;
    if (this.#isOver) return;
    const now = performance.now();
    this.#crashes = [...this.#crashes.filter((at) => now - at < spellMs), now];
    const wait = waitsMs[Math.min(this.#crashes.length, waitsMs.length) - 1] ?? 0;
    this.#timer = setTimeout(() => this.#show(), wait);
  }
}
