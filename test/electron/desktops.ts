import { execFileSync } from "node:child_process";
import { EventEmitter } from "node:events";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, afterEach, beforeAll, beforeEach } from "vitest";
import { startDesktop } from "../../electron/desktop.ts";
import { portOverMain } from "../../electron/ports.ts";
import type { Port } from "../../p2p/api/port.ts";
import { portOverMessagePort } from "../../p2p/port/carriers.ts";
import { createPortClient, type PortClient } from "../../p2p/port/client.ts";
import { servePort } from "../../p2p/port/server.ts";
import { EngineDouble } from "../doubles/engine-double.ts";
import type { MessagePortMainDouble } from "./channel-double.ts";
import { type ChildDouble, createElectronDouble, type ElectronDouble } from "./electron-double.ts";
import type { PageDouble } from "./page-double.ts";

/** A built app in a temporary folder. */
export interface BuiltApp {
  /** Main process, preload and peer-process. */
  readonly folder: string;
  /** A page of one file. */
  readonly page: string;
  remove(): void;
}

/** Builds what `npm run dist` packs, or the named parts of it, beside a page of one file. */
export function buildApp(...parts: readonly string[]): BuiltApp {
  const dist = fileURLToPath(new URL("../../dist", import.meta.url));
  mkdirSync(dist, { recursive: true });
  // Within the project, so that the module that is not bundled is found.
  const base = mkdtempSync(join(dist, "test-electron-"));
  const folder = join(base, "electron");
  const page = join(base, "renderer");
  execFileSync(process.execPath, [
    fileURLToPath(new URL("../../electron/build.ts", import.meta.url)),
    folder,
    ...parts,
  ]);
  mkdirSync(page);
  writeFileSync(join(page, "index.html"), "<!doctype html><title>Teahouse</title>");
  return { folder, page, remove: () => rmSync(base, { recursive: true, force: true }) };
}

/** A utility process without a process: an engine double, served as a real one would be. */
class EngineChild extends EventEmitter implements ChildDouble {
  readonly #engine: EngineDouble;
  readonly #onLending: (port: Port) => void;
  #port: MessagePortMainDouble | undefined;

  /** `onLending`: over which it borrows its network. */
  constructor(engine: EngineDouble, onLending: (port: Port) => void) {
    super();
    this.#engine = engine;
    this.#onLending = onLending;
  }

  postMessage(_setup: unknown, [port, lending]: readonly MessagePortMainDouble[]): void {
    if (port === undefined || lending === undefined) throw new Error("the engine was given no channels");
    this.#port = port;
    this.#onLending(portOverMain(lending));
    port.once("close", () => this.emit("exit", 0));
    servePort(portOverMain(port), this.#engine, { rights: "owner" });
  }

  kill(): boolean {
    this.#port?.close();
    return true;
  }
}

/** An app that runs, on doubles of Electron and of the engine. */
export interface RunningDesktop extends ElectronDouble {
  /** Of each engine's process, in the order in which they were started. */
  readonly engines: readonly EngineDouble[];
  /** The engine's ends of the lending ports, in the same order. */
  readonly lendingPorts: readonly Port[];
  /** Opens the page in the newest window. */
  page(): PageDouble;
  /** Opens the page of the hidden window. */
  lender(): PageDouble;
  /** Opens the page, asks for the engine, and waits until it answers. */
  connectPage(): Promise<{ readonly page: PageDouble; readonly client: PortClient }>;
}

/** What a test changes before the app starts. */
export interface DesktopChanges {
  readonly argv?: readonly string[];
  readonly platform?: NodeJS.Platform;
  readonly page?: string;
  prepare?(double: ElectronDouble): void;
  /** Makes the engine of the next process. */
  makeEngine?(): EngineDouble;
}

/** Starts the app on doubles; `runtime` is a folder that is this test's own. */
export function startDouble(built: BuiltApp, runtime: string, changes: DesktopChanges = {}): RunningDesktop {
  const engines: EngineDouble[] = [];
  const lendingPorts: Port[] = [];
  const double = createElectronDouble(() => {
    const engine = changes.makeEngine?.() ?? new EngineDouble();
    engines.push(engine);
    return new EngineChild(engine, (port) => lendingPorts.push(port));
  });
  changes.prepare?.(double);
  startDesktop(double.electron, {
    folder: built.folder,
    page: changes.page ?? built.page,
    platform: changes.platform ?? "linux",
    argv: ["teahouse", ...(changes.argv ?? [])],
    environment: { XDG_RUNTIME_DIR: runtime },
  });
  const page = (): PageDouble => double.openPage(join(built.folder, "preload.cjs"));
  return {
    ...double,
    engines,
    lendingPorts,
    page,
    lender: () => double.openLender(join(built.folder, "preload.cjs")),
    connectPage: async () => {
      const opened = page();
      const client = createPortClient();
      const isOpen = new Promise<void>((resolve) => {
        client.onState((state) => {
          if (state === "open") resolve();
        });
      });
      client.reconnect(portOverMessagePort(await opened.connect()));
      await isOpen;
      return { page: opened, client };
    },
  };
}

/** Waits for something that later turns of the event loop bring about. */
export async function until(isSo: () => boolean): Promise<void> {
  while (!isSo()) await new Promise((resolve) => setImmediate(resolve));
}

/**
 * For the file that makes it: the app, built once; for each of its tests a folder of its own, and an end to whatever app it
 * started.
 */
export class TestDesktops {
  /** The running test's own. */
  runtime = "";
  #built: BuiltApp | undefined;
  #running: RunningDesktop | undefined;

  constructor() {
    beforeAll(() => {
      this.#built = buildApp("main", "preload");
    });
    afterAll(() => this.#built?.remove());
    beforeEach(() => {
      this.runtime = mkdtempSync(join(tmpdir(), "teahouse-runtime-"));
    });
    afterEach(async () => {
      if (this.#running?.app.exitCode === undefined) this.#running?.app.quit();
      await this.#running?.app.whenQuit;
      this.#running = undefined;
      rmSync(this.runtime, { recursive: true, force: true });
    });
  }

  /** Starts the app. */
  start(changes: DesktopChanges = {}): RunningDesktop {
    if (this.#built === undefined) throw new Error("an app is started by a test");
    this.#running = startDouble(this.#built, this.runtime, changes);
    return this.#running;
  }

  /** Starts the app and waits until its window is open. */
  async open(changes: DesktopChanges = {}): Promise<RunningDesktop> {
    const started = this.start(changes);
    started.app.becomeReady();
    await until(() => started.app.windows.length > 0);
    return started;
  }
}
