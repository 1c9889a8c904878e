import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { hasDisplay, type Surroundings } from "../shell/browser.ts";
import type { ExitCode } from "./life.ts";
import { projectFolder } from "./window-build.ts";

/** The built main process. */
const mainFile = join(projectFolder, "dist", "electron", "main.js");
/** How long fetching the binary may take, once per installation: 110 MB at 10 Mbit/s. */
const fetchMsMax = 90_000;

/** Whether the window can open in Electron, and if not, why, as the end of a sentence. */
export type ElectronSituation =
  | { readonly program: string; readonly main: string; readonly reason?: undefined }
  | { readonly program?: undefined; readonly reason: string };

/** Looks for Electron's binary, and fetches it with Electron's own installer when there is a display to use it on. */
export async function electronSituation(
  surroundings: Surroundings,
  isWanted: boolean,
  main: string = mainFile,
): Promise<ElectronSituation> {
  if (!isWanted) return { reason: "it was asked not to open a window" };
  if (!hasDisplay(surroundings)) return { reason: "there is no display here" };
  const folder = electronFolder();
  if (folder === undefined) return { reason: "Electron is not installed" };
  if (!existsSync(main)) return { reason: "its Electron part is not built" };
  const program = (await binaryIn(folder)) ?? ((await fetchBinary(folder)) ? await binaryIn(folder) : undefined);
  return program === undefined ? { reason: "Electron's binary cannot be had" } : { program, main };
}

/** Runs the window in Electron until it is closed. */
export async function runElectron(
  { program, main }: { readonly program: string; readonly main: string },
  interrupted: AbortSignal,
): Promise<ExitCode> {
  const child = spawn(program, [main], { stdio: "inherit" });
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

async function fetchBinary(folder: string): Promise<boolean> {
  const child = spawn(process.execPath, [join(folder, "install.js")], { stdio: "ignore" });
  const timer = setTimeout(() => child.kill("SIGKILL"), fetchMsMax);
  const ok = await new Promise<boolean>((resolve) => {
    child.once("error", () => resolve(false));
    child.once("exit", (code) => resolve(code === 0));
  });
  clearTimeout(timer);
  return ok;
}
