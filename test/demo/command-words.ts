import { parseArgs, type ParseArgsOptionsConfig } from "node:util";
import { TeahouseError } from "../../p2p/api/errors.ts";

/**
 * What the command line asks for, or undefined: then help was printed, or one sentence that says what is wrong, with exit
 * code 2.
 *
 * @param parse undefined where help was asked for; throws `TeahouseError("usage")`.
 */
export function optionsOf<Options>(
  parse: (args: readonly string[]) => Options | undefined,
  help: string,
): Options | undefined {
  try {
    const parsed = parse(process.argv.slice(2));
    if (parsed === undefined) process.stdout.write(`${help}\n`);
    return parsed;
  } catch (error) {
    if (!(error instanceof TeahouseError)) throw error;
    process.stderr.write(`${error.message}\n`);
    process.exitCode = 2;
    return undefined;
  }
}

/** Reads the command line of one of the npm commands that start a room of processes; mistakes get one sentence. */
export class CommandWords<Options extends ParseArgsOptionsConfig> {
  readonly #command: string;
  readonly #options: Options;

  /** `command`: as a person types it, such as `npm run demo`. */
  constructor(command: string, options: Options) {
    this.#command = command;
    this.#options = options;
  }

  read(args: readonly string[]) {
    try {
      return parseArgs({ args: [...args], options: this.#options }).values;
    } catch (error) {
      // The library's first sentence names the option.
      throw this.usage(error instanceof Error ? (error.message.split(". ")[0] ?? "") : "unknown option");
    }
  }

  count(option: string, text: string, least: number, most: number): number {
    const value = /^\d{1,4}$/.test(text) ? Number(text) : Number.NaN;
    if (!(value >= least && value <= most)) {
      throw this.usage(`${option} takes a whole number from ${least} to ${most}`);
    }
    return value;
  }

  profile(text: string): string {
    if (["lan", "wss", "webrtc", "auto"].includes(text)) return text;
    throw this.usage("--profile takes lan, wss, webrtc or auto");
  }

  usage(sentence: string): TeahouseError {
    return new TeahouseError("usage", `${sentence}; see "${this.#command} -- --help".`);
  }
}
