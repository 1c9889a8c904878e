/** Connections at once to one address and port, those being dialed included: what a browser's page would have. */
const connectionsMax = 2;
/** Dials to one address and port within `windowMs`: Russian rules count connections to one address (censorship anchor, 6). */
const dialsMax = 3;
const windowMs = 60_000;
/** Addresses that are kept in mind; the oldest idle one is forgotten for a new one. */
const addressesMax = 4096;

interface Account {
  /** Of the dials within the window, oldest first. */
  dialedAt: number[];
  open: number;
  /** Whether somebody proved there to be who we looked for. */
  proved: boolean;
}

/** A dial that may go on. */
export interface Ticket {
  /** Who answered has proved its key. */
  proved(): void;
  /** The dial failed, or its connection ended. Calling it again does nothing. */
  end(): void;
}

/**
 * The dial budget of everything that this run does: at most two connections at once and three dials a minute to one
 * address and port. Until somebody has proved itself there, one at a time: whoever an invite names may be a stranger.
 */
export class DialBudget {
  readonly #now: () => number;
  readonly #accounts = new Map<string, Account>();

  /** `now`: milliseconds that do not step back. */
  constructor(now: () => number) {
    this.#now = now;
  }

  /** Takes one dial to `host:port`. A number says in how many ms it may be asked again. */
  take(address: string): Ticket | number {
    const now = this.#now();
    const account = this.#account(address);
    account.dialedAt = account.dialedAt.filter((at) => at > now - windowMs);
    const [first = now] = account.dialedAt;
    if (account.dialedAt.length >= dialsMax) return first + windowMs - now;
    // Whoever hangs up is gone at once; nobody knows when that will be.
    if (account.open >= (account.proved ? connectionsMax : 1)) return busyMs;
    account.dialedAt.push(now);
    account.open++;
    let ended = false;
    return {
      proved: () => {
        account.proved = true;
      },
      end: () => {
        if (!ended) account.open--;
        ended = true;
      },
    };
  }

  /** Counts one more dial of the connection that is being made, another way. A number says in how many ms it may go. */
  charge(address: string): number | undefined {
    const now = this.#now();
    const account = this.#account(address);
    const [first = now] = account.dialedAt;
    if (account.dialedAt.length >= dialsMax) return first + windowMs - now;
    account.dialedAt.push(now);
    return undefined;
  }

  #account(address: string): Account {
    const known = this.#accounts.get(address);
    if (known !== undefined) {
      // Moves to the end: the oldest is forgotten first.
      this.#accounts.delete(address);
      this.#accounts.set(address, known);
      return known;
    }
    if (this.#accounts.size >= addressesMax) {
      for (const [key, { open }] of this.#accounts) {
        if (open > 0) continue;
        this.#accounts.delete(key);
        break;
      }
    }
    const fresh: Account = { dialedAt: [], open: 0, proved: false };
    this.#accounts.set(address, fresh);
    return fresh;
  }
}

/** When to ask again for a place that is taken. */
const busyMs = 2000;
