import { TeahouseError } from "../../p2p/api/errors.ts";
import { installNeeds } from "../needs.ts";
import { boxObstacle } from "./box.ts";
import { tableHead, tableRow } from "./figures.ts";
import { censorHelp, parseCensorOptions, type CensorOptions } from "./options.ts";
import { CensorSession } from "./session.ts";

/** `npm run censor`: the real app against every rule; see the command-line contract. */

const say = (line: string): boolean => process.stdout.write(`${line}\n`);

async function run({ cases, tries, sides, json }: CensorOptions): Promise<void> {
  installNeeds();
  const session = await CensorSession.open();
  if (!json) say(tableHead);
  try {
    for (const which of cases) {
      for (const line of await session.run(which, sides, tries)) {
        say(json ? JSON.stringify(line) : tableRow(line));
        if (line.outcome === "failed") process.exitCode = 1;
      }
    }
  } finally {
    await session.close();
  }
}

// What was started goes with the box, which goes when the process exits.
for (const signal of ["SIGINT", "SIGTERM"] as const) process.on(signal, () => process.exit(130));

try {
  const options = parseCensorOptions(process.argv.slice(2));
  const obstacle = boxObstacle();
  if (options === undefined) say(censorHelp);
  else if (obstacle !== undefined) throw new TeahouseError("usage", obstacle);
  else await run(options);
} catch (error) {
  if (!(error instanceof TeahouseError)) throw error;
  process.stderr.write(`${error.message}\n`);
  process.exitCode = 2;
}
