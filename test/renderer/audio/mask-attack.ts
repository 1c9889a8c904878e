import { Rng } from "../../../p2p/core/rng.ts";
import { drawMask } from "../../../renderer/audio/mask/mask-character.ts";
import type { VoiceFeatures } from "../../../renderer/audio/mask/voice-features.ts";
import { VoiceMask } from "../../../renderer/audio/mask/voice-mask.ts";
import { correlation, featuresOf, speak, speakerOf, speaking, warped, wordDistance, wordShape } from "./voices.ts";

const pairs = ["veal feel", "goat coat", "meat beat", "need deed", "sheet cheat", "peak teak"];
/** Words of which `wordsKnown` knows some. */
export const wordCount = 2 * pairs.length;

/** A mask drawn from a seed, over a sound and what follows it. */
export function masked(sound: Float32Array, seed: string): Float32Array {
  const rng = new Rng(seed);
  const chance = (): number => rng.next();
  const mask = new VoiceMask(drawMask(chance), chance);
  const out = new Float32Array(Math.ceil((sound.length + 4800) / 960) * 960);
  out.set(sound);
  for (let start = 0; start < out.length; start += 960) mask.apply(out.subarray(start, start + 960));
  return out;
}

/** A tape that runs faster: the plainest shift of pitch and formants together. */
export function faster(sound: Float32Array, factor: number): Float32Array {
  return Float32Array.from({ length: Math.floor(sound.length / factor) - 1 }, (_, index) => {
    const at = index * factor;
    const below = Math.floor(at);
    return sound[below]! + (sound[below + 1]! - sound[below]!) * (at - below);
  });
}

/** Numbers from one to another. */
export const range = (from: number, to: number, step: number): number[] =>
  Array.from({ length: Math.round((to - from) / step) + 1 }, (_, index) => from + index * step);

/** dB by which spectra differ, and cents by which melodies do, after the best constant shift of formants, pitch and time. */
export function restored(
  original: readonly VoiceFeatures[],
  heard: readonly VoiceFeatures[],
): { dB: number; cents: number } {
  const loudness = (features: readonly VoiceFeatures[]): number[] =>
    features.map((each) => Math.max(-26, ...each.loudness));
  const [ours, theirs] = [loudness(original), loudness(heard)];
  const fit = (late: number): number => {
    const length = Math.min(ours.length, theirs.length - late);
    return correlation(ours.slice(0, length), theirs.slice(late, late + length));
  };
  const late = range(0, 12, 1).reduce((best, each) => (fit(each) > fit(best) ? each : best));
  const spoken = speaking(original);
  const pairs = original.flatMap((one, index) => {
    const other = heard[index + late];
    return spoken[index] && other !== undefined ? [[one, other] as const] : [];
  });
  const apart = (factor: number): number =>
    pairs.reduce((sum, [one, other]) => sum + spectraApart(one, other, factor), 0) / pairs.length;
  const steps = pairs.flatMap(([one, other]) =>
    one.pitch > 0 && other.pitch > 0 ? [1200 * Math.log2(other.pitch / one.pitch)] : [],
  );
  const middle = steps.toSorted((left, right) => left - right)[steps.length >> 1]!;
  const squares = steps.reduce((sum, cents) => sum + Math.min(600, Math.abs(cents - middle)) ** 2, 0);
  return { dB: Math.min(...range(0.7, 1.45, 0.05).map(apart)), cents: Math.sqrt(squares / steps.length) };
}

/** Log-spectral distance in dB up to 5 kHz, loudness aside. */
function spectraApart(one: VoiceFeatures, other: VoiceFeatures, factor: number): number {
  const moved = warped(other.loudness, 1 / factor);
  const steps = Array.from({ length: 22 }, (_, band) => 3.01 * (moved[band]! - one.loudness[band]!));
  const mean = steps.reduce((sum, step) => sum + step, 0) / steps.length;
  return Math.sqrt(steps.reduce((sum, step) => sum + (step - mean) ** 2, 0) / steps.length);
}

/** What is said before each word: of a fresh mask's first moments nothing is understood. */
const carrier = "The word that I am going to say now is the following.";

/** Of rhymes that differ by one consonant, how many a recogniser that has heard them unmasked tells apart behind `mask`. */
export async function wordsKnown(mask: (sound: Float32Array, seed: string) => Float32Array): Promise<number> {
  let known = 0;
  const before = await speak("en-us", carrier);
  for (const [index, pair] of pairs.entries()) {
    const sounds = await Promise.all(pair.split(" ").map((word) => speak("en-us", word)));
    const shapes = sounds.map((sound) => wordShape(featuresOf(sound), 1));
    for (const [which, sound] of sounds.entries()) {
      const said = new Float32Array(before.length + sound.length);
      said.set(before);
      said.set(sound, before.length);
      const features = featuresOf(mask(said, `${pair}${index}${which}`).subarray(before.length));
      // Whoever listens gets used to a longer or shorter throat.
      const heard = [0.82, 1, 1.2].map((factor) => wordShape(features, factor));
      const apart = shapes.map((shape) => Math.min(...heard.map((each) => wordDistance(each, shape))));
      if (apart[which]! < apart[1 - which]!) known += 1;
    }
  }
  return known;
}

const knownText =
  "Many people came to the teahouse that evening, and nobody asked their names. They talked about the rain, about bread.";
const otherText =
  "We walked along the river until the moon came up. My brother sang an old song, and the dogs barked at us.";

/**
 * How many of six known speakers a recogniser takes for likelier than the right one, summed over the six, which tries
 * every shift of formants: 0 is never wrong, 15 is guessing blindly.
 */
export async function speakerRanks(): Promise<{ readonly unmasked: number; readonly masked: number }> {
  const voices = ["m1", "m3", "m7", "f1", "f2", "f4"].map((variant) => `en-us+${variant}`);
  const apart = (left: readonly number[], right: readonly number[]): number =>
    Math.hypot(...left.map((value, index) => value - right[index]!));
  const known: number[][] = [];
  for (const voice of voices) known.push(speakerOf(featuresOf(await speak(voice, knownText)), 1));
  const ranks = { unmasked: 0, masked: 0 };
  for (const [index, voice] of voices.entries()) {
    const sound = await speak(voice, otherText);
    const rankOf = (heard: Float32Array, factors: readonly number[]): number => {
      const features = featuresOf(heard);
      const guesses = factors.map((factor) => speakerOf(features, factor));
      const distances = known.map((one) => Math.min(...guesses.map((guess) => apart(guess, one))));
      return distances.filter((distance) => distance < distances[index]!).length;
    };
    ranks.unmasked += rankOf(sound, [1]);
    ranks.masked += rankOf(masked(sound, `who ${voice}`), range(0.76, 1.36, 0.12));
  }
  return ranks;
}
