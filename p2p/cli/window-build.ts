import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { readdir, stat } from "node:fs/promises";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { TeahouseError } from "../api/errors.ts";

/** The project's root. */
export const projectFolder = fileURLToPath(new URL("../..", import.meta.url));
/** Where the built window lies. */
export const siteFolder = join(projectFolder, "dist", "renderer");

/** What the window is made of: when one of these is newer than the build, it is built again. */
const sourceFolders = ["renderer", "p2p/api", "p2p/port", "p2p/core/jitter"];

/** Whether the window must be built: there is none, or its sources are here and newer. */
export async function isBuildStale(folder: string = projectFolder, site: string = siteFolder): Promise<boolean> {
  const built = await timeOf(join(site, "index.html"));
  if (built === undefined) return true;
  const times = await Promise.all(sourceFolders.map((source) => newest(join(folder, source))));
  return Math.max(...times) > built;
}

/**
 * Builds the window, as `npm run build` does. Throws `TeahouseError` `internal` with a sentence when that cannot be
 * done.
 */
export async function buildWindow(): Promise<void> {
  const config = join(projectFolder, "renderer", "vite.config.ts");
  const vite = existsSync(config) ? viteProgram() : undefined;
  if (vite === undefined) {
    throw new TeahouseError("internal", "The window is not built and cannot be built here; please run npm install.");
  }
  const args = [vite, "build", "--config", config, "--logLevel", "error"];
  const code = await new Promise<number | null>((resolve) => {
    const child = spawn(process.execPath, args, { cwd: projectFolder, stdio: ["ignore", "ignore", "inherit"] });
    child.once("error", () => resolve(null));
    child.once("exit", resolve);
  });
  if (code !== 0) throw new TeahouseError("internal", "The window could not be built; npm run build says why.");
}

function viteProgram(): string | undefined {
  try {
    return join(dirname(createRequire(import.meta.url).resolve("vite/package.json")), "bin", "vite.js");
  } catch {
    return undefined;
  }
}

async function newest(folder: string): Promise<number> {
  const entries = await readdir(folder, { withFileTypes: true, recursive: true }).catch(() => []);
  const files = entries.filter((entry) => entry.isFile()).map((entry) => timeOf(join(entry.parentPath, entry.name)));
  return Math.max(0, ...(await Promise.all(files)).map((time) => time ?? 0));
}

async function timeOf(file: string): Promise<number | undefined> {
  return (await stat(file).catch(() => undefined))?.mtimeMs;
}
