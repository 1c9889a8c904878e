/** What is painted into a bowl. */
export const motifs = ["petals", "waves", "moons", "leaves", "rays", "knots", "crackle", "drops"] as const;
/** One of `motifs`. */
export type Motif = (typeof motifs)[number];

/**
 * How a person is drawn: a bowl of tea seen from above. It follows from the identity key alone, so that everybody sees
 * the same bowl, and nobody chooses it.
 */
export interface Avatar {
  /** Index of the glaze in the palette of the drawing, below `glazeCount`. */
  readonly glaze: number;
  /** Index of the tea, below `teaCount`. */
  readonly tea: number;
  readonly motif: Motif;
  /** How often the motif repeats around the bowl, 5 to 9. */
  readonly folds: number;
  /** Degrees by which the motif is turned. */
  readonly turn: number;
  /** 0 to 1, free for the motif to use. */
  readonly grain: number;
  /** Whether a second, thinner line runs inside the rim. */
  readonly doubleRim: boolean;
}

/** Glazes of the palette. */
export const glazeCount = 12;
/** Teas of the palette. */
export const teaCount = 5;

/** Reads the bowl off an identity key in hex. Anything else gets a bowl too: it came from a stranger. */
export function avatarOf(identity: string): Avatar {
  const [a, b, c, d] = spread(identity.slice(0, 64));
  return {
    glaze: a % glazeCount,
    tea: (a >>> 8) % teaCount,
    motif: motifs[b % motifs.length] ?? "petals",
    folds: 5 + ((b >>> 8) % 5),
    turn: c % 360,
    grain: ((c >>> 9) % 1000) / 1000,
    doubleRim: (d & 1) === 1,
  };
}

/** Four 32-bit words that depend on every character (FNV-1a with four offsets): for looks only, never for safety. */
function spread(text: string): [number, number, number, number] {
  const word = (offset: number): number => {
    let hash = (0x811c9dc5 ^ offset) >>> 0;
    for (let index = 0; index < text.length; index++) {
      hash = Math.imul(hash ^ text.charCodeAt(index), 0x01000193) >>> 0;
    }
    return (hash ^ (hash >>> 15)) >>> 0;
  };
  return [word(1), word(0x9e37), word(0x85eb), word(0xc2b2)];
}
