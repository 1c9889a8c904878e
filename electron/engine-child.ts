import { once } from "node:events";
import type { MessageChannelMain, utilityProcess } from "electron";
import type { EngineProcessSetup } from "../p2p/engine-service.ts";
import type { ProcessHandle } from "../p2p/supervisor.ts";
import { portOverMain } from "./ports.ts";

/** What of Electron an engine's process is started with. */
export interface ChildElectron {
  readonly utilityProcess: typeof utilityProcess;
  readonly MessageChannelMain: typeof MessageChannelMain;
}

/**
 * Starts an engine in a utility process; `script` is the built peer-process. They speak over a channel of their own,
 * because that one tells either side when the other is gone. After the app is ready.
 */
export function startEngineChild(electron: ChildElectron, script: string, setup: EngineProcessSetup): ProcessHandle {
  const child = electron.utilityProcess.fork(script, [], {
    serviceName: "Teahouse engine",
    // What an engine could print is of no use to a person, and may name people and rooms.
    stdio: "ignore",
    execArgv: [],
  });
  const exited = once(child, "exit").then(
    () => undefined,
    () => undefined,
  );
  const { port1, port2 } = new electron.MessageChannelMain();
  child.postMessage(setup, [port2]);
  const port = portOverMain(port1);
  // A process that dies before it took its end of the channel closes nothing by itself.
  void exited.then(() => port1.close());
  return { port, exited, kill: () => void child.kill() };
}
