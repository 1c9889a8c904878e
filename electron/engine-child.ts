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
 * Starts an engine in a utility process; `script` is the built peer-process. They speak over channels of their own,
 * because those tell either side when the other is gone: one for the owner, one by which the engine borrows its network. After the app is ready.
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
  const owner = new electron.MessageChannelMain();
  const lending = new electron.MessageChannelMain();
  child.postMessage(setup, [owner.port2, lending.port2]);
  const port = portOverMain(owner.port1);
  const lendingPort = portOverMain(lending.port1);
  // A process that dies before it took its ends of the channels closes nothing by itself.
  void exited.then(() => {
    owner.port1.close();
    lending.port1.close();
  });
  return { port, lending: lendingPort, exited, kill: () => void child.kill() };
}
