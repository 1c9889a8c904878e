import { fork } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import type { EngineProcessSetup } from "./engine-service.ts";
import { splitLanes } from "./port/lanes.ts";
import type { ProcessHandle } from "./supervisor.ts";

const entry = fileURLToPath(new URL("engine-process.ts", import.meta.url));

/** Starts an engine in a Node process of its own. */
export function forkEngine(
  setup: EngineProcessSetup,
  script: string = entry,
): ProcessHandle & { readonly pid: number } {
  const child = fork(script, [], {
    serialization: "advanced",
    // Nothing on stdout, which belongs to the command; what breaks shows on stderr only while debugging.
    stdio: ["ignore", "ignore", "inherit", "ipc"],
    execArgv: [],
  });
  // Without a listener, a process that cannot be started or written to would end this one.
  child.on("error", () => child.kill("SIGKILL"));
  const exited = once(child, "exit").then(
    () => undefined,
    () => undefined,
  );
  child.send(setup);
  const { owner, lending } = splitLanes({
    emitter: child,
    messageEvent: "message",
    closeEvent: "disconnect",
    post: (message) => void (child.connected && child.send(message, () => undefined)),
    close: () => void (child.connected && child.disconnect()),
  });
  return { port: owner, lending, exited, kill: () => void child.kill("SIGKILL"), pid: child.pid ?? 0 };
}
