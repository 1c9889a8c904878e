import { type Millis, millis, type PeerId } from "../../../api/ids.ts";
import type { Deadline } from "../../machine.ts";

/**
 * Bytes towards us, on the wire, after which streams freeze where the network does that: seen at 15 to 20 KB
 * (anchors: Russia, since June 2025), and we only guess what the wire counts. A stream that carried more is not frozen.
 */
const frozenBytesMin = 10_000;
const frozenBytesMax = 48_000;
/** What the wire counts that we do not see: TLS with a certificate, WebSocket, Noise, yamux and identify, and for each message their heads. */
const handshakeBytes = 4_500;
const messageBytes = 50;
/** Freezes in a row, of one relay, that make a verdict. */
const verdictFreezes = 2;
/** Freezes in a row, of whatever relays, after which media is not asked for even if some relay was not tried. */
const streakMax = 6;
/** How long a person who hears nothing waits before media is tried again by itself, doubling. */
const muteMsFirst = 180_000;
const muteMsMax = 720_000;

/** What came over one link. */
export interface Received {
  readonly bytes: number;
  readonly messages: number;
}

/** Knows which relays' streams freeze after some kilobytes, and when to stop asking for media ([SS12], [OV16]). */
export class FreezeWatch {
  readonly #inARow = new Map<PeerId, number>();
  #streak = 0;
  #mutedUntil: Millis | undefined;
  #muteMs = muteMsFirst;

  /**
   * A stream to this relay was open, but nothing came on it any more.
   * @param alone nothing else carried media, so that sound stopped with it.
   */
  silent(peer: PeerId, received: Received, alone: boolean): void {
    const wireBytes = onTheWire(received);
    if (wireBytes > frozenBytesMax) return this.#clear(peer);
    if (wireBytes < frozenBytesMin) return;
    this.#inARow.set(peer, (this.#inARow.get(peer) ?? 0) + 1);
    if (alone) this.#streak++;
  }

  /** A stream to this relay is well: clears it when it has carried more than those that freeze. */
  alive(peer: PeerId, received: Received): void {
    if (onTheWire(received) > frozenBytesMax) this.#clear(peer);
  }

  /** Whether anything is suspected at all: what costs time is done only then. */
  get suspects(): boolean {
    return this.#inARow.size > 0;
  }

  /** Its last stream froze. */
  froze(peer: PeerId): boolean {
    return this.#inARow.has(peer);
  }

  /** Two streams in a row froze: it is the way to this relay, and no accident. */
  isFrozen(peer: PeerId): boolean {
    return (this.#inARow.get(peer) ?? 0) >= verdictFreezes;
  }

  /** Whether media is not asked for now. */
  get muted(): boolean {
    return this.#mutedUntil !== undefined;
  }

  /** Mutes when every one of these relays froze. True when it did so just now. */
  judge(relays: readonly PeerId[], now: Millis): boolean {
    if (this.muted || this.#streak < verdictFreezes) return false;
    if (this.#streak < streakMax && !relays.every((peer) => this.froze(peer))) return false;
    this.#mutedUntil = millis(now + this.#muteMs);
    this.#muteMs = Math.min(muteMsMax, 2 * this.#muteMs);
    return true;
  }

  /** Whether it is time to ask for media again. */
  isDue(now: Millis): boolean {
    return this.#mutedUntil !== undefined && now >= this.#mutedUntil;
  }

  /** Media is asked for again; one more freeze mutes again, unless some relay has not been tried. */
  tryAgain(): void {
    this.#mutedUntil = undefined;
    this.#streak = Math.min(this.#streak, verdictFreezes - 1);
  }

  /** The network is another one, or a person wants it: everything is as on the first day. */
  forget(): void {
    this.#inARow.clear();
    this.#streak = 0;
    this.#mutedUntil = undefined;
    this.#muteMs = muteMsFirst;
  }

  deadline(): Deadline | undefined {
    return this.#mutedUntil === undefined ? undefined : { at: this.#mutedUntil, reason: "ask for media again" };
  }

  #clear(peer: PeerId): void {
    this.#inARow.delete(peer);
    this.#streak = 0;
    this.#muteMs = muteMsFirst;
  }
}

function onTheWire({ bytes, messages }: Received): number {
  return handshakeBytes + bytes + messages * messageBytes;
}
