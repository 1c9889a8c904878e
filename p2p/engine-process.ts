import { type EngineProcessSetup, serveEngine } from "./engine-service.ts";
import { splitLanes } from "./port/lanes.ts";

/**
 * The process that a window's engine lives in. Its parent supervises it: the first message says how to set up, the rest
 * is the port protocol with an owner's rights, and in a lane of its own the network that the window lends. When the parent goes, so does this.
 */

/** A goodbye that takes longer is not said. */
const goodbyeMsMax = 3000;
const ourFault = 70;

function serve(setup: EngineProcessSetup): void {
  const ports = splitLanes({
    emitter: process,
    messageEvent: "message",
    closeEvent: "disconnect",
    post: (message) => void process.send?.(message, undefined, undefined, () => undefined),
    close: () => process.disconnect(),
  });
  const engine = serveEngine(setup, ports);
  process.on("disconnect", () => {
    setTimeout(() => process.exit(0), goodbyeMsMax).unref();
    engine.stop().then(
      () => process.exit(0),
      () => process.exit(ourFault),
    );
  });
}

/** A bug of ours: the supervisor starts anew. A stack may name rooms and people, so nothing is said. */
function crash(error: unknown): void {
  if (process.env["TEAHOUSE_DEBUG"] !== undefined) {
    process.stderr.write(`${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`);
  }
  process.exit(ourFault);
}

process.on("uncaughtException", crash);
process.on("unhandledRejection", crash);
// Ctrl-C reaches the whole group; the parent says when to go.
process.on("SIGINT", () => undefined);
process.once("message", (setup) => serve(setup as EngineProcessSetup));
