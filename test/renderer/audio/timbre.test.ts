import { describe, expect, it } from "vitest";
import { Rng } from "../../../p2p/core/rng.ts";
import { Timbre } from "../../../renderer/audio/mask/timbre.ts";
import { bands } from "../../../renderer/audio/mask/voice-features.ts";

/** How loud each band is against the whole of a look: what tells voices apart, not how loud somebody talks. */
function shapeOf(look: Float32Array): number[] {
  const mean = look.reduce((sum, each) => sum + each, 0) / bands;
  return [...look].map((each) => each - mean);
}

/** What a fresh mask makes of the same sounds said by a voice whose vocal tract always adds `own`, after a quiet room. */
function saidBy(own: readonly number[], quietLooks: number): number[][] {
  const rng = new Rng("sounds");
  const timbre = new Timbre([2, -1, 3]);
  const made: number[][] = [];
  for (let look = 0; look < quietLooks + 200; look += 1) {
    const isQuiet = look < quietLooks;
    const loudness = Float32Array.from(own, (each) => (isQuiet ? -20 : 8 * rng.next() + each));
    timbre.learn(loudness);
    timbre.replace(loudness);
    if (!isQuiet) made.push(shapeOf(loudness));
  }
  return made;
}

describe("a mask's timbre", () => {
  const voices = [
    Array.from({ length: bands }, (_, band) => 3 * Math.sin(band / 3)),
    Array.from({ length: bands }, (_, band) => 2 * Math.cos(band / 2) - band / 10),
  ];

  it.each([{ quietLooks: 0 }, { quietLooks: 250 }])(
    "is the same for two voices from the first look on, after $quietLooks looks of a quiet room",
    ({ quietLooks }) => {
      const [one, other] = voices.map((own) => saidBy(own, quietLooks));
      const apart = one!.flatMap((look, at) => look.map((each, band) => Math.abs(each - other![at]![band]!)));
      expect(Math.max(...apart)).toBeLessThan(1e-3);
    },
  );

  it("of the first look is everybody's, whatever was said, and lets sounds be told apart after some", () => {
    const [made] = voices.map((own) => saidBy(own, 0));
    const nobody = shapeOf(everybody());
    made![0]!.forEach((each, band) => expect(each).toBeCloseTo(nobody[band]!, 3));
    const last = made!.at(-1)!;
    expect(Math.max(...last.map((each, band) => Math.abs(each - nobody[band]!)))).toBeGreaterThan(1);
  });

  /** What comes of a look that is as loud in every band. */
  function everybody(): Float32Array {
    const timbre = new Timbre([2, -1, 3]);
    const look = new Float32Array(bands).fill(1);
    timbre.learn(look);
    timbre.replace(look);
    return look;
  }
});
