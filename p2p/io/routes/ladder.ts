import { createHash } from "node:crypto";
import { networkInterfaces } from "node:os";
import type { Proxy } from "../../api/socket.ts";
import type { Rung } from "../../api/way.ts";

/** A WebRTC upgrade that failed here is not tried again for this long: UDP that is blocked stays blocked, and shows. */
const upgradeRestMs = 5 * 60_000;
/** A way that had to be taken because a better one failed is begun with for this long; then the better one is tried. */
const fallbackMs = 10 * 60_000;
/** Networks that are remembered, in memory only; the oldest is forgotten. */
const networksMax = 16;

/** What the person chose, with the proxy read. */
export interface LadderChoice {
  readonly rung: Rung | "auto";
  readonly proxy: Proxy | undefined;
  readonly proxyUse: "always" | "fallback";
}

interface Memory {
  /** Until when dials begin with the proxy, because straight ones failed and it worked. */
  proxyUntil: number;
  /** Until when no data channel is asked for; 0: none has failed. */
  upgradeAt: number;
}

/** What the ladder is made of; both are the world's. */
export interface LadderWorld {
  /** Milliseconds that do not step back. */
  now(): number;
  /** Says which network this computer is in, in any form. */
  network(): string;
}

/**
 * Which way to take, by choice and by what worked in this network: lan → wss → webrtc beside it → proxy. Automatic unless a
 * choice forces it; nothing is remembered beyond the run.
 */
export class Ladder {
  readonly #world: LadderWorld;
  readonly #memories = new Map<string, Memory>();
  #choice: LadderChoice;

  constructor(world: LadderWorld, choice: LadderChoice) {
    this.#world = world;
    this.#choice = choice;
  }

  get choice(): LadderChoice {
    return this.#choice;
  }

  /** From now on. What was learned of the networks is forgotten: whoever chooses anew knows better. */
  choose(choice: LadderChoice): void {
    this.#choice = choice;
    this.#memories.clear();
  }

  /** Whether nothing may go beside the proxy. */
  get proxied(): boolean {
    const { rung, proxy, proxyUse } = this.#choice;
    return rung === "proxy" || (proxy !== undefined && proxyUse === "always");
  }

  /** The proxies to try for a socket, in this order; undefined is straight. Empty: the choice leaves no way. */
  ways(): readonly (Proxy | undefined)[] {
    const { rung, proxy } = this.#choice;
    if (this.proxied) return proxy === undefined ? [] : [proxy];
    if (rung !== "auto" || proxy === undefined) return [undefined];
    return this.#memory().proxyUntil > this.#world.now() ? [proxy, undefined] : [undefined, proxy];
  }

  /** A socket opened: the next one begins the same way. */
  opened(proxy: Proxy | undefined): void {
    const memory = this.#memory();
    if (proxy === undefined) memory.proxyUntil = 0;
    else if (memory.proxyUntil <= this.#world.now()) memory.proxyUntil = this.#world.now() + fallbackMs;
  }

  /** Whether a data channel may be made at all, ours or another's: UDP goes through no proxy. */
  get allowsUdp(): boolean {
    const { rung } = this.#choice;
    return !this.proxied && (rung === "auto" || rung === "webrtc");
  }

  /** Whether one may be asked for now. */
  mayUpgrade(): boolean {
    if (!this.allowsUdp || this.#memory().proxyUntil > this.#world.now()) return false;
    return this.#choice.rung === "webrtc" || this.#memory().upgradeAt <= this.#world.now();
  }

  /** How asking for one ended. */
  upgraded(worked: boolean): void {
    this.#memory().upgradeAt = worked ? 0 : this.#world.now() + upgradeRestMs;
  }

  #memory(): Memory {
    const network = this.#world.network();
    const known = this.#memories.get(network) ?? { proxyUntil: 0, upgradeAt: 0 };
    this.#memories.delete(network);
    this.#memories.set(network, known);
    if (this.#memories.size > networksMax) {
      const oldest = this.#memories.keys().next();
      if (oldest.done !== true) this.#memories.delete(oldest.value);
    }
    return known;
  }
}

/** A fingerprint of the networks that this computer is in now: its interfaces and their subnets, hashed. */
export function networkFingerprint(): string {
  const facts = Object.entries(networkInterfaces())
    .flatMap(([name, addresses]) => (addresses ?? []).map(({ internal, cidr, mac }) => ({ name, internal, cidr, mac })))
    .filter(({ internal, cidr }) => !internal && cidr?.startsWith("fe80:") === false)
    .map(({ name, cidr, mac }) => `${name} ${cidr} ${mac}`);
  return createHash("sha256").update(facts.toSorted().join("\n")).digest("base64");
}
