import { packetSamples, sampleRateHz } from "./voice-codec.ts";

/** Grains of 20 ms, a new one each 10: fine enough that nobody hears them, long enough to have the room's colour. */
const grainSamples = sampleRateHz / 50;
const stepSamples = grainSamples / 2;
/** How much louder than the quietest a packet may be and still be the room: 3 dB. */
const roomShare = 1.4;
/** What the quietest may rise by with each packet, so that a room that became louder is believed within seconds: 3 dB in 3 s. */
const riseShare = 1.005;
/** Louder than -45 dBFS is no room: a short word may be the quietest that was heard, and must not go on as a buzz. */
const noiseRmsMax = 10 ** (-45 / 20);
/** Noise fades out over 2 s: shorter is an edge that is heard, longer is no longer true. */
const fadeSamples = 2 * sampleRateHz;

/**
 * The sound of a speaker's room, which goes on for a moment and fades when the microphone closes, so that the line does
 * not seem dead. Made of pieces of the quietest speech packet, in random order with random signs: noise of its colour
 * and loudness, and no word that was said. Allocates nothing.
 */
export class ComfortNoise {
  readonly #room = new Float32Array(packetSamples);
  readonly #window = new Float32Array(grainSamples);
  /** What is left of the grains that were begun, and the new one. */
  readonly #sum = new Float32Array(grainSamples);
  #at = stepSamples;
  #quietest = Number.POSITIVE_INFINITY;
  #known = false;
  #leftSamples = 0;
  /** Of a generator by Lehmer, in 31 bits: where grains begin need not be secret, only without a pattern. */
  #chance = 1;

  constructor() {
    // Neighbours add up to one power: their samples are not related.
    for (let index = 0; index < grainSamples; index += 1) {
      this.#window[index] = Math.sin((Math.PI * (index + 0.5)) / grainSamples);
    }
  }

  /** Whether there is any left to play. */
  get sounds(): boolean {
    return this.#known && this.#leftSamples > 0;
  }

  /** Takes a packet of sound with its root mean square: perhaps it holds nothing but the room. */
  learn(pcm: Float32Array, rms: number): void {
    this.#quietest = Math.min(rms, this.#quietest * riseShare);
    if (rms > this.#quietest * roomShare || rms > noiseRmsMax || pcm.length !== packetSamples) return;
    this.#room.set(pcm);
    this.#known = rms > 0;
  }

  /** The microphone closed: from now on it sounds, until it has faded. */
  begin(): void {
    this.#leftSamples = fadeSamples;
  }

  /** The next `count` samples into `into`, from its start. */
  fill(into: Float32Array, count: number): void {
    for (let index = 0; index < count; index += 1) {
      if (!this.sounds) {
        into.fill(0, index, count);
        return;
      }
      if (this.#at === stepSamples) this.#nextGrain();
      into[index] = this.#sum[this.#at]! * (this.#leftSamples / fadeSamples);
      this.#at += 1;
      this.#leftSamples -= 1;
    }
  }

  #nextGrain(): void {
    this.#sum.copyWithin(0, stepSamples);
    this.#sum.fill(0, stepSamples);
    this.#chance = (this.#chance * 48_271) % 0x7fffffff;
    const start = this.#chance % (packetSamples - grainSamples);
    const sign = this.#chance & 0x10000 ? 1 : -1;
    for (let index = 0; index < grainSamples; index += 1) {
      this.#sum[index]! += sign * this.#room[start + index]! * this.#window[index]!;
    }
    this.#at = 0;
  }
}
