import { parseArgs } from "node:util";
import { TeahouseError } from "../../p2p/api/errors.ts";
import { sides, type Side } from "./box.ts";
import { cases, type Case } from "./rules/all.ts";

/** What `npm run censor` is asked for. */
export interface CensorOptions {
  readonly cases: readonly Case[];
  readonly tries: number;
  readonly sides: readonly Side[];
  readonly json: boolean;
}

const triesMax = 1000;

/** What `npm run censor -- --help` prints. */
export const censorHelp = `npm run censor -- [rule…] [--tries N] [--side desktop|volunteer] [--json]
The real app in a network of our own that a censor sits in the middle of. Needs root. Without a rule: all of them.
${cases.map(({ name, rule, isMidroom }) => `  ${name.padEnd(30)} ${rule.about}${isMidroom ? ", from the middle of the room on" : ""}`).join("\n")}
Exit codes: 0 done; 1 a rule ended in neither sound nor a right explanation; 2 usage, or not root.`;

/** Reads the command line. Throws `TeahouseError("usage")` with one sentence; undefined when help was asked for. */
export function parseCensorOptions(args: readonly string[]): CensorOptions | undefined {
  const { values, positionals } = parse(args);
  if (values.help === true) return undefined;
  const triesText = values.tries ?? "1";
  const tries = /^\d{1,4}$/.test(triesText) ? Number(triesText) : 0;
  if (!(tries >= 1 && tries <= triesMax)) throw usage(`--tries takes a whole number from 1 to ${triesMax}`);
  const side = sides.find((name) => name === values.side);
  if (values.side !== undefined && side === undefined) throw usage(`--side takes ${sides.join(" or ")}`);
  return {
    cases: positionals.length === 0 ? cases : positionals.map(caseNamed),
    tries,
    sides: side === undefined ? sides : [side],
    json: values.json === true,
  };
}

function caseNamed(name: string): Case {
  const found = cases.find((one) => one.name === name);
  if (found === undefined) throw usage(`There is no rule "${name.slice(0, 40)}"`);
  return found;
}

function parse(args: readonly string[]) {
  try {
    const options = {
      json: { type: "boolean" },
      help: { type: "boolean" },
      tries: { type: "string" },
      side: { type: "string" },
    } as const;
    return parseArgs({ args: [...args], options, allowPositionals: true });
  } catch (error) {
    // The library's first sentence names the option.
    throw usage(error instanceof Error ? (error.message.split(". ")[0] ?? "") : "unknown option");
  }
}

function usage(sentence: string): TeahouseError {
  return new TeahouseError("usage", `${sentence}; see "npm run censor -- --help".`);
}
