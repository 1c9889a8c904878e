import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { chromium, type Browser, type Page } from "playwright-core";
import { build } from "vite";
import type { Hop } from "../../p2p/io/proxy/hop.ts";
import { borrow, type Borrower } from "../../p2p/port/borrower.ts";
import { createPortPair } from "../../p2p/port/carriers.ts";
import { LendingDesk } from "../../p2p/port/lending-desk.ts";
import { type Shell, startShell } from "../../p2p/shell/shell.ts";
import { EngineDouble } from "../doubles/engine-double.ts";
import { chromiumProgram, lendingArguments, quietArguments } from "./chromium.ts";

const configFile = fileURLToPath(new URL("../../renderer/vite.config.ts", import.meta.url));

/** The timer that an engine's process gives its borrower. */
export const after = (ms: number, callback: () => void): (() => void) => {
  const timer = setTimeout(callback, ms);
  return () => clearTimeout(timer);
};

/** The window's network as an engine has it: the built window in a real Chromium, over the real shell. */
export class LentNetwork {
  readonly borrower: Borrower;
  readonly page: Page;
  readonly #shell: Shell;
  readonly #browser: Browser;
  readonly #folder: string;

  private constructor(borrower: Borrower, page: Page, shell: Shell, browser: Browser, folder: string) {
    this.borrower = borrower;
    this.page = page;
    this.#shell = shell;
    this.#browser = browser;
    this.#folder = folder;
  }

  /** `hop`: the browser's connections pass it, as they do in a browser that we start. */
  static async start(hop?: Hop): Promise<LentNetwork> {
    const proxy = hop === undefined ? [] : [`--proxy-server=socks5://127.0.0.1:${hop.port}`];
    const folder = await mkdtemp(join(tmpdir(), "teahouse-lend-"));
    const [browser] = await Promise.all([
      chromium.launch({ executablePath: chromiumProgram(), args: [...quietArguments, ...lendingArguments, ...proxy] }),
      build({ configFile, logLevel: "error", build: { outDir: folder, emptyOutDir: true } }),
    ]);
    const engine = new EngineDouble();
    await engine.start();
    const desk = new LendingDesk();
    const [near, far] = createPortPair();
    desk.serve(far);
    const shell = await startShell({
      siteFolder: folder,
      engine,
      onLender: (port) => desk.lend(port, hop),
      onLenderGone: () => desk.dismiss(),
    });
    const page = await browser.newPage();
    page.on("pageerror", (error) => console.error(error));
    const network = new LentNetwork(borrow(near, after), page, shell, browser, folder);
    await page.goto(shell.issueAddress());
    await network.isLent();
    return network;
  }

  /** Resolves when a page lends. */
  async isLent(): Promise<void> {
    while (!this.borrower.hasLender) await new Promise((resolve) => setImmediate(resolve));
  }

  async stop(): Promise<void> {
    await this.#browser.close();
    await this.#shell.stop();
    await rm(this.#folder, { recursive: true, force: true });
  }
}
