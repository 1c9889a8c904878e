import { writeFileSync } from "node:fs";
import { parseSimCommand, SimUsageError } from "./command-line.ts";
import type { SimCommand } from "./command-line.ts";
import { simHelp } from "./help.ts";
import { draw } from "./picture/draw.ts";
import { hasFailed, snapshotOf, summaryLine, summaryText, violationLines } from "./report.ts";
import { Simulation } from "./simulation.ts";

/**
 * `npm run sim -- …`: plays one run. Prints its options first, because they are the bug report, and its figures last.
 * Exit code 1: an invariant broke, or kills led to nothing; 2: the command line cannot be run.
 */
function main(args: readonly string[]): number {
  const print = (line: string): void => void process.stdout.write(`${line}\n`);
  if (args.includes("--help")) {
    print(simHelp);
    return 0;
  }
  const command = readCommand(args);
  if (command === undefined) return 2;
  const { options, json, svg } = command;
  print(json ? JSON.stringify({ event: "sim-options", ...options }) : `Options: ${JSON.stringify(options)}`);
  const simulation = new Simulation(options);
  const result = simulation.play();
  if (svg !== undefined && !save(svg, draw(snapshotOf(result, simulation.snapshot())))) return 2;
  if (json) {
    for (const violation of result.violations) print(JSON.stringify({ event: "sim-violation", ...violation }));
    print(summaryLine(result));
  } else [...violationLines(result), ...summaryText(result)].forEach(print);
  return hasFailed(result) ? 1 : 0;
}

/** Writes the picture; false, with a sentence, where that cannot be done. */
function save(file: string, picture: string): boolean {
  try {
    writeFileSync(file, picture);
    return true;
  } catch {
    process.stderr.write(`The picture cannot be written to ${file}: choose another --svg file.\n`);
    return false;
  }
}

function readCommand(args: readonly string[]): SimCommand | undefined {
  try {
    return parseSimCommand(args);
  } catch (error) {
    if (!(error instanceof SimUsageError)) throw error;
    process.stderr.write(`${error.message}\n`);
    return undefined;
  }
}

// Somebody who has read enough closes the pipe; that is no failure of the run.
process.stdout.on("error", () => undefined);
process.exitCode = main(process.argv.slice(2));
