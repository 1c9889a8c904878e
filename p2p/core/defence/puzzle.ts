import type { LinkId } from "../../api/ids.ts";
import { concat } from "../bytes.ts";
import type { Crypto } from "../crypto.ts";

/** Drawn by the relay for one link: nothing can be worked out beforehand, nor used twice. */
export const challengeBytes = 16;
/** What is looked for. */
export const nonceBytes = 8;
/** Half a second's work on a slow phone; more is not asked, and not done for anybody. */
export const puzzleBitsMax = 18;
/** Hashes in one piece of work: under 5 ms, so that a room's sound goes on meanwhile. */
const triesAtOnce = 1_500;

/** Hashcash (Back, 2002): sha256(challenge | nonce) begins with so many zero bits. */
export function isSolution(crypto: Crypto, challenge: Uint8Array, nonce: Uint8Array, bits: number): boolean {
  const hash = crypto.sha256(concat(challenge, nonce));
  const [first = 0xff, second = 0xff, third = 0xff] = hash;
  return Math.clz32((first << 24) | (second << 16) | (third << 8) | 0xff) >= bits;
}

/** What has to be solved before a hello is looked at. */
export interface Puzzle {
  readonly challenge: Uint8Array;
  readonly bits: number;
}

interface Job extends Puzzle {
  next: number;
}

/** A puzzle that is solved: what to say on its link, the solution and then once more what was said first. */
export interface Solved {
  readonly link: LinkId;
  readonly nonce: Uint8Array;
  readonly hello: Uint8Array;
}

/** Solves the puzzles of relays that are rushed at, a piece at a time. */
export class Solver {
  readonly #crypto: Crypto;
  /** The hello that went out on each link that is not let in yet. */
  readonly #hellos = new Map<LinkId, Uint8Array>();
  readonly #jobs = new Map<LinkId, Job>();

  constructor(crypto: Crypto) {
    this.#crypto = crypto;
  }

  get isBusy(): boolean {
    return this.#jobs.size > 0;
  }

  /** Notes a hello that goes out. */
  note(link: LinkId, hello: Uint8Array): void {
    this.#hellos.set(link, hello);
  }

  forget(link: LinkId): void {
    this.#hellos.delete(link);
    this.#jobs.delete(link);
  }

  /** Takes a puzzle; false when we asked for nothing on that link, or it is too hard. */
  take(link: LinkId, { challenge, bits }: Puzzle): boolean {
    if (!this.#hellos.has(link) || this.#jobs.has(link) || bits > puzzleBitsMax) return false;
    this.#jobs.set(link, { challenge, bits, next: 0 });
    return true;
  }

  /** Works a little. What got solved. */
  work(): Solved[] {
    const solved: Solved[] = [];
    const tries = Math.ceil(triesAtOnce / Math.max(1, this.#jobs.size));
    for (const [link, job] of this.#jobs) {
      const nonce = this.#try(job, tries);
      const hello = this.#hellos.get(link);
      if (!nonce || !hello) continue;
      this.#jobs.delete(link);
      solved.push({ link, nonce, hello });
    }
    return solved;
  }

  #try(job: Job, tries: number): Uint8Array | undefined {
    const nonce = new Uint8Array(nonceBytes);
    const view = new DataView(nonce.buffer);
    for (const end = job.next + tries; job.next < end; job.next++) {
      view.setUint32(4, job.next);
      if (isSolution(this.#crypto, job.challenge, nonce, job.bits)) return nonce;
    }
    return undefined;
  }
}
