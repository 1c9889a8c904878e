import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Decimator } from "../../../renderer/audio/mask/third-rate.ts";
import {
  bandAt,
  bandHertz,
  bands,
  lookSamples,
  noFeatures,
  VoiceLook,
  type VoiceFeatures,
} from "../../../renderer/audio/mask/voice-features.ts";
import { readAudio } from "../../audio/sounds.ts";

const hopSamples = 128;

/** Speech of espeak-ng at 48 kHz. `voice` is its name, with a variant perhaps: "en-us+f2", "cmn". */
export async function speak(voice: string, text: string, pitch = 50): Promise<Float32Array> {
  const folder = mkdtempSync(join(tmpdir(), "teahouse-voice-"));
  try {
    const file = join(folder, "speech.wav");
    execFileSync("espeak-ng", ["-v", voice, "-p", String(pitch), "-w", file, text]);
    return await readAudio(file);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** 48 kHz to 16 kHz. */
function low(sound: Float32Array): Float32Array {
  const decimator = new Decimator();
  return Float32Array.from(
    Array.from(sound, (sample) => decimator.push(sample)).filter((sample) => sample !== undefined),
  );
}

/** Pitch, voicing and loudness of each 8 ms. */
export function featuresOf(sound: Float32Array): VoiceFeatures[] {
  const samples = low(sound);
  const look = new VoiceLook();
  const all: VoiceFeatures[] = [];
  for (let start = 0; start + lookSamples <= samples.length; start += hopSamples) {
    const features = noFeatures();
    look.look(samples.subarray(start, start + lookSamples), features);
    all.push(features);
  }
  return all;
}

/** The bands of a voice whose formants are moved by a factor, from the bands of the voice. */
export function warped(loudness: Float32Array, factor: number): Float32Array {
  return Float32Array.from({ length: bands }, (_, band) => {
    const source = bandAt(bandHertz[band]! / factor);
    const below = Math.min(bands - 2, Math.floor(source));
    return loudness[below]! + (loudness[below + 1]! - loudness[below]!) * (source - below);
  });
}

const cepstrumPoints = 13;

/** Mel cepstra without loudness: what shapes of the mouth make of a spectrum (Davis and Mermelstein 1980). */
export function cepstrum(loudness: Float32Array): Float32Array {
  return Float32Array.from({ length: cepstrumPoints }, (_, index) =>
    loudness.reduce(
      (sum, value, band) => sum + Math.max(value, -26) * Math.cos((Math.PI * (index + 1) * (band + 0.5)) / bands),
      0,
    ),
  );
}

/** Frames in which somebody speaks: within 35 dB of the loudest. */
export function speaking(features: readonly VoiceFeatures[]): boolean[] {
  const loudness = features.map((each) => Math.max(...each.loudness));
  const loudest = Math.max(...loudness);
  return loudness.map((value) => value > loudest - 35 / 3.01);
}

/** Cepstra of the speech in it, freed of their mean, which is the channel's and partly the speaker's. */
export function wordShape(features: readonly VoiceFeatures[], factor: number): Float32Array[] {
  const spoken = speaking(features);
  const first = spoken.indexOf(true);
  const last = spoken.lastIndexOf(true);
  // Each second look will do: 16 ms.
  const cepstra = features
    .slice(first, last + 1)
    .filter((_, index) => index % 2 === 0)
    .map(({ loudness }) => cepstrum(warped(loudness, factor)));
  const mean = cepstra[0]!.map((_, index) => cepstra.reduce((sum, each) => sum + each[index]!, 0) / cepstra.length);
  return cepstra.map((each) => each.map((value, index) => value - mean[index]!));
}

/** How different two words are when their times are bent onto each other (Sakoe and Chiba 1978), a step. */
export function wordDistance(left: readonly Float32Array[], right: readonly Float32Array[]): number {
  let before = new Float64Array(right.length + 1).fill(Infinity);
  before[0] = 0;
  for (const one of left) {
    const now = new Float64Array(right.length + 1).fill(Infinity);
    for (let at = 1; at <= right.length; at += 1) {
      const other = right[at - 1]!;
      let squares = 0;
      for (let index = 0; index < one.length; index += 1) squares += (one[index]! - other[index]!) ** 2;
      now[at] = Math.sqrt(squares) + Math.min(before[at]!, now[at - 1]!, before[at - 1]!);
    }
    before = now;
  }
  return before[right.length]! / (left.length + right.length);
}

/** A speaker as simple recognisers know one: mean and spread of the cepstra of what was said, whatever it was. */
export function speakerOf(features: readonly VoiceFeatures[], factor: number): number[] {
  const spoken = speaking(features);
  const cepstra = features
    .filter((_, index) => spoken[index])
    .map(({ loudness }) => cepstrum(warped(loudness, factor)));
  const average = (of: (cepstra: Float32Array, index: number) => number): number[] =>
    Array.from(
      { length: cepstrumPoints },
      (_, index) => cepstra.reduce((sum, each) => sum + of(each, index), 0) / cepstra.length,
    );
  const means = average((each, index) => each[index]!);
  return [...means, ...average((each, index) => (each[index]! - means[index]!) ** 2).map(Math.sqrt)];
}

/** Pearson's correlation. */
export function correlation(left: readonly number[], right: readonly number[]): number {
  const mean = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length;
  const [leftMean, rightMean] = [mean(left), mean(right)];
  const sum = (of: (index: number) => number): number => left.reduce((total, _, index) => total + of(index), 0);
  const squares = (values: readonly number[], middle: number): number => sum((index) => (values[index]! - middle) ** 2);
  const both = sum((index) => (left[index]! - leftMean) * (right[index]! - rightMean));
  return both / Math.sqrt(squares(left, leftMean) * squares(right, rightMean));
}
