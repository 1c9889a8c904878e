import { parseArgs } from "node:util";
import { limits } from "../../p2p/api/limits.ts";
import {
  baselineNames,
  coreOf,
  defaultOptions,
  drawOptions,
  faultSeconds,
  joinSecondsOf,
  uplinksOf,
} from "./options.ts";
import type { BaselineName, Flash, Kill, Partition, Rule, SimOptions, Uplinks } from "./options.ts";
import type { TopologyKind } from "./topology.ts";

/** What the command line asks for. */
export interface SimCommand {
  readonly options: SimOptions;
  readonly json: boolean;
  /** Where the picture goes, if one is wanted. */
  readonly svg: string | undefined;
}

/** A command line that cannot be run; the message is one sentence for a person. */
export class SimUsageError extends Error {
  override readonly name = "SimUsageError";
}

/** Open microphones are at most six, the host's among them. */
const speakersMax = 5;

/** More would not fit into this machine. */
const peersMax = 100_000;
/** Between the last fault and the end: time to recover, and to be seen well. */
const calmSecondsMin = 8;

const flags = {
  listeners: { type: "string" },
  seconds: { type: "string" },
  seed: { type: "string" },
  relays: { type: "string" },
  topology: { type: "string" },
  uplinks: { type: "string" },
  loss: { type: "string" },
  nat: { type: "string" },
  churn: { type: "string" },
  sessions: { type: "string" },
  "join-seconds": { type: "string" },
  flash: { type: "string" },
  suspend: { type: "string" },
  kill: { type: "string", multiple: true },
  partition: { type: "string" },
  rule: { type: "string", multiple: true },
  silent: { type: "string" },
  speakers: { type: "string" },
  "packet-ms": { type: "string" },
  hostile: { type: "string" },
  core: { type: "string" },
  baseline: { type: "string" },
  svg: { type: "string" },
  "real-crypto": { type: "boolean" },
  drawn: { type: "boolean" },
  json: { type: "boolean" },
} as const;

type Flags = ReturnType<typeof parseFlags>;

/**
 * Reads `npm run sim -- …`. With `--drawn`, what is not said is drawn from the seed instead of taken from the defaults.
 * Throws `SimUsageError`.
 */
export function parseSimCommand(args: readonly string[]): SimCommand {
  const values = parseFlags(args);
  const seed = values.seed ?? "1";
  const base = values.drawn === true ? drawOptions(seed) : defaultOptions(seed);
  const options = { ...base, ...readOptions(values, base) };
  if (values.svg?.trim() === "") throw new SimUsageError("--svg takes the name of a file.");
  const lastFault = Math.max(0, ...faultSeconds(options));
  if (lastFault > options.seconds - calmSecondsMin) {
    throw new SimUsageError(
      `The last blow must fall ${calmSecondsMin} s before the end, so that recovery can be seen.`,
    );
  }
  return { options, json: values.json ?? false, svg: values.svg };
}

function parseFlags(args: readonly string[]) {
  try {
    return parseArgs({ args: [...args], options: flags, strict: true, allowPositionals: false }).values;
  } catch (error) {
    // The library's first sentence names the option.
    const said = error instanceof Error ? (error.message.split(". ")[0] ?? "") : "Unknown option";
    throw new SimUsageError(`${said}; see "npm run sim -- --help".`);
  }
}

function readOptions(values: Flags, base: SimOptions): Omit<SimOptions, "seed"> {
  const listeners = readNumber("--listeners", values.listeners, base.listeners, 1, peersMax, true);
  const relays = readNumber("--relays", values.relays, base.relays, 0.001, 1, false);
  return {
    listeners,
    seconds: readNumber("--seconds", values.seconds, base.seconds, 5, 600_000, true),
    relays,
    uplinks: readUplinks(values.uplinks, uplinksOf({ listeners, relays })),
    topology: readTopology(values.topology, base.topology),
    nat: readNumber("--nat", values.nat, base.nat, 0, 1, false),
    baseline: readBaseline(values.baseline, base.baseline),
    loss: readNumber("--loss", values.loss, base.loss, 0, 0.5, false),
    churn: readNumber("--churn", values.churn, base.churn, 0, 1000, false),
    sessions: readNumber("--sessions", values.sessions, base.sessions, 0, 10, false),
    joinSeconds: readNumber("--join-seconds", values["join-seconds"], joinSecondsOf(listeners), 1, 3600, false),
    flash: values.flash === undefined ? base.flash : readFlash(values.flash),
    suspension: values.suspend === undefined ? base.suspension : readSpell("--suspend", "members", values.suspend),
    kills: values.kill?.map(readKill) ?? base.kills,
    partition: values.partition === undefined ? base.partition : readSpell("--partition", "peers", values.partition),
    rules: values.rule?.map(readRule) ?? base.rules,
    silent: readNumber("--silent", values.silent, base.silent, 0, 1, false),
    speakers: readNumber("--speakers", values.speakers, base.speakers, 0, speakersMax, true),
    packetMs: readNumber("--packet-ms", values["packet-ms"], base.packetMs, limits.packetMs, 60_000, true),
    hostile: readNumber("--hostile", values.hostile, base.hostile, 0, 0.5, false),
    core: readNumber("--core", values.core, coreOf(listeners, relays), 1, 12, true),
    realCrypto: values["real-crypto"] ?? base.realCrypto,
  };
}

function readNumber(
  flag: string,
  text: string | undefined,
  fallback: number,
  min: number,
  max: number,
  whole: boolean,
): number {
  if (text === undefined) return fallback;
  const value = text.trim() === "" ? Number.NaN : Number(text);
  if (value >= min && value <= max && (!whole || Number.isInteger(value))) return value;
  throw new SimUsageError(`${flag} takes a ${whole ? "whole number" : "number"} from ${min} to ${max}.`);
}

function readTopology(text: string | undefined, fallback: TopologyKind): TopologyKind {
  if (text === undefined) return fallback;
  if (text === "regional" || text === "global") return text;
  throw new SimUsageError("--topology takes regional or global.");
}

function readUplinks(text: string | undefined, fallback: Uplinks): Uplinks {
  if (text === undefined) return fallback;
  if (text === "ample" || text === "tailed") return text;
  throw new SimUsageError("--uplinks takes ample or tailed.");
}

function readBaseline(text: string | undefined, fallback: BaselineName): BaselineName {
  const name = baselineNames.find((each) => each === (text ?? fallback));
  if (name !== undefined) return name;
  throw new SimUsageError(`--baseline takes ${baselineNames.join(", ")}.`);
}

function readKill(text: string): Kill {
  const match = /^(host|one|\d*\.?\d+)@(\d+(?:\.\d+)?)s?$/.exec(text);
  const share = Number(match?.[1]);
  if (match?.[1] === "host" || match?.[1] === "one") return { what: match[1], atSecond: Number(match[2]) };
  if (match !== null && share > 0 && share <= 1) return { what: { share }, atSecond: Number(match[2]) };
  throw new SimUsageError(
    "--kill takes a share of those who lend, one or host, and a second: 0.1@30, one@25 or host@20.",
  );
}

function readRule(text: string): Rule {
  const match = /^(freeze|reset|block|udp)(?::(\d*\.?\d+))?@(\d+)$/.exec(text);
  const [value, atSecond] = [Number(match?.[2]), Number(match?.[3])];
  if (match?.[1] === "udp" && match[2] === undefined) return { kind: "udp", atSecond };
  if (match?.[1] === "freeze" && value > 0) return { kind: "freeze", bytes: value, atSecond };
  if (match?.[1] === "reset" && value >= 1) return { kind: "reset", everySeconds: value, atSecond };
  if (match?.[1] === "block" && value > 0 && value < 1) return { kind: "block", share: value, atSecond };
  throw new SimUsageError(
    "--rule takes freeze and bytes, reset and seconds, block and a share of the relays, or udp: freeze:16000@20.",
  );
}

function readFlash(text: string): Flash {
  const match = /^(\d+)@(\d+)\/(\d+)$/.exec(text);
  const [joins, atSecond, seconds] = [Number(match?.[1]), Number(match?.[2]), Number(match?.[3])];
  if (match !== null && joins > 0 && joins <= peersMax && seconds > 0) return { joins, atSecond, seconds };
  throw new SimUsageError("--flash takes a number of people, a second and a length: 1500@10/60.");
}

/** A share of somebody for a while. */
function readSpell(flag: string, whom: string, text: string): Partition {
  const match = /^(\d*\.?\d+)@(\d+)\+(\d+)$/.exec(text);
  const share = Number(match?.[1]);
  if (match !== null && share > 0 && share < 1) {
    return { share, atSecond: Number(match[2]), seconds: Number(match[3]) };
  }
  throw new SimUsageError(`${flag} takes a share of the ${whom}, a second and a length: 0.1@20+5.`);
}
