#!/usr/bin/env node
/**
 * `npx teahouse`: runs p2p/cli.ts on the Node that was installed with this project. Plain JavaScript that imports
 * nothing of ours, because a person's own Node (20 and newer) may be too old for the sources and for libp2p.
 */
import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

/** Our fault, in the exit codes of the command line. */
const internalExitCode = 70;
/** What a shell reports for a program ended by a signal is 128 and the number of the signal. */
const signalExitCodes = { SIGHUP: 129, SIGINT: 130, SIGKILL: 137, SIGTERM: 143 };

/** The installed Node, or undefined when its install script was not allowed to run. */
function installedNode() {
  try {
    const folder = dirname(createRequire(import.meta.url).resolve("node/package.json"));
    const file = join(folder, "bin", process.platform === "win32" ? "node.exe" : "node");
    return existsSync(file) ? file : undefined;
  } catch {
    return undefined;
  }
}

/** Starts the command and becomes its shadow: same streams, same signals, same end. */
function run(node) {
  const cli = fileURLToPath(new URL("cli.ts", import.meta.url));
  const child = spawn(node, [cli, ...process.argv.slice(2)], { stdio: "inherit" });
  const atTerminal = process.stdin.isTTY || process.stdout.isTTY || process.stderr.isTTY;
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) {
    process.on(signal, () => {
      // A terminal's Ctrl-C reaches the child by itself, and a second one would mean "leave without a goodbye".
      if (signal !== "SIGINT" || !atTerminal) child.kill(signal);
    });
  }
  child.on("error", () => {
    process.stderr.write("The installed Node does not start; please run npm install again.\n");
    process.exitCode = internalExitCode;
  });
  child.on("exit", (code, signal) => process.exit(code ?? signalExitCodes[signal] ?? internalExitCode));
}

const node = installedNode();
if (node === undefined) {
  process.stderr.write("The Node that belongs to Teahouse is not installed; please run npm install again.\n");
  process.exitCode = internalExitCode;
} else {
  run(node);
}
