import { registerHooks } from "node:module";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { portOverMessagePort } from "../../p2p/port/carriers.ts";
import { createPortClient, type PortClient } from "../../p2p/port/client.ts";

/**
 * `node built-app.ts FOLDER`: runs the built main process under plain Node, with a double for the module `electron` and
 * a real engine in a real process, and lives one day with it. Prints one JSON line for each thing that came to be.
 */

const double = new URL("./electron-module.ts", import.meta.url).href;
registerHooks({
  resolve: (specifier, context, next) =>
    specifier === "electron" ? { url: double, shortCircuit: true } : next(specifier, context),
});

const [folder = ""] = process.argv.slice(2);
const { double: electron } = await import("./electron-module.ts");
const say = (line: object): void => console.log(JSON.stringify(line));

/** Resolves at the next `ready` of an engine. */
function nextReady(client: PortClient): Promise<string> {
  return new Promise((resolve) => {
    const unsubscribe = client.subscribe((event) => {
      if (event.event !== "ready") return;
      unsubscribe();
      resolve(event.version);
    });
  });
}

await import(pathToFileURL(join(folder, "main.js")).href);
electron.app.becomeReady();
await new Promise((resolve) => setImmediate(resolve));
say({ event: "window", loaded: electron.app.windows[0]?.loaded });

const client = createPortClient();
const first = nextReady(client);
client.reconnect(portOverMessagePort(await electron.openPage(join(folder, "preload.cjs")).connect()));
const known = client.snapshot().find(({ event }) => event === "ready");
say({ event: "engine", version: known?.event === "ready" ? known.version : await first });

const second = nextReady(client);
electron.children[0]?.kill();
say({ event: "engine-again", version: await second, state: client.state, processes: electron.children.length });

await client.join("thi1-nonsense", {}).catch((error: unknown) => say({ event: "refused", ...(error as object) }));

electron.app.quit();
say({ event: "quit", code: await electron.app.whenQuit });
