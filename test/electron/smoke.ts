import { execFileSync } from "node:child_process";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { _electron, type ElectronApplication, type Page } from "playwright-core";
import { desktopBridgeName, desktopPortMessage } from "../../p2p/api/desktop.ts";

/**
 * `npm run smoke:electron`: starts the app in the real Electron and looks at what the doubles of the other tests take for
 * granted. For machines that have Electron's program and a display; says so and fails on others.
 */

const root = fileURLToPath(new URL("../..", import.meta.url));

/** Where Electron's program is, without fetching it; undefined when it is not installed. */
function findElectron(): string | undefined {
  const folder = process.env["ELECTRON_OVERRIDE_DIST_PATH"] ?? join(root, "node_modules", "electron", "dist");
  const note = join(root, "node_modules", "electron", "path.txt");
  const program = join(folder, existsSync(note) ? readFileSync(note, "utf8").trim() : "electron");
  return existsSync(program) ? program : undefined;
}

/** What is missing, as a sentence; undefined when nothing is. */
function whatIsMissing(): string | undefined {
  if (findElectron() === undefined) {
    return "Electron's program is not installed, so nothing was tried. To get it: npx install-electron";
  }
  const hasDisplay = process.env["DISPLAY"] !== undefined || process.env["WAYLAND_DISPLAY"] !== undefined;
  if (process.platform === "linux" && !hasDisplay) {
    return "There is no display, so nothing was tried. With Xvfb: xvfb-run npm run smoke:electron";
  }
  if (!existsSync(join(root, "dist", "renderer", "index.html"))) {
    return "The window is not built, so nothing was tried. To build it: npm run build";
  }
  return undefined;
}

type Check = (app: ElectronApplication, page: Page) => Promise<unknown>;

/** Each yields true when it is as it should be. */
const checks: Readonly<Record<string, Check>> = {
  "the page is served from our own scheme": async (_app, page) => page.url() === "app://window/index.html",
  "the page is cross-origin isolated": (_app, page) =>
    page.evaluate(() => Reflect.get(globalThis, "crossOriginIsolated") === true),
  "the page has neither Node nor Electron": (_app, page) =>
    page.evaluate(() => !["require", "process", "module", "Buffer"].some((name) => Reflect.has(globalThis, name))),
  "the page has the bridge": (_app, page) =>
    page
      .evaluate((name) => typeof Reflect.get(Reflect.get(globalThis, name) as object, "connect"), desktopBridgeName)
      .then((type) => type === "function"),
  "the window is sandboxed and isolated": (app) =>
    app.evaluate(({ webContents }) => {
      // There, but not in Electron's types.
      const contents = webContents.getAllWebContents()[0] as unknown as {
        getLastWebPreferences(): Readonly<Record<string, unknown>>;
      };
      const { sandbox, contextIsolation, nodeIntegration } = contents.getLastWebPreferences();
      return sandbox === true && contextIsolation === true && nodeIntegration === false;
    }),
  "the engine answers behind its port": (_app, page) =>
    page.evaluate(
      ([bridge, message]) =>
        new Promise<boolean>((resolve) => {
          const target = globalThis as unknown as EventTarget;
          target.addEventListener("message", (event) => {
            const { data, ports } = event as unknown as {
              readonly data: unknown;
              readonly ports: readonly { onmessage: (event: { readonly data: unknown }) => void }[];
            };
            const [port] = ports;
            if (data !== message || port === undefined) return;
            port.onmessage = ({ data: text }) => resolve(String(text).includes('"welcome"'));
          });
          (Reflect.get(globalThis, bridge) as { connect(): void }).connect();
        }),
      [desktopBridgeName, desktopPortMessage] as const,
    ),
  "the page reaches no network": (_app, page) =>
    page.evaluate(() =>
      fetch("https://127.0.0.1:9/").then(
        () => false,
        () => true,
      ),
    ),
  "the page opens no window": (_app, page) =>
    page.evaluate(() => (Reflect.get(globalThis, "open") as (url: string) => unknown)("app://window/") === null),
};

async function run(program: string): Promise<number> {
  execFileSync(process.execPath, [join(root, "electron", "build.ts")]);
  const runtime = mkdtempSync(join(tmpdir(), "teahouse-smoke-"));
  const isRoot = process.getuid?.() === 0;
  const app = await _electron.launch({
    executablePath: program,
    args: [...(isRoot ? ["--no-sandbox"] : []), join(root, "dist", "electron", "main.js")],
    env: { ...(process.env as Record<string, string>), XDG_RUNTIME_DIR: runtime },
  });
  let failed = 0;
  const report = (name: string, isSo: boolean): void => {
    if (!isSo) failed += 1;
    console.log(`${isSo ? "ok    " : "FAILED"} ${name}`);
  };
  const page = await app.firstWindow();
  await page.waitForLoadState();
  for (const [name, check] of Object.entries(checks)) {
    report(name, (await check(app, page).catch(() => false)) === true);
  }
  await app.close();
  const home = join(runtime, "teahouse");
  const left = existsSync(home) ? readdirSync(home).filter((name) => name.startsWith("run-")) : [];
  report("nothing of the run is left on disk", left.length === 0);
  rmSync(runtime, { recursive: true, force: true });
  console.log(`${Object.keys(checks).length + 1 - failed} passed, ${failed} failed`);
  return failed === 0 ? 0 : 1;
}

const missing = whatIsMissing();
const program = findElectron();
if (missing !== undefined || program === undefined) {
  console.error(missing);
  process.exitCode = 1;
} else process.exitCode = await run(program);
