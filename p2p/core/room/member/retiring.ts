import { type Millis, millis } from "../../../api/ids.ts";
import { limits } from "../../../api/limits.ts";
import { equal } from "../../bytes.ts";
import type { Crypto } from "../../crypto.ts";
import type { KeyPair } from "../rights/keys.ts";
import type { RelayView } from "../state/view.ts";

/** One's own and, with whoever keeps the room, those of who left: two full stages, and what is more is never published. */
const waitingMax = 2 * limits.voicesMax;

interface Retiring extends KeyPair {
  /** Since when no view names it, as far as is known here. */
  since: Millis;
}

/** Voice keys that were let go and wait to be published: until nobody accepts them any more ([RM64]). */
export class RetiringVoices {
  readonly #crypto: Crypto;
  #waiting: Retiring[] = [];

  constructor(crypto: Crypto) {
    this.#crypto = crypto;
  }

  /** From now on it waits. False when it did already, or too many do. */
  add(seed: Uint8Array, now: Millis): boolean {
    if (this.#waiting.length >= waitingMax || this.#waiting.some((each) => equal(each.seed, seed))) return false;
    this.#waiting.push({ seed: seed.slice(), key: this.#crypto.publicKey(seed), since: now });
    return true;
  }

  /** A view is in force: what it names is still accepted, whoever let go of it. */
  takeView({ voices }: Pick<RelayView, "voices">, now: Millis): void {
    for (const each of this.#waiting) if (voices.some(({ key }) => equal(key, each.key))) each.since = now;
  }

  /** Which to publish now. */
  due(view: Pick<RelayView, "voices"> | undefined, now: Millis): readonly Uint8Array[] {
    if (this.dueAt === undefined || now < this.dueAt) return [];
    // Without a newer view it is in force as long as it is not replaced.
    if (view) this.takeView(view, now);
    const isDue = ({ since }: Retiring): boolean => now >= since + limits.voiceRetireMs;
    const seeds = this.#waiting.filter(isDue).map(({ seed }) => seed);
    this.#waiting = this.#waiting.filter((each) => !isDue(each));
    return seeds;
  }

  get dueAt(): Millis | undefined {
    const since = this.#waiting.reduce((least, each) => Math.min(least, each.since), Infinity);
    return since === Infinity ? undefined : millis(since + limits.voiceRetireMs);
  }

  /** Those that wait, when we go: somebody else has to publish them. */
  get seeds(): readonly Uint8Array[] {
    return this.#waiting.map(({ seed }) => seed);
  }

  /** Overwrites them. */
  wipe(): void {
    for (const { seed } of this.#waiting) seed.fill(0);
    this.#waiting = [];
  }
}
