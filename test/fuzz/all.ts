import type { Crypto } from "../../p2p/core/crypto.ts";
import { Rng } from "../../p2p/core/rng.ts";
import { KeyRegistry, SimCrypto } from "../sim/crypto.ts";
import { stockOf } from "./corpus.ts";
import { mutant } from "./mutate.ts";
import type { Parser, Parsers } from "./parser.ts";
import { keyParsers } from "./parsers/keys.ts";
import { linkParsers, textParsers } from "./parsers/links.ts";
import { packetParsers } from "./parsers/packets.ts";
import { portParsers } from "./parsers/ports.ts";
import { roomParsers } from "./parsers/rooms.ts";
import { worldParsers } from "./parsers/world.ts";
import { makeSamples } from "./samples.ts";

/** Every parser of foreign bytes, on these primitives. */
export function allParsers(crypto: Crypto): Parsers {
  const samples = makeSamples(crypto);
  return {
    ...packetParsers(samples),
    ...roomParsers(samples),
    ...keyParsers(samples),
    ...linkParsers(samples),
    ...textParsers(samples),
    ...worldParsers(),
    ...portParsers(),
  };
}

/**
 * Pretended primitives, a hundred times as fast: what is parsed before and behind a signature or seal is the same, so that
 * inputs by the million reach it. What the real ones refuse is tried with fewer.
 */
export function quickCrypto(seed: string): Crypto {
  return new SimCrypto(new Rng(`${seed}/crypto`), new KeyRegistry());
}

/** An input that takes longer is timed again. */
const suspiciousMs = 50;

/** How one parser took its inputs. */
export interface Outcome {
  readonly inputs: number;
  readonly accepted: number;
  /** The first input that was thrown at, or taken though it was forged; undefined: none. */
  readonly broke: { readonly input: Uint8Array; readonly error: unknown } | undefined;
  /** The longest that one input took. */
  readonly slowestMs: number;
}

/** Gives a parser so many inputs, or as many as fit until `over` says so. Stops at the first that breaks it. */
export function drive(name: string, parser: Parser, seed: string, inputs: number, over?: () => boolean): Outcome {
  const rng = new Rng(seed).fork(name);
  const stock = stockOf(name, parser);
  const known = new Set(parser.samples.map(keyOf));
  let accepted = 0;
  let slowestMs = 0;
  let count = 0;
  while (count < inputs && over?.() !== true) {
    const input = mutant(rng, stock);
    count++;
    const startedAt = performance.now();
    try {
      const taken = parser.accepts(input);
      if (taken) accepted++;
      if (taken && parser.sealed === true && !known.has(keyOf(input))) throw new Error("a forged input was taken");
    } catch (error) {
      return { inputs: count, accepted, broke: { input: input.slice(), error }, slowestMs };
    }
    const ms = performance.now() - startedAt;
    if (ms > slowestMs) slowestMs = Math.max(slowestMs, ms > suspiciousMs ? timedAgain(parser, input) : ms);
  }
  return { inputs: count, accepted, broke: undefined, slowestMs };
}

/** The machine may have stood still meanwhile: an input that is slow is slow each time. */
function timedAgain(parser: Parser, input: Uint8Array): number {
  const times = [1, 2, 3].map(() => {
    const startedAt = performance.now();
    parser.accepts(input);
    return performance.now() - startedAt;
  });
  return Math.min(...times);
}

function keyOf(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString("latin1");
}
