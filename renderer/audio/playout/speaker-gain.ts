import { rmsOf } from "../level.ts";

/**
 * What speech is brought to: -23 dBFS, the loudness of EBU R 128. Between telephony's -26 (ITU-T P.56 and P.830) and the
 * -18 of a single voice on a phone (AES TD1008), it leaves room for several at once.
 */
const targetRms = 10 ** (-23 / 20);
/** Quieter than -50 dBFS is no voice: raised, it would be noise (WebRTC's AGC2 allows noise up to the same level). */
const voiceRms = 10 ** (-50 / 20);
/** Nor is what is 10 dB below this speaker's own loudness (the relative gate of ITU-R BS.1770). */
const ownGate = 10 ** (-10 / 20);
/** Loudness is averaged over 3 s of voice (short-term loudness, EBU Tech 3341), at first faster, so that nobody waits. */
const averagedSeconds = 3;
const settledSeconds = 0.4;
/** A whisper is raised, a shout lowered, so much at most: 15 dB and 12 dB. */
const raiseMax = 10 ** (15 / 20);
const lowerMax = 10 ** (-12 / 20);
/** How fast it may change while somebody speaks, in dB a second: half of what AGC2 allows, since faster is heard as pumping. */
const decibelsPerSecond = 3;
/** Until a voice is known, it is found faster. */
const decibelsPerSecondAtFirst = 12;
/** A person's own choice is followed within so many seconds, without a click. */
const volumeSeconds = 0.02;

/** One speaker's loudness, evened out slowly, and then as this person chose. */
export class SpeakerGain {
  readonly #sampleRate: number;
  #levelling = true;
  /** Mean square of this speaker's voice; 0 until known. */
  #power = 0;
  #heardSeconds = 0;
  /** Whether the block of now holds voice. */
  #speaks = false;
  #level = 1;
  #volume = 1;
  #wantedVolume = 1;

  constructor(sampleRate: number) {
    this.#sampleRate = sampleRate;
  }

  /** What levelling multiplies by now. */
  get level(): number {
    return this.#level;
  }

  /** 0 silent, 1 as the others, 2 at most. */
  setVolume(volume: number): void {
    this.#wantedVolume = volume;
  }

  setLevelling(levelling: boolean): void {
    this.#levelling = levelling;
  }

  /** Evens a block out, in place. */
  even(block: Float32Array): void {
    const from = this.#level;
    const seconds = block.length / this.#sampleRate;
    const rms = rmsOf(block);
    this.#speaks = rms > voiceRms && rms * rms > this.#power * ownGate * ownGate;
    if (this.#speaks) this.#hear(rms * rms, seconds);
    const wanted = this.#wanted(seconds);
    for (let index = 0; index < block.length; index += 1)
      block[index]! *= from + ((wanted - from) * (index + 1)) / block.length;
    this.#level = wanted;
  }

  /** Makes a block as loud as this person chose, in place. */
  adjust(block: Float32Array): void {
    if (this.#volume === 1 && this.#wantedVolume === 1) return;
    const keep = Math.exp(-1 / (volumeSeconds * this.#sampleRate));
    for (let index = 0; index < block.length; index += 1) {
      this.#volume = this.#wantedVolume + (this.#volume - this.#wantedVolume) * keep;
      block[index]! *= this.#volume;
    }
    if (Math.abs(this.#volume - this.#wantedVolume) < 1e-4) this.#volume = this.#wantedVolume;
  }

  #hear(power: number, seconds: number): void {
    this.#heardSeconds += seconds;
    const over = Math.min(averagedSeconds, Math.max(seconds, this.#heardSeconds));
    this.#power += (power - this.#power) * (seconds / over);
  }

  /** Moves only while there is voice: in pauses the room behind it would swell. */
  #wanted(seconds: number): number {
    if (this.#levelling && !this.#speaks) return this.#level;
    const goal = this.#levelling && this.#heardSeconds >= settledSeconds ? targetRms / Math.sqrt(this.#power) : 1;
    const pace = this.#heardSeconds < averagedSeconds ? decibelsPerSecondAtFirst : decibelsPerSecond;
    const step = 10 ** ((pace * seconds) / 20);
    const bounded = Math.min(raiseMax, Math.max(lowerMax, goal));
    return Math.min(this.#level * step, Math.max(this.#level / step, bounded));
  }
}
