import { runHost, runListen, runRelay, runSpeak } from "./commands.ts";
import { helpText } from "./help.ts";
import { printFailure } from "./life.ts";
import type { ExitCode } from "./life.ts";
import { parseCommandLine } from "./options.ts";
import type { CliRequest } from "./options.ts";
import { jsonPrinter, textPrinter } from "./printer.ts";
import { runProbe } from "./probe.ts";
import { runRooms } from "./rooms.ts";
import type { CliWorld } from "./world.ts";

/** What `main` needs from the process around it. */
export interface MainWorld extends Omit<CliWorld, "printer"> {
  readonly version: string;
  /** Value of the proxy's variable. */
  readonly proxy: string | undefined;
  /** Lines without their line end. */
  writeLine(line: string): void;
  writeError(line: string): void;
  /** Milliseconds since the process started. */
  sinceStartMs(): number;
}

/** Runs one command line to its end and returns the exit code; whatever fails has been said in one sentence. */
export async function main(args: readonly string[], world: MainWorld): Promise<ExitCode> {
  // Known before the rest is understood, because the mistake itself must come in the right form.
  const json = args.includes("--json");
  const printer = json
    ? jsonPrinter(
        (line) => world.writeLine(line),
        () => world.sinceStartMs(),
      )
    : textPrinter(
        (line) => world.writeLine(line),
        (line) => world.writeError(line),
      );
  try {
    const request = parseCommandLine(args, world.proxy);
    return await run(request, { ...world, printer }, world);
  } catch (error) {
    return printFailure(printer, error);
  }
}

async function run(request: CliRequest, world: CliWorld, out: MainWorld): Promise<ExitCode> {
  switch (request.command) {
    case "help":
      out.writeLine(request.json ? JSON.stringify({ event: "help", t: 0, text: helpText }) : helpText.trimEnd());
      return 0;
    case "version":
      out.writeLine(request.json ? JSON.stringify({ event: "version", t: 0, version: out.version }) : out.version);
      return 0;
    case "window":
      return world.runWindow(request, world);
    case "host":
      return runHost(request, world);
    case "listen":
      return runListen(request, world);
    case "probe":
      return runProbe(request, world);
    case "rooms":
      return runRooms(request, world);
    case "speak":
      return runSpeak(request, world);
    case "relay":
      return runRelay(request, world);
    default:
      return request satisfies never;
  }
}
