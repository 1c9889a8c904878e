/** A packet that waits for its turn. Its fields change when its place is used again: read, do not keep. */
export interface WaitingPacket {
  readonly sequence: number;
  /** Where it stands on the speaker's timeline, ms. */
  readonly mediaMs: number;
  /** By the speaker's clock, ms. */
  readonly capturedAt: number;
  readonly opus: Uint8Array;
}

const nothing: Uint8Array = new Uint8Array();

/**
 * Packets by sequence, lowest first, in places made once: nothing is allocated however many come. Of more than it
 * holds, the lowest falls.
 */
export class WaitingPackets {
  /** The first `#count` are taken. */
  readonly #places: { sequence: number; mediaMs: number; capturedAt: number; opus: Uint8Array }[];
  #count = 0;

  /** `packetsMax` are held at most. */
  constructor(packetsMax: number) {
    const place = () => ({ sequence: 0, mediaMs: 0.5, capturedAt: 0.5, opus: nothing });
    // One more than are held, so that the highest can come in before the lowest goes.
    this.#places = Array.from({ length: packetsMax + 1 }, place);
  }

  /** How many wait. */
  get count(): number {
    return this.#count;
  }

  /** The one with the lowest sequence number. */
  get first(): WaitingPacket | undefined {
    return this.#count === 0 ? undefined : this.#places[0];
  }

  /** Whether a packet of this number waits. */
  has(sequence: number): boolean {
    const at = this.#after(sequence);
    return at > 0 && this.#places[at - 1]!.sequence === sequence;
  }

  /** Takes a packet in its place in the order. `false`: one of this number waits already. */
  add(sequence: number, mediaMs: number, capturedAt: number, opus: Uint8Array): boolean {
    const places = this.#places;
    const at = this.#after(sequence);
    if (at > 0 && places[at - 1]!.sequence === sequence) return false;
    const place = places[this.#count]!;
    for (let index = this.#count; index > at; index -= 1) places[index] = places[index - 1]!;
    places[at] = place;
    place.sequence = sequence;
    place.mediaMs = mediaMs;
    place.capturedAt = capturedAt;
    place.opus = opus;
    this.#count += 1;
    return true;
  }

  /** Whether more wait than may: then the first is to be dropped. */
  get full(): boolean {
    return this.#count === this.#places.length;
  }

  /** Lets go of the first. */
  dropFirst(): void {
    const place = this.#places[0]!;
    place.opus = nothing;
    this.#count -= 1;
    for (let index = 0; index < this.#count; index += 1) this.#places[index] = this.#places[index + 1]!;
    this.#places[this.#count] = place;
  }

  /** Lets go of all. */
  clear(): void {
    while (this.#count > 0) this.dropFirst();
  }

  /** How many come before or are the one with this number. Looked for from the end, where new ones belong. */
  #after(sequence: number): number {
    let at = this.#count;
    while (at > 0 && this.#places[at - 1]!.sequence > sequence) at -= 1;
    return at;
  }
}
