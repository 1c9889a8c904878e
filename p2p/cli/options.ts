import { parseArgs } from "node:util";
import type { ParseArgsOptionsConfig } from "node:util";
import type { Profile } from "../api/engine.ts";
import { TeahouseError } from "../api/errors.ts";
import type { WayChoice } from "../api/way.ts";
import { parseProxy } from "../io/proxy/url.ts";
import { parseDurationMs } from "./duration.ts";

/** What every command takes. */
export interface CommonOptions {
  /** One JSON object a line on stdout and nothing else there. */
  readonly json: boolean;
  /** Leave this many milliseconds after the room (or the card) is there. */
  readonly forMs: number | undefined;
  readonly listen: readonly string[];
  readonly bootstrap: readonly string[];
  readonly profile: Profile;
  /** A URL that `parseProxy` takes; it may hold a password. */
  readonly proxy: string | undefined;
  readonly name: string | undefined;
  /** Folder for what may be kept on disk; undefined: nothing is written. */
  readonly data: string | undefined;
  /** Take part in the DHT; off only by the hidden `--no-dht`, which tests of the other ways in need. */
  readonly dht: boolean;
}

/** A file to speak from. */
export interface AudioOptions {
  readonly audio: string;
  readonly loop: boolean;
}

/** `teahouse host …` */
export interface HostRequest extends CommonOptions {
  readonly command: "host";
  readonly title: string | undefined;
  readonly open: boolean;
  /** Relay cards; `-` stands for those on stdin. */
  readonly via: readonly string[];
  readonly audio: AudioOptions | undefined;
  /** Hidden: shape of the tree, for demonstrations. */
  readonly coreSize: number | undefined;
  readonly relayFanout: number | undefined;
}

/** `teahouse probe INVITE` */
export interface ProbeRequest extends CommonOptions {
  readonly command: "probe";
  /** `-`: on stdin. */
  readonly invite: string;
}

/** `teahouse listen INVITE` */
export interface ListenRequest extends CommonOptions {
  readonly command: "listen";
  /** `-`: on stdin. */
  readonly invite: string;
  /** Asks for the low layer of every voice. */
  readonly lowData: boolean;
}

/** `teahouse speak INVITE --audio FILE` */
export interface SpeakRequest extends CommonOptions {
  readonly command: "speak";
  readonly invite: string;
  readonly audio: AudioOptions;
}

/** `teahouse relay …` */
export interface RelayRequest extends CommonOptions {
  readonly command: "relay";
  readonly maxChildren: number | undefined;
  readonly maxKbps: number | undefined;
  readonly announce: readonly string[];
  readonly only: boolean;
  readonly tlsCertificate: string | undefined;
  readonly tlsKey: string | undefined;
  readonly decoy: string | undefined;
}

/** `teahouse` without a command. */
export interface WindowRequest extends CommonOptions {
  readonly command: "window";
  /** Whether a window may be opened; else only its address is printed. */
  readonly open: boolean;
  /** Hidden: an invite, `-` for one on stdin, into whose room it goes by itself, for demonstrations. */
  readonly enter: string | undefined;
}

/** What one command line asks for. */
export type CliRequest =
  | { readonly command: "help" | "version"; readonly json: boolean }
  | WindowRequest
  | HostRequest
  | ProbeRequest
  | ListenRequest
  | SpeakRequest
  | RelayRequest;

/** How an option's value looks, for the sentence when it is missing. */
type Kind = "flag" | "text" | "duration" | "count" | "file" | "address" | "card" | "invite" | "profile" | "url";

interface OptionRule {
  readonly kind: Kind;
  /** May be given several times, or followed by several values. */
  readonly many?: boolean;
}

const commonRules = {
  json: { kind: "flag" },
  help: { kind: "flag" },
  version: { kind: "flag" },
  for: { kind: "duration" },
  listen: { kind: "address", many: true },
  bootstrap: { kind: "address", many: true },
  profile: { kind: "profile" },
  proxy: { kind: "url" },
  name: { kind: "text" },
  data: { kind: "file" },
  "no-dht": { kind: "flag" },
} as const satisfies Record<string, OptionRule>;

const audioRules = { audio: { kind: "file" }, loop: { kind: "flag" } } as const satisfies Record<string, OptionRule>;

const rulesByCommand: Readonly<Record<string, Readonly<Record<string, OptionRule>>>> = {
  window: { "no-open": { kind: "flag" }, enter: { kind: "invite" } },
  host: {
    ...audioRules,
    title: { kind: "text" },
    open: { kind: "flag" },
    via: { kind: "card", many: true },
    "core-size": { kind: "count" },
    "relay-fanout": { kind: "count" },
  },
  listen: { "low-data": { kind: "flag" } },
  probe: {},
  speak: audioRules,
  relay: {
    "max-children": { kind: "count" },
    "max-kbps": { kind: "count" },
    announce: { kind: "address", many: true },
    only: { kind: "flag" },
    "tls-cert": { kind: "file" },
    "tls-key": { kind: "file" },
    decoy: { kind: "file" },
  },
};

const takes: Readonly<Record<Kind, string>> = {
  flag: "takes no value",
  text: "takes a text",
  duration: "takes a time such as 20s, 5m or 1h",
  count: "takes a whole number",
  file: "takes a path",
  address: "takes an address such as /ip4/127.0.0.1/tcp/4001/tls/ws",
  card: 'takes a relay card, or "-" for cards on stdin',
  invite: 'takes an invite, or "-" for one on stdin',
  profile: "takes lan, wss, webrtc or auto",
  url: "takes a URL such as socks5://127.0.0.1:9050",
};

/** Characters of what a person typed that an error repeats. */
const quotedCharactersMax = 40;
/** Names and titles are shown beside a voice; longer ones would not be read. */
const textCharactersMax = 64;
const countMax = 1_000_000;

type Values = Readonly<Record<string, string | true | readonly string[]>>;

/**
 * Reads a command line (without the program's own name).
 * Throws `TeahouseError("usage")` with one sentence that names what is wrong and what it takes.
 */
export function parseCommandLine(args: readonly string[]): CliRequest {
  const first = args[0];
  const named = first !== undefined && !first.startsWith("-");
  const command = named ? first : "window";
  const rules = Object.hasOwn(rulesByCommand, command) ? rulesByCommand[command] : undefined;
  if (rules === undefined) throw usage(`"${quote(command)}" is not a command of teahouse`);
  const { values, positionals } = readTokens(command, { ...commonRules, ...rules }, args.slice(named ? 1 : 0));
  const json = values["json"] === true;
  if (values["help"] === true) return { command: "help", json };
  if (values["version"] === true) return { command: "version", json };
  const expected = command === "listen" || command === "speak" || command === "probe" ? 1 : 0;
  if (positionals.length < expected) throw usage(`teahouse ${command} takes an invite, or "-" for one on stdin`);
  if (positionals.length > expected) {
    throw usage(`teahouse ${command} does not take "${quote(positionals[expected] ?? "")}"`);
  }
  return requestOf(command, values, positionals[0] ?? "");
}

/** A sentence with where to read more. */
function usage(sentence: string): TeahouseError {
  return new TeahouseError("usage", `${sentence}; see "teahouse --help".`);
}

function quote(text: string): string {
  return text.length > quotedCharactersMax ? `${text.slice(0, quotedCharactersMax)}…` : text;
}

/** The library splits the words; what they mean is decided here, so that each mistake gets a sentence of its own. */
function readTokens(
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
        throw usage(`teahouse ${command === "window" ? "" : `${command} `}has no option ${token.rawName}`);
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

function requestOf(command: string, values: Values, invite: string): CliRequest {
  const common = commonOf(values);
  switch (command) {
    case "window":
      return { ...common, command, open: values["no-open"] !== true, enter: text(values, "enter") };
    case "host":
      return {
        ...common,
        command,
        title: shortText(values, "title"),
        open: values["open"] === true,
        via: list(values, "via"),
        audio: audioOf(values),
        coreSize: count(values, "core-size", 1),
        relayFanout: count(values, "relay-fanout", 1),
      };
    case "speak": {
      const audio = audioOf(values);
      if (audio === undefined) throw usage("teahouse speak needs --audio with the file to play");
      return { ...common, command, invite, audio };
    }
    case "relay":
      return relayOf(common, values);
    case "listen":
      return { ...common, command, invite, lowData: values["low-data"] === true };
    case "probe":
      return { ...common, command, invite };
    default:
      throw usage(`"${quote(command)}" is not a command of teahouse`);
  }
}

function relayOf(common: CommonOptions, values: Values): RelayRequest {
  const tlsCertificate = text(values, "tls-cert");
  const tlsKey = text(values, "tls-key");
  if ((tlsCertificate === undefined) !== (tlsKey === undefined)) throw usage("--tls-cert and --tls-key go together");
  return {
    ...common,
    command: "relay",
    maxChildren: count(values, "max-children", 0),
    maxKbps: count(values, "max-kbps", 1),
    announce: list(values, "announce"),
    only: values["only"] === true,
    tlsCertificate,
    tlsKey,
    decoy: text(values, "decoy"),
  };
}

function commonOf(values: Values): CommonOptions {
  const duration = text(values, "for");
  return {
    json: values["json"] === true,
    forMs: duration === undefined ? undefined : parseDurationMs("--for", duration),
    listen: list(values, "listen"),
    bootstrap: list(values, "bootstrap"),
    profile: profileOf(text(values, "profile") ?? "auto"),
    proxy: proxyOf(values),
    name: shortText(values, "name"),
    data: text(values, "data"),
    dht: values["no-dht"] !== true,
  };
}

function audioOf(values: Values): AudioOptions | undefined {
  const audio = text(values, "audio");
  const loop = values["loop"] === true;
  if (audio === undefined && loop) throw usage("--loop repeats the file of --audio, which is missing");
  return audio === undefined ? undefined : { audio, loop };
}

function profileOf(value: string): Profile {
  if (value === "lan" || value === "wss" || value === "webrtc" || value === "auto") return value;
  throw usage(`--profile ${takes.profile}, not "${quote(value)}"`);
}

/** A proxy is the only way then; in one's own network there is none to go through. */
function proxyOf(values: Values): string | undefined {
  const proxy = text(values, "proxy");
  if (proxy === undefined) return undefined;
  if (text(values, "profile") === "lan") throw usage("--proxy and --profile lan exclude each other");
  parseProxy(proxy);
  return proxy;
}

/** What `--proxy` means: everything goes through it, and nothing beside it. Undefined: the profile alone decides. */
export function wayOf({ proxy }: CommonOptions): WayChoice | undefined {
  return proxy === undefined ? undefined : { rung: "auto", proxy, proxyUse: "always" };
}

function text(values: Values, name: string): string | undefined {
  const value = values[name];
  return typeof value === "string" ? value : undefined;
}

function shortText(values: Values, name: string): string | undefined {
  const value = text(values, name);
  if (value !== undefined && value.length > textCharactersMax) {
    throw usage(`--${name} takes at most ${textCharactersMax} characters`);
  }
  return value;
}

function list(values: Values, name: string): readonly string[] {
  const value = values[name];
  return Array.isArray(value) ? value : [];
}

function count(values: Values, name: string, least: number): number | undefined {
  const value = text(values, name);
  if (value === undefined) return undefined;
  const number = /^\d{1,7}$/.test(value) ? Number(value) : Number.NaN;
  if (!(number >= least && number <= countMax)) {
    throw usage(`--${name} takes a whole number from ${least} to ${countMax}, not "${quote(value)}"`);
  }
  return number;
}
