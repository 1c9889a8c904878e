import { limits } from "../../../api/limits.ts";

/** Voices that something is remembered of: all that a stage holds, and as many that left it and may come back. */
const voicesKept = 2 * limits.voicesMax;

/** Something for each voice heard of late. In a room that lasts days, who has been silent longest is forgotten. */
export class RecentVoices<Account> {
  /** Oldest first. */
  readonly #accounts = new Map<string, Account>();

  /** What there is of a voice that is heard now; else made, and remembered. */
  of(voice: string, create: () => Account): Account {
    const account = this.#accounts.get(voice) ?? create();
    this.#accounts.delete(voice);
    this.#accounts.set(voice, account);
    const [oldest] = this.#accounts.keys();
    if (oldest !== undefined && this.#accounts.size > voicesKept) this.#accounts.delete(oldest);
    return account;
  }

  /** What there is of a voice, whether or not it is heard now. */
  peek(voice: string): Account | undefined {
    return this.#accounts.get(voice);
  }

  get all(): Iterable<Account> {
    return this.#accounts.values();
  }
}
