import { type Millis, millis, type PeerId } from "../../../api/ids.ts";

/** Signature checks that one neighbour may waste at once, and a second: an honest one wastes none, a lagging one a few. */
const faultsBurst = 20;
const faultsPerSecond = 2;
/** How long a neighbour that wasted more is not let in again. */
const shunMs = 60_000;
/** Neighbours remembered; the oldest is forgiven first. */
const rememberedMax = 256;

interface Grudge {
  tokens: number;
  at: Millis;
  shunnedUntil: Millis | undefined;
}

/** Holds neighbours to account for what costs a signature check and proves to be false ([OV14]). */
export class Grudges {
  readonly #known = new Map<PeerId, Grudge>();

  /** Charges a neighbour. True when it has used up what is forgiven, and is to be cut off. */
  charge(peer: PeerId, now: Millis): boolean {
    const grudge = this.#known.get(peer) ?? { tokens: faultsBurst, at: now, shunnedUntil: undefined };
    grudge.tokens = Math.min(faultsBurst, grudge.tokens + ((now - grudge.at) / 1000) * faultsPerSecond) - 1;
    grudge.at = now;
    this.#known.delete(peer);
    this.#known.set(peer, grudge);
    for (const oldest of this.#known.keys()) {
      if (this.#known.size <= rememberedMax) break;
      this.#known.delete(oldest);
    }
    if (grudge.tokens >= 0) return false;
    grudge.shunnedUntil = millis(now + shunMs);
    return true;
  }

  isShunned(peer: PeerId, now: Millis): boolean {
    return (this.#known.get(peer)?.shunnedUntil ?? 0) > now;
  }
}
