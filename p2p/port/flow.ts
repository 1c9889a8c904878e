/** Sounds on their way that the other side has not taken: half a second of a full stage, 6 voices of 25 packets. */
const underwayMax = 75;
/** Sounds that wait on our side beyond that; older ones would be too late to play. */
const waitingMax = 75;
/** A receiver says what it took after this many, and so well before the sender has to wait. */
const soundsUntold = 16;

/** Sends sound to a side that may not keep up: it never waits, and what is oldest falls. */
export class SoundFlow {
  /** Packets that fell. */
  dropped = 0;
  #sent = 0;
  #taken = 0;
  readonly #waiting: Uint8Array[] = [];
  readonly #post: (bytes: Uint8Array) => void;

  constructor(post: (bytes: Uint8Array) => void) {
    this.#post = post;
  }

  send(bytes: Uint8Array): void {
    this.#waiting.push(bytes);
    if (this.#waiting.length > waitingMax) {
      this.#waiting.shift();
      this.dropped += 1;
    }
    this.#drain();
  }

  /** The other side has taken this many in all. False when that cannot be. */
  took(total: number): boolean {
    if (total < this.#taken || total > this.#sent) return false;
    this.#taken = total;
    this.#drain();
    return true;
  }

  #drain(): void {
    while (this.#sent - this.#taken < underwayMax) {
      const next = this.#waiting.shift();
      if (next === undefined) return;
      this.#sent += 1;
      this.#post(next);
    }
  }
}

/** Events on their way that a window has not taken before no more are sent: minutes of a busy room. */
const eventsUnderwayMax = 512;

/** Counts events on their way to a side that may not keep up: a window that was frozen gets a snapshot instead. */
export class EventFlow {
  #sent = 0;
  #taken = 0;
  #isBehind = false;

  /** Whether the next event may go out; counts it when it may. */
  mayTell(): boolean {
    if (this.#isBehind || this.#sent - this.#taken >= eventsUnderwayMax) {
      this.#isBehind = true;
      return false;
    }
    this.#sent += 1;
    return true;
  }

  /** The other side has taken this many in all. `caught-up`: events were left out, and now it can be told anew. */
  took(total: number): "ok" | "caught-up" | "impossible" {
    if (total < this.#taken || total > this.#sent) return "impossible";
    this.#taken = total;
    if (!this.#isBehind || this.#sent > this.#taken) return "ok";
    this.#isBehind = false;
    return "caught-up";
  }
}

/** Counts what came in on the receiving side, and says when to tell the other. */
export class Receipts {
  events = 0;
  sounds = 0;
  #soundsTold = 0;

  /** One more sound; true when it is time to tell. */
  sound(): boolean {
    this.sounds += 1;
    return this.sounds - this.#soundsTold >= soundsUntold;
  }

  /** Events are few, and each is told at once. */
  event(): void {
    this.events += 1;
  }

  told(): void {
    this.#soundsTold = this.sounds;
  }
}
