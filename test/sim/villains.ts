import { dialId } from "../../p2p/api/ids.ts";
import type { RelayAddress } from "../../p2p/api/link.ts";
import type { PeerInput, PeerOutput } from "../../p2p/core/peer-io.ts";
import type { Rng } from "../../p2p/core/rng.ts";
import { encodeFrame, parseFrame } from "../../p2p/core/session/frames.ts";
import { isMedia } from "./hostile.ts";
import type { Bending } from "./hostile.ts";

/** Children that a liar offers for each that its uplink carries. */
const boast = 10;
/** Later than any deadline, sooner than anybody's patience. */
const lateMs = 600;
/** Links that a flooder opens at once, and how often. */
const floodDials = 10;
const floodEveryMs = 1000;
/** Numbers of its own dials, far from those of the machine. */
const floodDialFirst = 1_000_000;

const mediaOf = (output: PeerOutput): Uint8Array | undefined =>
  output.kind === "send" && isMedia(output.bytes) ? output.bytes : undefined;

/** Ways to cheat for who lends: what it does with what it should pass on, and what it says of itself. */
const lenders: Readonly<Record<string, () => Bending>> = {
  "forwards nothing": () => ({ output: (output) => (mediaOf(output) ? [] : [output]) }),
  "forwards half": () => {
    let count = 0;
    return { output: (output) => (mediaOf(output) && count++ % 2 === 0 ? [] : [output]) };
  },
  "forwards late": () => ({ delayMs: (output) => (mediaOf(output) ? lateMs : 0) }),
  "forwards twice": () => ({ output: (output) => (mediaOf(output) ? [output, output] : [output]) }),
  "forwards damaged packets": () => ({
    output(output) {
      const bytes = mediaOf(output);
      if (bytes === undefined || output.kind !== "send") return [output];
      const damaged = bytes.slice();
      damaged[damaged.length - 1]! ^= 1;
      return [{ ...output, bytes: damaged }];
    },
  }),
  "offers more than it has": () => ({
    input(input) {
      if (input.kind !== "command" || input.command.kind !== "volunteer") return input;
      const { options } = input.command;
      const maxChildren = (options.maxChildren ?? 1) * boast;
      return { kind: "command", command: { ...input.command, options: { ...options, maxChildren } } };
    },
  }),
};

/** Ways to cheat for anybody. */
const anybody: Readonly<Record<string, () => Bending>> = {
  "claims to be core": () => ({
    output(output) {
      if (output.kind !== "send") return [output];
      const frame = parseFrame(output.bytes);
      return frame?.kind === "hello" ? [{ ...output, bytes: encodeFrame({ ...frame, role: "core" }) }] : [output];
    },
  }),
  "floods with joins": () => {
    let target: RelayAddress | undefined;
    let floodedAt = -Infinity;
    let next = floodDialFirst;
    return {
      input(input: PeerInput, now, say) {
        if (target !== undefined && now >= floodedAt + floodEveryMs) {
          floodedAt = now;
          for (let count = 0; count < floodDials; count++) {
            say({ kind: "dial", dial: dialId(next++), target, fresh: true });
          }
        }
        return input;
      },
      output(output) {
        if (output.kind === "dial") target ??= output.target;
        return [output];
      },
    };
  },
  "says everything twice": () => ({
    output: (output) => (output.kind === "send" && !isMedia(output.bytes) ? [output, output] : [output]),
  }),
};

/** Draws who cheats, and how. */
export class Villains {
  private readonly share: number;
  private readonly rng: Rng;
  private drawn = 0;

  /** @param share of members that break the rules. */
  constructor(share: number, rng: Rng) {
    this.share = share;
    this.rng = rng;
  }

  /** How this member breaks the rules; undefined for who is honest. Each way comes in turn. */
  draw(lends: boolean): Bending | undefined {
    if (this.share === 0 || this.rng.next() >= this.share) return undefined;
    const ways = Object.values(lends ? { ...lenders, ...anybody } : anybody);
    return ways[this.drawn++ % ways.length]!();
  }
}
