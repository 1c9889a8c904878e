import { main } from "./cli/main.ts";
import { passphraseVariable } from "./cli/identity-store.ts";
import { proxyVariable } from "./cli/options.ts";
import { checkCard, checkInvite } from "./cli/papers.ts";
import { processUsage } from "./cli/summary.ts";
import { packageVersion } from "./version.ts";

/** The `teahouse` command: joins the command line to this process. What it does stands in p2p/cli. */

const debugging = process.env["TEAHOUSE_DEBUG"] !== undefined;
const interruption = new AbortController();

function interrupt(): void {
  // The person asked twice: no goodbye any more.
  if (interruption.signal.aborted) process.exit(0);
  interruption.abort();
}

/** A bug of ours, found where nobody awaits: one sentence, because a stack may name rooms and people. */
function crash(error: unknown): void {
  if (debugging) process.stderr.write(`${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`);
  const message = "Something broke inside Teahouse; please start it again.";
  if (process.argv.includes("--json")) {
    const t = Math.round(performance.now());
    process.stdout.write(`${JSON.stringify({ event: "error", t, code: "internal", message })}\n`);
  } else {
    process.stderr.write(`${message}\n`);
  }
  process.exit(70);
}

process.on("SIGINT", interrupt);
process.on("SIGTERM", interrupt);
process.on("uncaughtException", crash);
process.on("unhandledRejection", crash);
// Nobody reads any more (`teahouse … | head`): leave as if asked to.
process.stdout.on("error", () => interruption.abort());
process.stderr.on("error", () => undefined);

const code = await main(process.argv.slice(2), {
  version: await packageVersion(),
  stdin: process.stdin,
  interrupted: interruption.signal,
  passphrase: process.env[passphraseVariable],
  proxy: process.env[proxyVariable],
  checkInvite,
  checkCard,
  // Loaded when needed: `--help` and a mistyped option answer at once, and a listener never loads audio code.
  createEngine: async (setup) => (await import("./host.ts")).createHost(setup),
  openPlayer: async (path, loop) => (await import("./cli/player.ts")).openPlayer(path, loop),
  runWindow: async (request, world) => (await import("./cli/start.ts")).runWindow(request, world),
  usage: processUsage,
  writeLine: (line) => process.stdout.write(`${line}\n`),
  writeError: (line) => process.stderr.write(`${line}\n`),
  sinceStartMs: () => performance.now(),
});
// The network libraries keep threads of their own; what was written goes out first.
process.stdout.write("", () => process.exit(code));
