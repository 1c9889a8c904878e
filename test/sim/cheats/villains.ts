import type { Rng } from "../../../p2p/core/rng.ts";
import type { Part } from "../observer.ts";
import type { Bending } from "./bent-machine.ts";
import { crowdCheats } from "./crowd.ts";
import { mediaCheats } from "./media.ts";
import { paperCheats } from "./papers.ts";

/** Who comes as many: so many more under other keys, from one address, all at once; for so long; and so often. */
export const crowdOfOne = 8;
export const crowdStaysMs = 5000;
export const crowdsMax = 4;
const asMany = "comes as many";

/** Every way to cheat, by who can: whoever lends, or anybody who comes in. */
export const cheats: Readonly<Record<"lender" | "listener", Readonly<Record<string, () => Bending>>>> = {
  lender: { ...mediaCheats, ...paperCheats },
  listener: { ...crowdCheats, [asMany]: () => ({}) },
};

/** One who breaks the rules. */
export interface Villain {
  readonly bending: Bending;
  /** Whether it comes under several keys. */
  readonly isMany: boolean;
}

/** Draws who cheats, and how. */
export class Villains {
  private readonly share: number;
  private readonly rng: Rng;
  private drawn = 0;

  /** @param share of members, and of the relays that the view ranks, that break the rules. */
  constructor(share: number, rng: Rng) {
    this.share = share;
    this.rng = rng;
  }

  /** How this peer breaks the rules; undefined for who is honest. Each way comes in turn. */
  draw(part: Part): Villain | undefined {
    if (part === "host" || part === "speaker" || this.share === 0 || this.rng.next() >= this.share) return undefined;
    const able =
      part === "listener"
        ? cheats.listener
        : part === "relay"
          ? cheats.lender
          : { ...cheats.lender, ...cheats.listener };
    const ways = Object.entries(able);
    const [way, make] = ways[this.drawn++ % ways.length]!;
    return { bending: make(), isMany: way === asMany };
  }
}
