import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { hasDisplay, type Surroundings } from "../shell/browser.ts";
import type { ExitCode } from "./life.ts";
import { projectFolder } from "./window-build.ts";

/** The built main process, and what builds it. */
const mainFile = join(projectFolder, "dist", "electron", "main.js");
const buildScript = join(projectFolder, "electron", "build.ts");
/** How long fetching the binary may take, once per installation: 110 MB at 10 Mbit/s. */
const fetchMsMax = 90_000;

/** Whether the window can open in Electron, and if not, why, as the end of a sentence. */
export type ElectronSituation =
  | { readonly program: string; readonly main: string; readonly reason?: undefined }
  | { readonly program?: undefined; readonly reason: string };

/**
 * Looks for Electron's binary, and fetches it with Electron's own installer when there is a display to use it on and
 * ELECTRON_SKIP_BINARY_DOWNLOAD does not forbid it; `note` hears of that beforehand.
 */
export async function electronSituation(
  surroundings: Surroundings,
  note: (message: string) => void,
): Promise<ElectronSituation> {
  if (!hasDisplay(surroundings)) return { reason: "there is no display here" };
  const folder = electronFolder();
  if (folder === undefined) return { reason: "Electron is not installed" };
  let program = await binaryIn(folder);
  if (program === undefined && !surroundings.environment["ELECTRON_SKIP_BINARY_DOWNLOAD"]) {
    note("Fetching Electron, once; where that fails the window opens in a browser.");
    await succeeds([join(folder, "install.js")], fetchMsMax);
    program = await binaryIn(folder);
  }
  if (program === undefined) return { reason: "Electron's binary cannot be had" };
  // Always anew: it takes a second, and what people run is what they have.
  const isBuilt = existsSync(buildScript) ? await succeeds([buildScript]) : existsSync(mainFile);
  return isBuilt ? { program, main: mainFile } : { reason: "its Electron part could not be built" };
}

/** Runs the window in Electron until it is closed. */
export async function runElectron(
  { program, main }: { readonly program: string; readonly main: string },
  interrupted: AbortSignal,
): Promise<ExitCode> {
  // Who wanted it ended while it was fetched and built.
  if (interrupted.aborted) return 0;
  // Its sandbox, like Chromium's, refuses to run as root.
  const asRoot = process.getuid?.() === 0 ? ["--no-sandbox"] : [];
  const child = spawn(program, [...asRoot, main], { stdio: "inherit" });
  interrupted.addEventListener("abort", () => child.kill("SIGTERM"), { once: true });
  return new Promise((resolve) => {
    child.once("error", () => resolve(70));
    child.once("exit", (code) => resolve(code === 0 || interrupted.aborted ? 0 : 70));
  });
}

function electronFolder(): string | undefined {
  try {
    return dirname(createRequire(import.meta.url).resolve("electron/package.json"));
  } catch {
    return undefined;
  }
}

/** The installer writes where in `dist` the program lies. */
async function binaryIn(folder: string): Promise<string | undefined> {
  const path = await readFile(join(folder, "path.txt"), "utf8").catch(() => undefined);
  const program = path === undefined ? undefined : join(folder, "dist", path.trim());
  return program !== undefined && existsSync(program) ? program : undefined;
}

/** Runs a script on this Node, without a word, and says whether it ended well and in time. */
async function succeeds(args: readonly string[], msMax?: number): Promise<boolean> {
  const child = spawn(process.execPath, args, { cwd: projectFolder, stdio: "ignore" });
  const timer = msMax === undefined ? undefined : setTimeout(() => child.kill("SIGKILL"), msMax);
  const ok = await new Promise<boolean>((resolve) => {
    child.once("error", () => resolve(false));
    child.once("exit", (code) => resolve(code === 0));
  });
  clearTimeout(timer);
  return ok;
}
