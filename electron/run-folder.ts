import { lstatSync, mkdirSync, mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { App } from "electron";

/** Where this run may write. Nothing a person did is meant to be in it, and nothing of it outlives the run. */
export interface RunFolder {
  /** Removes it. Never throws; what is still in use is removed by the next run. */
  wipe(): void;
}

/** Folders of earlier runs that were killed begin so. */
const runPrefix = "run-";

/**
 * Takes the place of the one running app of this person and gives Chromium a fresh folder; undefined when another
 * instance runs, which is told our arguments. To be called before the app is ready.
 *
 * The lock has to be at the same place each time, so it goes into a small folder of its own; everything else that
 * Chromium insists on writing goes into a folder made for this run.
 */
export function takeRunFolder(
  app: App,
  environment: Readonly<Record<string, string | undefined>>,
): RunFolder | undefined {
  const home = openHome(environment);
  const base = home ?? mkdtempSync(join(tmpdir(), "teahouse-"));
  app.setPath("userData", base);
  if (!app.requestSingleInstanceLock()) {
    if (home === undefined) wipe(base);
    return undefined;
  }
  for (const name of readdirSync(base)) if (name.startsWith(runPrefix)) wipe(join(base, name));
  const run = mkdtempSync(join(base, runPrefix));
  for (const name of ["userData", "sessionData", "crashDumps"] as const) app.setPath(name, run);
  return {
    wipe: () => {
      wipe(run);
      if (home === undefined) wipe(base);
    },
  };
}

/**
 * A folder at a fixed place that is ours alone: in memory where the system has such a place (Linux), else among this
 * person's temporary files. Undefined when somebody else made it first: they could then read what a second
 * instance passes on, and that may be an invite.
 */
function openHome(environment: Readonly<Record<string, string | undefined>>): string | undefined {
  const uid = process.getuid?.();
  const { XDG_RUNTIME_DIR: runtime } = environment;
  const path = runtime ? join(runtime, "teahouse") : join(tmpdir(), uid === undefined ? "teahouse" : `teahouse-${uid}`);
  try {
    mkdirSync(path, { recursive: true, mode: 0o700 });
    const found = lstatSync(path);
    // Windows keeps temporary files per person and has no such owners and modes.
    const ours = found.isDirectory() && (uid === undefined || (found.uid === uid && (found.mode & 0o077) === 0));
    return ours ? path : undefined;
  } catch {
    return undefined;
  }
}

function wipe(path: string): void {
  try {
    rmSync(path, { recursive: true, force: true, maxRetries: 2 });
  } catch {
    // Still in use: removed at the next start.
  }
}
