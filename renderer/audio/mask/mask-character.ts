/** Draws from [0, 1). */
export type Chance = () => number;

/**
 * What one mask makes of a voice: drawn anew for each room, so that two rooms cannot be joined by it. What it drifts by
 * from moment to moment is drawn while one speaks and written nowhere.
 */
export interface MaskCharacter {
  /** The pitch around which the masked voice moves, in Hz, whatever one's own is. */
  readonly pitchHz: number;
  /** How much of the melody stays: 1 is all. Tones of Chinese need most of it. */
  readonly melody: number;
  /** Formants below `pivotHz` are moved by this factor, those above by `highFormants`. */
  readonly lowFormants: number;
  readonly highFormants: number;
  readonly pivotHz: number;
  /** The timbre in place of one's own: gains in dB of waves over the ear's frequency axis, the first a tilt. */
  readonly colour: readonly number[];
  /** How far pitch (in octaves), formants (as a share) and time (in ms) drift. */
  readonly driftOctaves: number;
  readonly driftFormants: number;
  readonly driftMs: number;
}

/** Between the deepest common voices of men and high ones of women (F0 means of 85 to 255 Hz: Titze, Principles of Voice Production). */
const pitchHz = { least: 100, most: 230 } as const;
/**
 * Adults' vocal tracts differ by up to a quarter in length, and listeners take voices moved within that for other people
 * (Smith and Patterson 2005); further out words suffer.
 */
const formantShift = { least: 0.11, most: 0.2 } as const;
/** What fine timing drifts by, in ms: four looks. Chosen by us; each ms more is delay for everybody. */
export const driftMsMax = 32;

/** A new mask. */
export function drawMask(chance: Chance): MaskCharacter {
  const between = (least: number, most: number): number => least + (most - least) * chance();
  const shift = between(formantShift.least, formantShift.most) * (chance() < 0.5 ? -1 : 1);
  return {
    pitchHz: pitchHz.least * (pitchHz.most / pitchHz.least) ** chance(),
    melody: between(0.65, 0.85),
    lowFormants: 1 + shift,
    highFormants: 1 + shift * between(0.4, 1),
    pivotHz: between(1000, 1800),
    colour: [between(-4, 4), between(-3, 3), between(-2, 2)],
    driftOctaves: 0.07,
    driftFormants: 0.035,
    driftMs: driftMsMax,
  };
}

/** Words of secret chance drawn at a time. */
const poolWords = 256;

/** The system's secret chance: what it gives cannot be told from what it gave. */
export function secretChance(): Chance {
  const pool = new Uint32Array(poolWords);
  let left = 0;
  return () => {
    if (left === 0) {
      crypto.getRandomValues(pool);
      left = poolWords;
    }
    left -= 1;
    return pool[left]! / 2 ** 32;
  };
}

/** A value that moves to one random place after another, smoothly, in steps of one `tick`. */
export class Wander {
  readonly #chance: Chance;
  readonly #reach: number;
  readonly #ticks: { readonly least: number; readonly most: number };
  #from = 0;
  #to = 0;
  #tick = 0;
  #length = 1;

  /** Stays within `reach` of 0, and takes between `least` and `most` ticks from place to place. */
  constructor(chance: Chance, reach: number, least: number, most: number) {
    this.#chance = chance;
    this.#reach = reach;
    this.#ticks = { least, most };
  }

  /** The value of the next tick. */
  next(): number {
    if (this.#tick >= this.#length) {
      this.#from = this.#to;
      this.#to = (this.#chance() * 2 - 1) * this.#reach;
      this.#tick = 0;
      this.#length = Math.round(this.#ticks.least + (this.#ticks.most - this.#ticks.least) * this.#chance());
    }
    this.#tick += 1;
    const share = (1 - Math.cos((Math.PI * this.#tick) / this.#length)) / 2;
    return this.#from + (this.#to - this.#from) * share;
  }
}
