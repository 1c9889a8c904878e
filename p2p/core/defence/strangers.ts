import type { LinkId, Millis, PeerId } from "../../api/ids.ts";
import { millis } from "../../api/ids.ts";
import { limits } from "../../api/limits.ts";
import type { Crypto } from "../crypto.ts";
import { challengeBytes, isSolution, type Puzzle, puzzleBitsMax } from "./puzzle.ts";

/** A link that has said nothing sensible for this long is closed. */
const openingMs = 5000;
/** Links that may be open without having proved anything. */
const openingMax = 256;
/** And of one peer. */
const openingPerPeerMax = 8;
/** Those who ask to be let in are counted over so long. */
const windowSeconds = 10;
/** So many a second cost nothing: a flash crowd of 1,500 in a minute that knows a single relay stays below. */
const freePerSecond = 30;
/** What the first who are too many have to do: 4,096 hashes, some milliseconds; each doubling of the rush doubles it. */
const bitsMin = 12;

/** A link that somebody else opened, as far as it is not an edge yet. */
export interface Stranger {
  readonly remote: PeerId;
  readonly openedAt: Millis;
  readonly owner: unknown;
  readonly bytes: number;
  puzzle: (Puzzle & { solved: boolean }) | undefined;
}

/**
 * Who has not proved anything yet gets little: few links, few bytes, little time ([SS9], [SS20]), and, while more come than
 * people do, only after some work of its own ([SS21]). An honest crowd waits for milliseconds; a thousand made-up peers, which
 * cost nothing without it, cost a computer for each few of them.
 */
export class Strangers {
  readonly #crypto: Crypto;
  /** Who asked, by second. */
  readonly #asked = new Array<number>(windowSeconds).fill(0);
  #second = 0;

  constructor(crypto: Crypto) {
    this.#crypto = crypto;
  }

  /** One peer's silent links go first, then the oldest of all: nobody keeps the others out. The link to close, if one is too many. */
  surplus(links: ReadonlyMap<LinkId, Stranger>, link: LinkId, remote: PeerId): LinkId | undefined {
    const opening = [...links].filter(([, known]) => known.owner === undefined);
    if (opening.filter(([, known]) => known.remote === remote).length > openingPerPeerMax) return link;
    return opening.length > openingMax ? opening[0]?.[0] : undefined;
  }

  /** Until when it has time to say something sensible. */
  endsAt(stranger: Stranger): Millis {
    return millis(stranger.openedAt + openingMs);
  }

  /** Whether it said more than anybody needs to before an edge is. */
  saysTooMuch(stranger: Stranger): boolean {
    return stranger.owner === undefined && stranger.bytes > limits.openingBytesMax;
  }

  /** Counts one who asks to be let in; what it has to solve first, if anything. */
  demand(stranger: Stranger, now: Millis): Puzzle | undefined {
    if (stranger.puzzle?.solved) return undefined;
    if (stranger.puzzle) return stranger.puzzle;
    this.#turnTo(Math.floor(now / 1000));
    const slot = this.#second % windowSeconds;
    this.#asked[slot] = (this.#asked[slot] ?? 0) + 1;
    const bits = this.bits;
    if (bits === 0) return undefined;
    stranger.puzzle = { challenge: this.#crypto.randomBytes(challengeBytes), bits, solved: false };
    return stranger.puzzle;
  }

  /** Takes a solution; false when it is none. One hash, however hard the puzzle. */
  solve(stranger: Stranger, nonce: Uint8Array): boolean {
    const { puzzle } = stranger;
    if (!puzzle || puzzle.solved || !isSolution(this.#crypto, puzzle.challenge, nonce, puzzle.bits)) return false;
    puzzle.solved = true;
    return true;
  }

  /** How hard the puzzle is now; 0: there is none. */
  get bits(): number {
    const perSecond = this.#asked.reduce((sum, count) => sum + count, 0) / windowSeconds;
    if (perSecond <= freePerSecond) return 0;
    return Math.min(puzzleBitsMax, bitsMin + Math.floor(Math.log2(perSecond / freePerSecond)));
  }

  #turnTo(second: number): void {
    const passed = Math.min(windowSeconds, Math.max(0, second - this.#second));
    for (let step = 1; step <= passed; step++) this.#asked[(this.#second + step) % windowSeconds] = 0;
    if (second - this.#second > windowSeconds) this.#asked.fill(0);
    this.#second = Math.max(this.#second, second);
  }
}
