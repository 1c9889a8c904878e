import { createServer, type Server } from "node:http";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { extname, join, normalize } from "node:path";
import { fileURLToPath } from "node:url";
import { chromium, type Browser, type Page } from "playwright-core";
import { build } from "vite";
import { wavBytes } from "../io/audio/wav-bytes.ts";

const types: Record<string, string> = { ".html": "text/html", ".js": "text/javascript", ".wasm": "application/wasm" };

/** What a page is let do. */
export interface SoundPageOptions {
  /** What its microphone plays, in a loop. None: it has no microphone. */
  readonly speech?: Float32Array;
  /** Whether the person says yes to the microphone. */
  readonly mayCapture: boolean;
  /** Whether sound may come out without a click. */
  readonly mayPlay: boolean;
  /** Whether threads may share memory. */
  readonly isolated: boolean;
  /** Takes what the page says. */
  readonly onConsole?: (text: string) => void;
  /** `unprocessed`: the browser does not clean and level the microphone; `start`: loudspeakers start by themselves. */
  readonly begin: "processed" | "unprocessed" | "start";
}

/** Built once, served to every page of a test file. */
export class SoundPages {
  readonly #folder: string;
  readonly #servers: Server[] = [];
  readonly #browsers: Browser[] = [];

  private constructor(folder: string) {
    this.#folder = folder;
  }

  /** Builds the page with the real sources of the window. */
  static async build(): Promise<SoundPages> {
    const folder = await mkdtemp(join(tmpdir(), "teahouse-sound-"));
    const entry = fileURLToPath(new URL("./sound-page/page.ts", import.meta.url));
    await build({
      configFile: false,
      root: join(entry, ".."),
      logLevel: "error",
      worker: { format: "es" },
      build: { outDir: join(folder, "page"), target: "chrome140", assetsInlineLimit: 0, emptyOutDir: true },
    });
    return new SoundPages(folder);
  }

  /** A page in a browser of its own. */
  async open(options: SoundPageOptions): Promise<Page> {
    const args = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update"];
    args.push("--disable-sync", "--no-first-run");
    args.push(`--autoplay-policy=${options.mayPlay ? "no-user-gesture" : "document-user-activation"}-required`);
    if (options.speech !== undefined) {
      const file = join(this.#folder, "speech.wav");
      await writeFile(file, wavBytes([options.speech]));
      args.push("--use-fake-device-for-media-stream", `--use-file-for-fake-audio-capture=${file}`);
      if (options.mayCapture) args.push("--use-fake-ui-for-media-stream");
    }
    const browser = await chromium.launch({ executablePath: "/usr/bin/chromium", args });
    this.#browsers.push(browser);
    const page = await browser.newPage();
    // A machine that does much else is late with everything.
    page.setDefaultTimeout(120_000);
    page.on("console", (message) => options.onConsole?.(message.text()));
    await page.goto(`${await this.#serve(options.isolated)}#${options.begin}`);
    // What playwright runs in a page counts as a click: whoever waits for one must not be disturbed.
    if (options.begin !== "start") await page.waitForFunction(() => Reflect.has(globalThis, "harness"));
    return page;
  }

  /** Closes every page: what still talks would disturb the next. */
  async closePages(): Promise<void> {
    await Promise.all(this.#browsers.splice(0).map((browser) => browser.close()));
    for (const server of this.#servers.splice(0)) server.close();
  }

  async close(): Promise<void> {
    await this.closePages();
    await rm(this.#folder, { recursive: true });
  }

  async #serve(isolated: boolean): Promise<string> {
    const server = createServer((request, response) => {
      const path = normalize(new URL(request.url ?? "/", "http://localhost").pathname);
      const file = join(this.#folder, "page", path === "/" ? "index.html" : path);
      if (isolated) {
        response.setHeader("Cross-Origin-Opener-Policy", "same-origin");
        response.setHeader("Cross-Origin-Embedder-Policy", "require-corp");
      }
      // As strict as the window's own policy.
      response.setHeader("Content-Security-Policy", "default-src 'self'; script-src 'self' 'wasm-unsafe-eval'");
      readFile(file).then(
        (bytes) => response.setHeader("Content-Type", types[extname(file)] ?? "application/octet-stream").end(bytes),
        () => response.writeHead(404).end(),
      );
    });
    this.#servers.push(server);
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    return `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
  }
}
