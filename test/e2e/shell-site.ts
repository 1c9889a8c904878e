import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "vite";

const portFolder = fileURLToPath(new URL("../../p2p/port", import.meta.url));

/** The least page that is a window: its port client is there for a test as `teahouse`. */
const script = `
import { createPortClient } from "${portFolder}/client.ts";
import { portOverWebSocket } from "${portFolder}/carriers.ts";
const connect = () => portOverWebSocket(new WebSocket("ws://" + location.host + "/port"));
globalThis.events = [];
globalThis.teahouse = createPortClient(connect());
globalThis.teahouse.subscribe((event) => globalThis.events.push(event));
`;

/** A built page for the shell to serve. */
export interface BuiltSite {
  readonly folder: string;
  remove(): Promise<void>;
}

/** Builds the page as the window is built. */
export async function buildSite(): Promise<BuiltSite> {
  const root = await mkdtemp(join(tmpdir(), "teahouse-page-"));
  await writeFile(join(root, "main.ts"), script);
  await writeFile(join(root, "index.html"), '<!doctype html><script type="module" src="./main.ts"></script>');
  const folder = join(root, "built");
  await build({
    root,
    logLevel: "error",
    configFile: false,
    build: { outDir: folder, modulePreload: { polyfill: false } },
  });
  return { folder, remove: () => rm(root, { recursive: true }) };
}
