import type { Profile, VolunteerOptions } from "../api/engine.ts";
import type { WayChoice } from "../api/way.ts";
import { parseProxy } from "../io/proxy/url.ts";
import { parseDurationMs } from "./duration.ts";
import { type Inviting, invitingOf, invitingRules } from "./inviting.ts";
import { lendOf, lendRules, limitRules, limitsOf } from "./lending.ts";
import { count, list, quote, readTokens, shortText, takes, text, usage } from "./words.ts";
import type { OptionRule, Values } from "./words.ts";

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
  readonly inviting: Inviting;
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

/** `teahouse rooms` */
export interface RoomsRequest extends CommonOptions {
  readonly command: "rooms";
}

/** `teahouse listen INVITE` */
export interface ListenRequest extends CommonOptions {
  readonly command: "listen";
  /** `-`: on stdin. */
  readonly invite: string;
  /** Asks for the low layer of every voice. */
  readonly lowData: boolean;
  /** What it carries for others in the room, who then see its address; undefined: nothing. */
  readonly lend: VolunteerOptions | undefined;
}

/** `teahouse speak INVITE --audio FILE` */
export interface SpeakRequest extends CommonOptions {
  readonly command: "speak";
  readonly invite: string;
  readonly audio: AudioOptions;
  readonly lend: VolunteerOptions | undefined;
}

/** `teahouse relay …` */
export interface RelayRequest extends CommonOptions {
  readonly command: "relay";
  readonly limits: VolunteerOptions;
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
  | RoomsRequest
  | ListenRequest
  | SpeakRequest
  | RelayRequest;

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
    ...invitingRules,
    via: { kind: "card", many: true },
    "core-size": { kind: "count" },
    "relay-fanout": { kind: "count" },
  },
  listen: { "low-data": { kind: "flag" }, ...lendRules },
  probe: {},
  rooms: {},
  speak: { ...audioRules, ...lendRules },
  relay: {
    ...limitRules,
    announce: { kind: "address", many: true },
    only: { kind: "flag" },
    "tls-cert": { kind: "file" },
    "tls-key": { kind: "file" },
    decoy: { kind: "file" },
  },
};

/** The environment variable for a proxy whose password is not to stand in process lists. */
export const proxyVariable = "TEAHOUSE_PROXY";

/**
 * Reads a command line (without the program's own name). `proxy`: what `proxyVariable` holds, for a line without `--proxy`.
 * Throws `TeahouseError("usage")` with one sentence that names what is wrong and what it takes.
 */
export function parseCommandLine(args: readonly string[], proxy?: string): CliRequest {
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
  const hidden = proxy === undefined || proxy === "" || values["proxy"] !== undefined ? {} : { proxy };
  return requestOf(command, { ...values, ...hidden }, positionals[0] ?? "");
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
        inviting: invitingOf(values),
        coreSize: count(values, "core-size", 1),
        relayFanout: count(values, "relay-fanout", 1),
      };
    case "speak": {
      const audio = audioOf(values);
      if (audio === undefined) throw usage("teahouse speak needs --audio with the file to play");
      return { ...common, command, invite, audio, lend: lendOf(values) };
    }
    case "relay":
      return relayOf(common, values);
    case "listen":
      return { ...common, command, invite, lowData: values["low-data"] === true, lend: lendOf(values) };
    case "probe":
      return { ...common, command, invite };
    case "rooms":
      return { ...common, command };
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
    limits: limitsOf(values),
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
