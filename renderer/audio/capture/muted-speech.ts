/** Of the latest half second, so much must be speech: a cough or a key is shorter. */
const readings = 10;
const loudReadings = 6;
/** Speech at arm's length is louder than -42 dBFS after the browser's gain control; a quiet room is not. */
const speechRms = 0.008;
/** And 12 dB above what the room sounds like: a fan is no speech. */
const aboveRoom = 4;
/** How fast the room's own sound is learnt, a reading: up slowly, down at once. */
const roomRise = 1.01;
const roomRmsMin = 1e-4;
/** Said again at most so often. */
const restMs = 10_000;

/** Notices when somebody talks who is muted, from loudness alone. */
export class MutedSpeech {
  readonly #loud: boolean[] = [];
  #room = speechRms / aboveRoom;
  #toldAt = Number.NEGATIVE_INFINITY;

  /** Takes a reading, 20 times a second; `now` in ms. True when it is to be said. */
  hear(rms: number, now: number): boolean {
    this.#room = Math.max(roomRmsMin, Math.min(rms, this.#room * roomRise));
    this.#loud.push(rms > speechRms && rms > this.#room * aboveRoom);
    if (this.#loud.length > readings) this.#loud.shift();
    if (this.#loud.filter(Boolean).length < loudReadings || now - this.#toldAt < restMs) return false;
    this.#toldAt = now;
    this.reset();
    return true;
  }

  /** What was heard before counts no more. */
  reset(): void {
    this.#loud.length = 0;
  }
}
