import { parseArgs } from "node:util";
import type { ParseArgsOptionsConfig } from "node:util";
import { TeahouseError } from "../api/errors.ts";

/** How an option's value looks, for the sentence when it is missing. */
export type Kind =
  | "flag"
  | "text"
  | "duration"
  | "count"
  | "file"
  | "address"
  | "card"
  | "role"
  | "invite"
  | "hours"
  | "profile"
  | "url";

/** What an option takes. */
export interface OptionRule {
  readonly kind: Kind;
  /** May be given several times, or followed by several values. */
  readonly many?: boolean;
}

/** How each kind is said to look. */
export const takes: Readonly<Record<Kind, string>> = {
  flag: "takes no value",
  text: "takes a text",
  duration: "takes a time such as 20s, 5m or 1h",
  count: "takes a whole number",
  file: "takes a path",
  address: "takes an address such as /ip4/127.0.0.1/tcp/4001/tls/ws",
  card: 'takes a relay card, or "-" for cards on stdin',
  role: "takes listener, speaker, moderator or heir",
  invite: 'takes an invite, or "-" for one on stdin',
  hours: 'takes hours of the day such as "18:00-23:30"',
  profile: "takes lan, wss, webrtc or auto",
  url: "takes a URL such as socks5://127.0.0.1:9050",
};

/** Characters of what a person typed that an error repeats. */
const quotedCharactersMax = 40;
/** Names and titles are shown beside a voice; longer ones would not be read. */
const textCharactersMax = 64;
const countMax = 1_000_000;

/** What was given: a text, a list, or that a flag was there. */
export type Values = Readonly<Record<string, string | true | readonly string[]>>;

/** A sentence with where to read more. */
export function usage(sentence: string): TeahouseError {
  return new TeahouseError("usage", `${sentence}; see "teahouse --help".`);
}

/** What a person typed, short enough for a sentence. */
export function quote(text: string): string {
  return text.length > quotedCharactersMax ? `${text.slice(0, quotedCharactersMax)}…` : text;
}

/** The library splits the words; what they mean is decided here, so that each mistake gets a sentence of its own. */
export function readTokens(
  command: string,
  rules: Readonly<Record<string, OptionRule>>,
  args: readonly string[],
): { values: Values; positionals: readonly string[] } {
  const config: ParseArgsOptionsConfig = {};
  for (const [name, rule] of Object.entries(rules))
    config[name] = { type: rule.kind === "flag" ? "boolean" : "string" };
  const { tokens } = parseArgs({
    args: [...args],
    options: config,
    strict: false,
    allowPositionals: true,
    tokens: true,
  });
  const values: Record<string, string | true | string[]> = {};
  const positionals: string[] = [];
  let openList: string | undefined;
  for (const token of tokens) {
    if (token.kind === "option-terminator") {
      openList = undefined;
    } else if (token.kind === "positional") {
      const list = openList === undefined ? undefined : values[openList];
      // "--via A B": what follows a list and looks like its values belongs to it.
      if (Array.isArray(list) && belongsTo(rules[openList ?? ""], token.value)) list.push(token.value);
      else positionals.push(token.value);
    } else {
      const rule = Object.hasOwn(rules, token.name) ? rules[token.name] : undefined;
      if (rule === undefined)
        throw usage(`teahouse ${command === "window" ? "" : `${command} `}has no option ${quote(token.rawName)}`);
      openList = rule.many === true ? token.name : undefined;
      takeOption(values, token.name, rule, token.value, token.inlineValue === true);
    }
  }
  return { values, positionals };
}

function belongsTo(rule: OptionRule | undefined, value: string): boolean {
  return rule?.kind === "card" || (rule?.kind === "address" && value.startsWith("/"));
}

function takeOption(
  values: Record<string, string | true | string[]>,
  name: string,
  rule: OptionRule,
  value: string | undefined,
  inline: boolean,
): void {
  const option = `--${name}`;
  if (rule.kind === "flag") {
    if (value !== undefined) throw usage(`${option} ${takes.flag}`);
    values[name] = true;
    return;
  }
  const looksLikeOption = !inline && value !== undefined && value.length > 1 && value.startsWith("-");
  if (value === undefined || value === "" || looksLikeOption) throw usage(`${option} ${takes[rule.kind]}`);
  if (rule.kind === "address" && !value.startsWith("/"))
    throw usage(`${option} ${takes.address}, not "${quote(value)}"`);
  const known = values[name];
  if (rule.many === true) {
    if (Array.isArray(known)) known.push(value);
    else values[name] = [value];
  } else {
    if (known !== undefined) throw usage(`${option} can be given only once`);
    values[name] = value;
  }
}

/** The text that was given. */
export function text(values: Values, name: string): string | undefined {
  const value = values[name];
  return typeof value === "string" ? value : undefined;
}

/** A name or title. Throws `TeahouseError("usage")` when it is too long. */
export function shortText(values: Values, name: string): string | undefined {
  const value = text(values, name);
  if (value !== undefined && value.length > textCharactersMax) {
    throw usage(`--${name} takes at most ${textCharactersMax} characters`);
  }
  return value;
}

/** All values of an option that may be given several times. */
export function list(values: Values, name: string): readonly string[] {
  const value = values[name];
  return Array.isArray(value) ? value : [];
}

/** A whole number, at least `least`. Throws `TeahouseError("usage")` for anything else. */
export function count(values: Values, name: string, least: number): number | undefined {
  const value = text(values, name);
  if (value === undefined) return undefined;
  const number = /^\d{1,7}$/.test(value) ? Number(value) : Number.NaN;
  if (!(number >= least && number <= countMax)) {
    throw usage(`--${name} takes a whole number from ${least} to ${countMax}, not "${quote(value)}"`);
  }
  return number;
}
