import type { Millis } from "../../api/ids.ts";

/** How long a packet can be asked for again: longer than any outage we promise to bridge. */
export const ringMs = 2000;
/** Packets kept at most: six voices for two seconds, twice over. */
const ringPacketsMax = 600;

/** A packet that passed every check, with the number of links it has crossed. */
export interface RingPacket {
  readonly voice: number;
  readonly sequence: number;
  readonly hops: number;
  readonly bytes: Uint8Array;
  readonly at: Millis;
}

/** The last packet somebody has of one voice: what a new parent needs to replay the hole. */
export interface Have {
  /** Voice id of the packet header, as a number. */
  readonly voice: number;
  readonly sequence: number;
}

/** The last two seconds of a room's packets, for children that come over from a parent that died. */
export class Ring {
  readonly #packets: RingPacket[] = [];
  readonly #newest = new Map<number, number>();

  add(packet: RingPacket): void {
    this.#packets.push(packet);
    const known = this.#newest.get(packet.voice);
    if (known === undefined || packet.sequence > known) this.#newest.set(packet.voice, packet.sequence);
    while (this.#packets.length > ringPacketsMax || this.#isOld(packet.at)) this.#packets.shift();
  }

  /** What the holder of `have` lacks, oldest first. A voice that it does not name is replayed not at all: it is news, not a hole. */
  after(have: readonly Have[], now: Millis): RingPacket[] {
    const known = new Map(have.map((entry) => [entry.voice, entry.sequence]));
    return this.#packets.filter((packet) => {
      const last = known.get(packet.voice);
      return last !== undefined && packet.sequence > last && packet.at >= now - ringMs;
    });
  }

  /** The newest packet of each voice still heard in the last two seconds. */
  have(now: Millis): Have[] {
    const recent = new Set(this.#packets.filter((packet) => packet.at >= now - ringMs).map((packet) => packet.voice));
    return [...this.#newest].filter(([voice]) => recent.has(voice)).map(([voice, sequence]) => ({ voice, sequence }));
  }

  /** Forgets voices that the view no longer holds. */
  retain(voices: ReadonlySet<number>): void {
    for (const voice of this.#newest.keys()) if (!voices.has(voice)) this.#newest.delete(voice);
  }

  #isOld(now: Millis): boolean {
    const first = this.#packets[0];
    return first !== undefined && first.at < now - ringMs;
  }
}
