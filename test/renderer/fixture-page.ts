import { once } from "node:events";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { dirname, extname, join, normalize } from "node:path";
import { fileURLToPath } from "node:url";
import react from "@vitejs/plugin-react";
import type { Browser, Page } from "playwright-core";
import { build } from "vite";
import { launchChromium } from "../e2e/chromium.ts";

const fixtureFolder = dirname(fileURLToPath(new URL("./fixture/fixture.tsx", import.meta.url)));

/** What the shell sends along with its pages, as far as it decides what a page can do. */
const policy =
  "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; form-action 'none'";
const types: Readonly<Record<string, string>> = {
  ".html": "text/html; charset=utf-8",
  ".js": "text/javascript",
  ".css": "text/css",
};

/** How a page is to look and behave. */
export interface PageOptions {
  readonly width?: number;
  readonly height?: number;
  readonly dark?: boolean;
  readonly forcedColors?: boolean;
  readonly reducedMotion?: boolean;
  /** Device pixels to one of the page's. */
  readonly scale?: number;
}

/** The window's own code, built and served to a real browser, on a scripted engine. */
export interface FixtureSite {
  /** A fresh page at the first screen. */
  open(options?: PageOptions): Promise<Page>;
  stop(): Promise<void>;
}

/** Builds and serves the fixture and starts a browser. `stop` leaves nothing behind. */
export async function startFixtureSite(): Promise<FixtureSite> {
  const folder = await mkdtemp(join(tmpdir(), "teahouse-fixture-"));
  const entry = join(fixtureFolder, "fixture.html");
  await build({
    root: fixtureFolder,
    configFile: false,
    logLevel: "error",
    plugins: [react()],
    build: { outDir: folder, emptyOutDir: true, target: "chrome140", rollupOptions: { input: entry } },
  });
  const server = createServer((request, response) => {
    const path = normalize(new URL(request.url ?? "/", "http://localhost").pathname);
    const file = join(folder, path === "/" ? "fixture.html" : path);
    readFile(file).then(
      (bytes) => {
        const type = types[extname(file)] ?? "application/octet-stream";
        response.writeHead(200, { "Content-Type": type, "Content-Security-Policy": policy });
        response.end(bytes);
      },
      () => response.writeHead(404).end(),
    );
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
  const browser = await launchChromium();
  return {
    open: (options = {}) => openPage(browser, address, options),
    async stop(): Promise<void> {
      await browser.close();
      server.closeAllConnections();
      server.close();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

async function openPage(browser: Browser, address: string, options: PageOptions): Promise<Page> {
  const context = await browser.newContext({
    viewport: { width: options.width ?? 1280, height: options.height ?? 800 },
    colorScheme: options.dark === true ? "dark" : "light",
    forcedColors: options.forcedColors === true ? "active" : "none",
    reducedMotion: options.reducedMotion === false ? "no-preference" : "reduce",
    deviceScaleFactor: options.scale ?? 1,
    locale: "en-US",
  });
  // A machine that does much else is late with everything.
  context.setDefaultTimeout(120_000);
  const page = await context.newPage();
  await page.goto(address);
  await page.locator("h1").waitFor();
  return page;
}

/** Calls the fixture in the page. Its names and arguments stand in fixture/fixture.tsx. */
export function drive<T = void>(page: Page, name: string, ...given: readonly unknown[]): Promise<T> {
  return page.evaluate(
    ([method, values]) => {
      const { fixture } = globalThis as unknown as { fixture: Record<string, (...values: unknown[]) => unknown> };
      return fixture[method]?.(...(values as unknown[])) as T;
    },
    [name, given] as const,
  );
}
