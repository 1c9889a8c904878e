import { limits } from "../../../api/limits.ts";
import type { Millis } from "../../../api/ids.ts";
import type { Edge } from "../edge.ts";
import type { Passed } from "./spread.ts";

/** Microphones that the audience hears at once; more than that nobody can follow (DESIGN.md). */
export const microphonesMax = 6;
/** A microphone keeps its place on the floor so long after its last packet: a breath, and a burst of loss. */
const floorMs = 10 * limits.packetMs;

interface Turn {
  readonly voiceId: number;
  lastAt: Millis;
  /** Whether the bundle under way has its packet. */
  isIn: boolean;
}

/** What goes into one bundle. */
export interface Bundled {
  readonly packets: readonly Passed[];
  /** What each neighbour brought of it. */
  readonly from: ReadonlyMap<Edge, readonly Passed[]>;
}

/**
 * Puts the packets of all open microphones together for the audience ([OV43]): sent as soon as every one of them has brought
 * its own, at the latest a tick after the first; with one microphone, at once. The floor has six places, first come.
 */
export class Bundler {
  readonly #send: (bundled: Bundled, now: Millis) => void;
  #floor: Turn[] = [];
  #packets: Passed[] = [];
  #from = new Map<Edge, Passed[]>();
  #openedAt: Millis | undefined;

  constructor(send: (bundled: Bundled, now: Millis) => void) {
    this.#send = send;
  }

  /** Takes the packets of one voice and tick, or of several. */
  add(packets: readonly Passed[], from: Edge | undefined, now: Millis): void {
    for (const packet of packets) {
      const turn = this.#turnOf(packet.voiceId, now);
      if (!turn) continue;
      const again = turn.isIn && this.#holds(packet);
      if (again) this.#flush(now);
      turn.isIn = true;
      this.#packets.push(packet);
      this.#openedAt ??= now;
      if (from) this.#from.set(from, [...(this.#from.get(from) ?? []), packet]);
    }
    if (this.#packets.length > 0 && this.#floor.every((turn) => turn.isIn)) this.#flush(now);
  }

  handleTimeout(now: Millis): void {
    if (now >= this.dueAt) this.#flush(now);
  }

  /** When what waits is sent; infinite while nothing waits. */
  get dueAt(): number {
    return this.#openedAt === undefined ? Infinity : this.#openedAt + limits.packetMs;
  }

  #holds({ voiceId, layer }: Passed): boolean {
    return this.#packets.some((packet) => packet.voiceId === voiceId && packet.layer === layer);
  }

  /** The place of a voice on the floor; undefined when all are taken. */
  #turnOf(voiceId: number, now: Millis): Turn | undefined {
    let turn = this.#floor.find((known) => known.voiceId === voiceId);
    if (!turn) {
      this.#floor = this.#floor.filter((known) => known.isIn || now - known.lastAt <= floorMs);
      if (this.#floor.length >= microphonesMax) return undefined;
      turn = { voiceId, lastAt: now, isIn: false };
      this.#floor.push(turn);
    }
    turn.lastAt = now;
    return turn;
  }

  #flush(now: Millis): void {
    const bundled = { packets: this.#packets, from: this.#from };
    this.#packets = [];
    this.#from = new Map();
    this.#openedAt = undefined;
    // Who closed its microphone is not waited for.
    this.#floor = this.#floor.filter((turn) => turn.isIn || now - turn.lastAt <= 2 * limits.packetMs);
    for (const turn of this.#floor) turn.isIn = false;
    this.#send(bundled, now);
  }
}
