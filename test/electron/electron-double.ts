import { type ChildProcess, fork } from "node:child_process";
import { EventEmitter } from "node:events";
import { fileURLToPath } from "node:url";
import type { BrowserWindowConstructorOptions, CustomScheme, MenuItemConstructorOptions } from "electron";
import type { DesktopElectron } from "../../electron/desktop.ts";
import { MessageChannelMainDouble, type MessagePortMainDouble } from "./channel-double.ts";
import { type PageDouble, openPage } from "./page-double.ts";
import type { FromChild, FromParent } from "./utility-process.ts";

type Handler = (...args: never[]) => unknown;

/** An event of Electron's that somebody may prevent. */
export class PreventableEvent {
  isPrevented = false;

  preventDefault(): void {
    this.isPrevented = true;
  }
}

/** Emits an event that may be prevented, and says whether it was. */
export function emitPreventable(emitter: EventEmitter, name: string, ...args: unknown[]): boolean {
  const event = new PreventableEvent();
  emitter.emit(name, event, ...args);
  return event.isPrevented;
}

/** `app`: becomes ready when told, and quits the way Electron does. */
export class AppDouble extends EventEmitter {
  isPackaged = false;
  locale = "en-US";
  /** Whether another instance holds the lock. */
  isSecond = false;
  /** Names of calls whose order matters, and `quit`, `exit`. */
  readonly calls: string[] = [];
  readonly paths = new Map<string, string>();
  readonly switches = new Set<string>();
  /** Those that a person can see. */
  readonly windows: WindowDouble[] = [];
  readonly hiddenWindows: WindowDouble[] = [];
  readonly whenQuit: Promise<number>;
  exitCode: number | undefined;
  readonly commandLine = {
    appendSwitch: (name: string) => void this.switches.add(name),
    removeSwitch: (name: string) => void this.switches.delete(name),
  };
  readonly #ready: Promise<void>;
  #tellReady: () => void = () => undefined;

  constructor() {
    super();
    this.#ready = new Promise((resolve) => (this.#tellReady = resolve));
    this.whenQuit = new Promise((resolve) => this.once("quit", (_event, code: number) => resolve(code)));
  }

  enableSandbox(): void {
    this.calls.push("enableSandbox");
  }

  setPath(name: string, path: string): void {
    this.calls.push(`setPath ${name}`);
    this.paths.set(name, path);
  }

  requestSingleInstanceLock(): boolean {
    this.calls.push("requestSingleInstanceLock");
    return !this.isSecond;
  }

  whenReady(): Promise<void> {
    return this.#ready;
  }

  becomeReady(): void {
    this.calls.push("ready");
    this.#tellReady();
  }

  getLocale(): string {
    return this.locale;
  }

  quit(): void {
    this.calls.push("quit");
    if (this.exitCode !== undefined || emitPreventable(this, "before-quit")) return;
    for (const window of [...this.windows, ...this.hiddenWindows]) if (!window.close({ isQuitting: true })) return;
    this.exit(0);
  }

  exit(code: number): void {
    if (this.exitCode !== undefined) return;
    this.calls.push("exit");
    this.exitCode = code;
    this.emit("quit", new PreventableEvent(), code);
  }
}

/** `session.fromPartition(…)`: keeps what was set, so that a test can ask it. */
export class SessionDouble extends EventEmitter {
  readonly partition: string;
  readonly options: unknown;
  /** What was handed to each `set…` and `handle`, by its name. */
  readonly handlers = new Map<string, Handler>();
  readonly values = new Map<string, unknown>();
  readonly protocol = { handle: (scheme: string, handler: Handler) => this.#keep(`protocol ${scheme}`, handler) };
  readonly webRequest = { onBeforeRequest: (handler: Handler) => this.#keep("onBeforeRequest", handler) };

  constructor(partition: string, options: unknown) {
    super();
    this.partition = partition;
    this.options = options;
  }

  setPermissionRequestHandler = (handler: Handler): void => this.#keep("permissionRequest", handler);
  setPermissionCheckHandler = (handler: Handler): void => this.#keep("permissionCheck", handler);
  setDevicePermissionHandler = (handler: Handler): void => this.#keep("devicePermission", handler);
  setDisplayMediaRequestHandler = (handler: unknown): void => void this.values.set("displayMedia", handler);
  setProxy = (config: unknown): Promise<void> => {
    this.values.set("proxy", config);
    return Promise.resolve();
  };
  getUserAgent = (): string =>
    "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) teahouse/0.1.0 Chrome/142.0.7444.52 Electron/39.1.0 Safari/537.36";
  setUserAgent = (text: string): void => void this.values.set("userAgent", text);
  setCertificateVerifyProc = (handler: Handler): void => this.#keep("certificateVerify", handler);
  setSpellCheckerEnabled = (enabled: boolean): void => void this.values.set("spellChecker", enabled);
  setSpellCheckerLanguages = (languages: string[]): void => void this.values.set("spellCheckerLanguages", languages);

  #keep(name: string, handler: Handler): void {
    this.handlers.set(name, handler);
  }
}

/** The contents of a window. What main sends goes to the page that `openPage` made of it. */
export class ContentsDouble extends EventEmitter {
  readonly mainFrame = { url: "" };
  readonly values = new Map<string, unknown>();
  page: PageDouble | undefined;

  setWindowOpenHandler(handler: Handler): void {
    this.values.set("windowOpen", handler);
  }

  setWebRTCIPHandlingPolicy(policy: string): void {
    this.values.set("webrtcPolicy", policy);
  }

  postMessage(channel: string, _message: unknown, ports: readonly MessagePortMainDouble[]): void {
    this.page?.receive(channel, { ports: ports.map(({ raw }) => raw) });
  }

  send(channel: string, ...args: unknown[]): void {
    this.page?.receive(channel, { ports: [] }, ...args);
  }
}

/** A window. */
export class WindowDouble extends EventEmitter {
  readonly options: BrowserWindowConstructorOptions;
  readonly webContents = new ContentsDouble();
  readonly loaded: string[] = [];
  isShown = false;
  isProtected = false;
  readonly #app: AppDouble;
  readonly #siblings: WindowDouble[];

  constructor(app: AppDouble, options: BrowserWindowConstructorOptions) {
    super();
    this.options = options;
    this.#app = app;
    this.#siblings = options.skipTaskbar === true ? app.hiddenWindows : app.windows;
    this.#siblings.push(this);
    app.emit("web-contents-created", {}, this.webContents);
  }

  loadURL(url: string): Promise<void> {
    this.loaded.push(url);
    this.webContents.mainFrame.url = url;
    this.emit("ready-to-show");
    return Promise.resolve();
  }

  isMinimized(): boolean {
    return false;
  }

  focus(): void {
    this.show();
  }

  show(): void {
    if (this.isShown) return;
    this.isShown = true;
    this.emit("show");
  }

  hide(): void {
    if (!this.isShown) return;
    this.isShown = false;
    this.emit("hide");
  }

  setContentProtection(protect: boolean): void {
    this.isProtected = protect;
  }

  /** What the cross in its corner does; false when that was prevented. */
  close({ isQuitting = false } = {}): boolean {
    if (emitPreventable(this, "close")) return false;
    this.#end(isQuitting);
    return true;
  }

  destroy(): void {
    this.#end(false);
  }

  #end(isQuitting: boolean): void {
    const place = this.#siblings.indexOf(this);
    if (place < 0) return;
    this.#siblings.splice(place, 1);
    this.emit("closed");
    const isLast = this.#app.windows.length === 0 && this.#app.hiddenWindows.length === 0;
    if (isLast && !isQuitting) this.#app.emit("window-all-closed");
  }
}

/** An icon beside the clock. */
export class TrayDouble extends EventEmitter {
  toolTip = "";
  menu: readonly MenuItemConstructorOptions[] = [];
  isDestroyed = false;

  setToolTip(text: string): void {
    this.toolTip = text;
  }

  setContextMenu(menu: readonly MenuItemConstructorOptions[]): void {
    this.menu = menu;
  }

  destroy(): void {
    this.isDestroyed = true;
  }
}

/** A utility process, as main sees it. */
export interface ChildDouble extends EventEmitter {
  postMessage(data: unknown, ports: readonly MessagePortMainDouble[]): void;
  kill(): boolean;
}

/** A utility process that is a Node process. */
class NodeChild extends EventEmitter implements ChildDouble {
  readonly #process: ChildProcess;

  constructor(script: string) {
    super();
    const runner = fileURLToPath(new URL("./utility-process.ts", import.meta.url));
    this.#process = fork(runner, [script], { serialization: "advanced", execArgv: [] });
    this.#process.on("exit", (code) => this.emit("exit", code));
  }

  postMessage(data: unknown, ports: readonly MessagePortMainDouble[]): void {
    const send = (packet: FromParent): void => void (this.#process.connected && this.#process.send(packet));
    this.#process.on("message", (message) => {
      const { port, data: said } = message as FromChild;
      ports[port]?.raw.postMessage(said);
    });
    for (const [port, { raw }] of ports.entries()) {
      this.#process.on("disconnect", () => raw.close());
      raw.on("message", (message: unknown) => send({ kind: "message", port, data: message }));
      raw.on("close", () => send({ kind: "close", port }));
    }
    send({ kind: "setup", ports: ports.length, data });
  }

  kill(): boolean {
    return this.#process.kill("SIGKILL");
  }
}

/** Electron, as much of it as the app uses, with what a test may look at. */
export interface ElectronDouble {
  readonly electron: DesktopElectron;
  readonly app: AppDouble;
  readonly ipcMain: EventEmitter;
  readonly sessions: SessionDouble[];
  readonly trays: TrayDouble[];
  readonly children: ChildDouble[];
  readonly schemes: CustomScheme[];
  readonly errorBoxes: string[];
  /** Templates of application menus; null: none. */
  readonly menus: unknown[];
  /** Blockers of sleep that hold. */
  readonly blockers: Set<number>;
  /** Keys taken from other programs, with what a press of each does; and those that the system gives to nobody. */
  readonly shortcuts: Map<string, () => void>;
  readonly refusedKeys: Set<string>;
  /** Tells that the computer sleeps, or its screen is locked. */
  readonly powerMonitor: EventEmitter;
  /** Runs the built preload in the newest window, and gives what a page would see. */
  openPage(preload: string): PageDouble;
  /** The same in the hidden window. */
  openLender(preload: string): PageDouble;
}

/** Makes one. `spawn` stands in for `utilityProcess.fork`; default: a Node process. */
export function createElectronDouble(
  spawn: (script: string) => ChildDouble = (script) => new NodeChild(script),
): ElectronDouble {
  const app = new AppDouble();
  const ipcMain = new EventEmitter();
  const lists = { sessions: [] as SessionDouble[], trays: [] as TrayDouble[], children: [] as ChildDouble[] };
  const seen = { schemes: [] as CustomScheme[], errorBoxes: [] as string[], menus: [] as unknown[] };
  const blockers = new Set<number>();
  const shortcuts = new Map<string, () => void>();
  const refusedKeys = new Set<string>();
  const powerMonitor = new EventEmitter();
  const pieces = {
    app,
    ipcMain,
    BrowserWindow: class extends WindowDouble {
      constructor(options: BrowserWindowConstructorOptions) {
        super(app, options);
      }
    },
    Tray: class extends TrayDouble {
      constructor() {
        super();
        lists.trays.push(this);
      }
    },
    globalShortcut: {
      register: (key: string, press: () => void) => {
        if (refusedKeys.has(key)) return false;
        shortcuts.set(key, press);
        return true;
      },
      unregister: (key: string) => void shortcuts.delete(key),
    },
    Menu: {
      buildFromTemplate: (template: unknown) => template,
      setApplicationMenu: (menu: unknown) => void seen.menus.push(menu),
    },
    MessageChannelMain: MessageChannelMainDouble,
    dialog: { showErrorBox: (_title: string, text: string) => void seen.errorBoxes.push(text) },
    nativeImage: { createFromPath: (path: string) => ({ path, setTemplateImage: () => undefined }) },
    powerMonitor,
    powerSaveBlocker: {
      start: () => {
        blockers.add(blockers.size);
        return blockers.size - 1;
      },
      stop: (id: number) => blockers.delete(id),
    },
    protocol: { registerSchemesAsPrivileged: (schemes: CustomScheme[]) => void seen.schemes.push(...schemes) },
    session: {
      fromPartition: (partition: string, options: unknown) => {
        const session = new SessionDouble(partition, options);
        lists.sessions.push(session);
        return session;
      },
    },
    systemPreferences: { askForMediaAccess: () => Promise.resolve(true) },
    utilityProcess: {
      fork: (script: string) => {
        const child = spawn(script);
        lists.children.push(child);
        return child;
      },
    },
  };
  const openIn = (window: WindowDouble | undefined, preload: string): PageDouble => {
    const contents = window?.webContents;
    if (contents === undefined) throw new Error("no window is open");
    contents.page = openPage(preload, contents, ipcMain);
    return contents.page;
  };
  return {
    electron: pieces as unknown as DesktopElectron,
    app,
    ipcMain,
    ...lists,
    ...seen,
    blockers,
    shortcuts,
    refusedKeys,
    powerMonitor,
    openPage: (preload) => openIn(app.windows.at(-1), preload),
    openLender: (preload) => openIn(app.hiddenWindows.at(-1), preload),
  };
}
