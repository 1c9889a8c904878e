import { parseArgs } from "node:util";
import { limits } from "../../p2p/api/limits.ts";
import { Rng } from "../../p2p/core/rng.ts";
import type { TopologyKind } from "./topology.ts";

/** A blow: this share of the relays, or the host, dies at this virtual second. */
export interface Kill {
  readonly what: "host" | { readonly share: number };
  readonly atSecond: number;
}

/** A cut: this share of all peers is cut off from the rest for a while. */
export interface Partition {
  readonly share: number;
  readonly atSecond: number;
  readonly seconds: number;
}

/**
 * A rule of a censor between people and relays, from this virtual second on. `freeze`: streams towards people carry so many
 * bytes and then nothing. `reset`: every so many seconds all streams are reset. `block`: nothing passes to or from this
 * share of the relays. `udp`: nothing passes on data channels.
 */
export type Rule = { readonly atSecond: number } & (
  | { readonly kind: "freeze"; readonly bytes: number }
  | { readonly kind: "reset"; readonly everySeconds: number }
  | { readonly kind: "block"; readonly share: number }
  | { readonly kind: "udp" }
);

/** A whole run. Everything that happens in it follows from this. */
export interface SimOptions {
  readonly seed: string;
  readonly listeners: number;
  /** Virtual seconds. */
  readonly seconds: number;
  /** Relays per listener. */
  readonly relays: number;
  readonly topology: TopologyKind;
  /** Share of messages that one link loses. */
  readonly loss: number;
  /** Joins and leaves a second, together. */
  readonly churn: number;
  readonly kills: readonly Kill[];
  readonly partition: Partition | undefined;
  /** What a censor does in the middle of the run. */
  readonly rules: readonly Rule[];
  /** Share of the dead that fall silent (power cut); the connections of the others are reset. */
  readonly silent: number;
  /** Listeners who raise a hand and speak, beside the host. */
  readonly speakers: number;
  /** Relays at the top of the tree. */
  readonly core: number;
  /** Sign and seal with the real primitives: the same rules at the real price. */
  readonly realCrypto: boolean;
}

/** What the command line asks for. */
export interface SimCommand {
  readonly options: SimOptions;
  readonly json: boolean;
}

/** A command line that cannot be run; the message is one sentence for a person. */
export class SimUsageError extends Error {
  override readonly name = "SimUsageError";
}

/** Open microphones are at most six, the host's among them. */
const speakersMax = 5;

/** Between the last fault and the end: time to recover, and to be seen well. */
const calmSecondsMin = 8;

const flags = {
  listeners: { type: "string" },
  seconds: { type: "string" },
  seed: { type: "string" },
  relays: { type: "string" },
  topology: { type: "string" },
  loss: { type: "string" },
  churn: { type: "string" },
  kill: { type: "string", multiple: true },
  partition: { type: "string" },
  rule: { type: "string", multiple: true },
  silent: { type: "string" },
  speakers: { type: "string" },
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
  if (values.baseline !== undefined && values.baseline !== "none") {
    throw new SimUsageError("--baseline is not built yet: it comes with the placement benchmarks.");
  }
  if (values.svg !== undefined)
    throw new SimUsageError("--svg is not built yet: it comes with the placement benchmarks.");
  const seed = values.seed ?? "1";
  const base = values.drawn === true ? drawOptions(seed) : defaultOptions(seed);
  const options = { ...base, ...readOptions(values, base) };
  const lastFault = Math.max(0, ...faultSeconds(options));
  if (lastFault > options.seconds - calmSecondsMin) {
    throw new SimUsageError(
      `The last blow must fall ${calmSecondsMin} s before the end, so that recovery can be seen.`,
    );
  }
  return { options, json: values.json ?? false };
}

/** Virtual seconds at which a planned fault is over. */
export function faultSeconds({ kills, partition, rules }: SimOptions): number[] {
  const ends = partition ? [partition.atSecond + partition.seconds] : [];
  return [...kills, ...rules].map(({ atSecond }) => atSecond).concat(ends);
}

/** Whether no way of sound is left to people once these rules are in force. */
export function isSilenced(rules: readonly Rule[]): boolean {
  return rules.some(({ kind }) => kind === "freeze") && rules.some(({ kind }) => kind === "udp");
}

/** A plain run: everybody well, nothing lost. */
export function defaultOptions(seed: string): SimOptions {
  return {
    seed,
    listeners: 200,
    seconds: 60,
    relays: 0.1,
    topology: "global",
    loss: 0,
    churn: 0,
    kills: [],
    partition: undefined,
    rules: [],
    silent: 0.3,
    speakers: 2,
    core: coreOf(200, 0.1),
    realCrypto: false,
  };
}

/** Relays of the room. More than a relay view can name would stand idle. */
export function relayCount({ listeners, relays }: Pick<SimOptions, "listeners" | "relays">): number {
  return Math.min(limits.relaysMax, Math.max(1, Math.round(listeners * relays)));
}

/** A third of the relays, so that there are some who can rise. */
function coreOf(listeners: number, relays: number): number {
  return Math.max(1, Math.min(12, Math.round(relayCount({ listeners, relays }) / 3)));
}

/** A run whose every option follows from the seed: what the tests run, and what a failing seed reproduces. */
export function drawOptions(seed: string): SimOptions {
  const rng = new Rng(seed).fork("options");
  const listeners = 80 + rng.int(121);
  const relays = 0.08 + 0.06 * rng.next();
  const kills: Kill[] = [{ what: { share: 0.1 + 0.2 * rng.next() }, atSecond: 8 + rng.int(3) }];
  if (rng.next() < 0.3) kills.push({ what: "host", atSecond: 14 + rng.int(5) });
  return {
    ...defaultOptions(seed),
    listeners,
    seconds: 30,
    relays,
    topology: rng.next() < 0.5 ? "regional" : "global",
    loss: rng.next() < 0.3 ? 0 : 0.03 * rng.next(),
    churn: 1 + rng.int(5),
    kills,
    partition: rng.next() < 0.5 ? { share: 0.1, atSecond: 13, seconds: 1 + rng.int(4) } : undefined,
    silent: rng.next(),
    speakers: 1 + rng.int(3),
    core: coreOf(listeners, relays),
  };
}

function parseFlags(args: readonly string[]) {
  try {
    return parseArgs({ args: [...args], options: flags, strict: true, allowPositionals: false }).values;
  } catch (error) {
    throw new SimUsageError(error instanceof Error ? error.message : String(error));
  }
}

function readOptions(values: Flags, base: SimOptions): Omit<SimOptions, "seed"> {
  const listeners = readNumber("--listeners", values.listeners, base.listeners, 1, 5000, true);
  const relays = readNumber("--relays", values.relays, base.relays, 0.001, 1, false);
  return {
    listeners,
    seconds: readNumber("--seconds", values.seconds, base.seconds, 5, 3600, true),
    relays,
    topology: readTopology(values.topology, base.topology),
    loss: readNumber("--loss", values.loss, base.loss, 0, 0.5, false),
    churn: readNumber("--churn", values.churn, base.churn, 0, 1000, false),
    kills: values.kill?.map(readKill) ?? base.kills,
    partition: values.partition === undefined ? base.partition : readPartition(values.partition),
    rules: values.rule?.map(readRule) ?? base.rules,
    silent: readNumber("--silent", values.silent, base.silent, 0, 1, false),
    speakers: readNumber("--speakers", values.speakers, base.speakers, 0, speakersMax, true),
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

function readKill(text: string): Kill {
  const match = /^(host|\d*\.?\d+)@(\d+(?:\.\d+)?)s?$/.exec(text);
  const share = Number(match?.[1]);
  if (match?.[1] === "host") return { what: "host", atSecond: Number(match[2]) };
  if (match !== null && share > 0 && share <= 1) return { what: { share }, atSecond: Number(match[2]) };
  throw new SimUsageError("--kill takes a share of the relays or host, and a second: 0.1@30 or host@20.");
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

function readPartition(text: string): Partition {
  const match = /^(\d*\.?\d+)@(\d+)\+(\d+)$/.exec(text);
  const share = Number(match?.[1]);
  if (match !== null && share > 0 && share < 1) {
    return { share, atSecond: Number(match[2]), seconds: Number(match[3]) };
  }
  throw new SimUsageError("--partition takes a share of the peers, a second and a length: 0.1@20+5.");
}
