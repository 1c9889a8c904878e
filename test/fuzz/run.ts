/**
 * `npm run fuzz -- [--for 5m] [--seed S] [--only NAME] [--grow] [--json]`: parsers of foreign bytes, and whole peers, given mutants until
 * the time is up. The seed is printed first; what breaks a parser is kept in the corpus and ends the run with 1. With `--grow` the corpus gets
 * what it has from a seed, and nothing is driven.
 */
import { randomInt } from "node:crypto";
import { TeahouseError } from "../../p2p/api/errors.ts";
import { parseDurationMs } from "../../p2p/cli/duration.ts";
import { createCrypto } from "../../p2p/io/crypto.ts";
import { CommandWords } from "../demo/command-words.ts";
import { allParsers, drive, quickCrypto } from "./all.ts";
import { keepInput } from "./corpus.ts";
import { growCorpus } from "./grow.ts";
import { driveRoom } from "./machine.ts";
import { slowFuzzers } from "./slow.ts";

/** Inputs before the next parser has its turn. */
const turnInputs = 20_000;
/** And for what costs a hundred times as much. */
const dearInputs = 200;
const roomMessages = 400;
/** An input that takes this long is as good as a crash: whoever sends it stops a relay. */
const slowMsMax = 1_000;
const usageCode = 2;

interface Tally {
  inputs: number;
  accepted: number;
  slowestMs: number;
}

class Campaign {
  readonly #endsAt: number;
  readonly #seed: string;
  readonly #only: string | undefined;
  readonly tallies = new Map<string, Tally>();
  broken: string | undefined;

  constructor(ms: number, seed: string, only: string | undefined) {
    this.#endsAt = performance.now() + ms;
    this.#seed = seed;
    this.#only = only;
  }

  get #isOver(): boolean {
    return this.broken !== undefined || performance.now() >= this.#endsAt;
  }

  /** Every parser in turn, with other mutants each round, until the time is up or something broke. */
  async run(): Promise<void> {
    const quick = allParsers(quickCrypto(this.#seed));
    const real = allParsers(createCrypto());
    for (let round = 0; !this.#isOver; round++) {
      const seed = `${this.#seed}/${round}`;
      for (const name of Object.keys(quick)) {
        this.#turn(name, quick, seed, turnInputs);
        this.#turn(name, real, seed, dearInputs);
      }
      if (this.#wants("whole peers")) this.#turnOfPeers(seed);
      for (const [name, fuzz] of Object.entries(slowFuzzers)) {
        if (this.#wants(name)) await this.#turnOf(name, seed, fuzz);
      }
    }
  }

  #wants(name: string): boolean {
    return !this.#isOver && (this.#only === undefined || this.#only === name);
  }

  #turn(name: string, parsers: ReturnType<typeof allParsers>, seed: string, inputs: number): void {
    const parser = parsers[name];
    if (!parser || !this.#wants(name)) return;
    const { broke, ...outcome } = drive(name, parser, seed, inputs, () => this.#isOver);
    this.#count(name, outcome);
    if (broke) this.broken = `${name}: ${String(broke.error)}; kept as ${keepInput(name, broke.input)}`;
    else if (outcome.slowestMs > slowMsMax) this.broken = `${name}: an input took ${outcome.slowestMs} ms`;
  }

  #turnOfPeers(seed: string): void {
    try {
      driveRoom(seed, roomMessages);
      this.#count("whole peers", { inputs: roomMessages, accepted: 0, slowestMs: 0 });
    } catch (error) {
      this.broken = `whole peers, seed ${seed}: ${error instanceof Error ? (error.stack ?? error.message) : "unknown"}`;
    }
  }

  async #turnOf(name: string, seed: string, fuzz: (seed: string, inputs: number) => Promise<void>): Promise<void> {
    try {
      await fuzz(seed, dearInputs);
      this.#count(name, { inputs: dearInputs, accepted: 0, slowestMs: 0 });
    } catch (error) {
      this.broken = `${name}, seed ${seed}: ${error instanceof Error ? (error.stack ?? error.message) : "unknown"}`;
    }
  }

  #count(name: string, { inputs, accepted, slowestMs }: Tally): void {
    const tally = this.tallies.get(name) ?? { inputs: 0, accepted: 0, slowestMs: 0 };
    tally.inputs += inputs;
    tally.accepted += accepted;
    tally.slowestMs = Math.max(tally.slowestMs, slowestMs);
    this.tallies.set(name, tally);
  }
}

const words = new CommandWords("npm run fuzz", {
  help: { type: "boolean" },
  for: { type: "string" },
  seed: { type: "string" },
  only: { type: "string" },
  grow: { type: "boolean" },
  json: { type: "boolean" },
});
const names = [...Object.keys(allParsers(quickCrypto(""))), "whole peers", ...Object.keys(slowFuzzers)];
const help = `npm run fuzz -- [--for 1m] [--seed S] [--only NAME] [--grow] [--json]
Parsers of foreign bytes, and whole peers, given mutants until the time is up; --grow adds to the corpus instead.
Exit codes: 0 nothing broke; 1 something did, and is kept in the corpus; 2 usage.
Names: ${names.join(", ")}.`;

async function run(): Promise<number> {
  const values = words.read(process.argv.slice(2));
  if (values.help) {
    console.log(help);
    return 0;
  }
  // Another name would drive nothing, and find nothing wrong.
  if (values.only !== undefined && !names.includes(values.only)) throw words.usage("--only takes one of the names");
  const ms = parseDurationMs("--for", values.for ?? "1m");
  const seed = values.seed ?? String(randomInt(2 ** 32));
  const say = (event: object, text: string): void => console.log(values.json ? JSON.stringify(event) : text);
  say({ event: "fuzz-seed", seed }, `seed ${seed}`);
  if (values.grow) {
    const kept = growCorpus(seed);
    say({ event: "fuzz-corpus", kept }, `${kept} inputs kept`);
    return 0;
  }
  let rejections = 0;
  process.on("unhandledRejection", () => rejections++);
  const campaign = new Campaign(ms, seed, values.only);
  await campaign.run();
  for (const [name, { inputs, accepted, slowestMs }] of campaign.tallies) {
    const text = `${name.padEnd(24)} ${inputs} inputs, ${accepted} taken, slowest ${slowestMs.toFixed(1)} ms`;
    say({ event: "fuzz", parser: name, inputs, accepted, slowestMs }, text);
  }
  const inputs = [...campaign.tallies.values()].reduce((sum, tally) => sum + tally.inputs, 0);
  const crashes = campaign.broken === undefined ? 0 : 1;
  say(
    { event: "fuzz-summary", seed, inputs, crashes, rejections, broken: campaign.broken ?? null },
    campaign.broken ?? `${inputs} inputs, 0 crashes, ${rejections} unhandled rejections`,
  );
  return crashes + rejections === 0 ? 0 : 1;
}

try {
  process.exitCode = await run();
} catch (error) {
  console.error(error instanceof TeahouseError ? error.message : String(error));
  process.exitCode = usageCode;
}
