import { limits } from "../../p2p/api/limits.ts";
import { Rng } from "../../p2p/core/rng.ts";
import type { TopologyKind } from "./topology.ts";

/** A blow: this share of all that lend, one of them, or the host, dies at this virtual second. */
export interface Kill {
  readonly what: "host" | "one" | { readonly share: number };
  readonly atSecond: number;
}

/** A cut: this share of all peers is cut off from the rest for a while. */
export interface Partition {
  readonly share: number;
  readonly atSecond: number;
  readonly seconds: number;
}

/** So many people come within so many seconds, beside everybody else. */
export interface Flash {
  readonly joins: number;
  readonly atSecond: number;
  readonly seconds: number;
}

/** A share of the members close their laptops, and open them again after so many seconds. */
export type Suspension = Partition;

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

/** What a run is held against: one of these, or all of them. */
export const baselineNames = ["none", "random", "greedy", "reactive", "gossip", "all"] as const;
export type BaselineName = (typeof baselineNames)[number];

/**
 * How many children each peer that lends allows. `ample`: all together 1.8 for each listener, so that none of them is idle.
 * `tailed`: each draws its own from a heavy tail, whatever that comes to.
 */
export type Uplinks = "ample" | "tailed";

/** A whole run. Everything that happens in it follows from this. */
export interface SimOptions {
  readonly seed: string;
  readonly listeners: number;
  /** Virtual seconds. */
  readonly seconds: number;
  /** Peers that lend, per listener: relays that the view ranks, and above their number members that lend. */
  readonly relays: number;
  readonly uplinks: Uplinks;
  readonly topology: TopologyKind;
  /** Share of messages that one link loses. */
  readonly loss: number;
  /** Share of pairs of people's machines that cannot connect directly. Relays that the view ranks can be dialed by all. */
  readonly nat: number;
  /** Joins and leaves a second, together. */
  readonly churn: number;
  /**
   * How long members stay: 1 as long as people do, most of them shortly and some for hours; 0.1 a tenth of that; 0 to the end.
   * Who leaves is followed by another.
   */
  readonly sessions: number;
  /** Within so many seconds the first audience comes in. */
  readonly joinSeconds: number;
  readonly flash: Flash | undefined;
  readonly suspension: Suspension | undefined;
  readonly kills: readonly Kill[];
  readonly partition: Partition | undefined;
  /** What a censor does in the middle of the run. */
  readonly rules: readonly Rule[];
  /** Share of the dead that fall silent (power cut); the connections of the others are reset. */
  readonly silent: number;
  /** Listeners who raise a hand and speak, beside the host. */
  readonly speakers: number;
  /** Microphones give a packet each so many ms: 40 as in life, or few in runs where only the tree matters. */
  readonly packetMs: number;
  /** Share of those who lend that break the rules, each in its own way. */
  readonly hostile: number;
  /** Relays at the top of the tree. */
  readonly core: number;
  /** Sign and seal with the real primitives: the same rules at the real price. */
  readonly realCrypto: boolean;
  readonly baseline: BaselineName;
}

/** Virtual seconds at which a planned fault is over. */
export function faultSeconds({ kills, partition, suspension, flash, rules }: SimOptions): number[] {
  const lasting = [partition, suspension, flash].filter((each) => each !== undefined);
  const ends = lasting.map(({ atSecond, seconds }) => atSecond + seconds);
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
    uplinks: "ample",
    topology: "global",
    loss: 0,
    nat: 0.3,
    churn: 0,
    sessions: 0,
    joinSeconds: joinSecondsOf(200),
    flash: undefined,
    suspension: undefined,
    kills: [],
    partition: undefined,
    rules: [],
    silent: 0.3,
    speakers: 2,
    packetMs: limits.packetMs,
    hostile: 0,
    core: coreOf(200, 0.1),
    realCrypto: false,
    baseline: "all",
  };
}

/** Peers that lend: relays that the view ranks, and members. */
function lenderCount({ listeners, relays }: Pick<SimOptions, "listeners" | "relays">): number {
  return Math.max(1, Math.round(listeners * relays));
}

/** Relays that the host asks to carry: as many as a relay view can name. */
export function relayCount(options: Pick<SimOptions, "listeners" | "relays">): number {
  return Math.min(limits.relaysMax, lenderCount(options));
}

/** Share of the members who lend too: what the view cannot name of all that lend. */
export function lendingShare(options: Pick<SimOptions, "listeners" | "relays">): number {
  return (lenderCount(options) - relayCount(options)) / options.listeners;
}

/** What uplinks are when nobody says: where members lend, as people's are. */
export function uplinksOf(options: Pick<SimOptions, "listeners" | "relays">): Uplinks {
  return lendingShare(options) > 0 ? "tailed" : "ample";
}

/** A third of the relays, so that there are some who can rise. */
export function coreOf(listeners: number, relays: number): number {
  return Math.max(1, Math.min(12, Math.round(relayCount({ listeners, relays }) / 3)));
}

/** The audience comes in at the pace of a busy evening, 60 a second, but takes three seconds at least. */
export function joinSecondsOf(listeners: number): number {
  return Math.max(3, listeners / 60);
}

/** A run whose every option follows from the seed: what the tests run, and what a failing seed reproduces. */
export function drawOptions(seed: string): SimOptions {
  const rng = new Rng(seed).fork("options");
  const listeners = 80 + rng.int(121);
  // No more than the view ranks: members who lend come with seeds of their own.
  const relays = Math.min(limits.relaysMax / listeners, 0.08 + 0.06 * rng.next());
  const kills: Kill[] = [{ what: { share: 0.1 + 0.2 * rng.next() }, atSecond: 8 + rng.int(3) }];
  if (rng.next() < 0.3) kills.push({ what: "host", atSecond: 14 + rng.int(5) });
  return {
    ...defaultOptions(seed),
    listeners,
    seconds: 30,
    relays,
    joinSeconds: joinSecondsOf(listeners),
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
