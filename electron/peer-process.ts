import type { MessagePortMain } from "electron";
import { type EngineProcessSetup, serveEngine } from "../p2p/engine-service.ts";
import { portOverMain } from "./ports.ts";

/**
 * The utility process that the engine lives in. The main process supervises it: its one message says how to set up and
 * brings two channels: one over which the engine is served, and one over which it borrows the lending window's network. When
 * the first closes, so does this.
 */

/** A goodbye that takes longer is not said. */
const goodbyeMsMax = 3000;
const ourFault = 70;

function serve(setup: EngineProcessSetup, channel: MessagePortMain, lending: MessagePortMain): void {
  const engine = serveEngine(setup, { owner: portOverMain(channel), lending: portOverMain(lending) });
  channel.once("close", () => {
    setTimeout(() => process.exit(0), goodbyeMsMax).unref();
    engine.stop().then(
      () => process.exit(0),
      () => process.exit(ourFault),
    );
  });
}

/** A bug of ours: the supervisor starts anew. Nothing is said, because a stack may name rooms and people. */
function crash(): void {
  process.exit(ourFault);
}

process.on("uncaughtException", crash);
process.on("unhandledRejection", crash);

process.parentPort.once("message", ({ data, ports: [channel, lending] }) => {
  if (channel === undefined || lending === undefined) crash();
  else serve(data as EngineProcessSetup, channel, lending);
});
