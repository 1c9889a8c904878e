import { Fourier } from "../../../renderer/audio/mask/fft.ts";

/** Samples a second that STOI works at. */
export const stoiRateHz = 10_000;
const frame = 256;
const hop = frame / 2;
const points = 512;
/** Bands of a third of an octave, the first around 150 Hz. */
const bands = 15;
const firstHz = 150;
/** Frames of one segment: 384 ms. */
const segment = 30;
/** Frames of the original quieter than its loudest by more are left out. */
const rangeDecibels = 40;
/** Signal to distortion at which what is heard is clipped, so that one bad unit counts no more than it can be. */
const clip = 1 + 10 ** (15 / 20);

/**
 * Short-time objective intelligibility, 0 to about 1, of `heard` against `original`, both at 10 kHz and aligned: C. H. Taal,
 * R. C. Hendriks, R. Heusdens, J. Jensen, "An algorithm for intelligibility prediction of time-frequency weighted noisy
 * speech", IEEE Transactions on Audio, Speech, and Language Processing 19(7), 2011.
 */
export function stoi(original: Float32Array, heard: Float32Array): number {
  const kept = loudFrames(original);
  const left = spectrogram(original, kept);
  const right = spectrogram(heard, kept);
  let sum = 0;
  let count = 0;
  for (let end = segment; end <= kept.length; end += 1) {
    for (let band = 0; band < bands; band += 1) {
      sum += correlation(left[band]!.subarray(end - segment, end), right[band]!.subarray(end - segment, end));
      count += 1;
    }
  }
  return count === 0 ? 0 : sum / count;
}

/** Starts of the frames that hold speech. */
function loudFrames(samples: Float32Array): number[] {
  const starts: number[] = [];
  for (let start = 0; start + frame <= samples.length; start += hop) starts.push(start);
  const power = (start: number): number => {
    let sum = 1e-20;
    for (let index = 0; index < frame; index += 1) sum += (samples[start + index]! * window(index)) ** 2;
    return sum;
  };
  const powers = starts.map(power);
  const least = powers.reduce((most, each) => Math.max(most, each), 0) / 10 ** (rangeDecibels / 10);
  return starts.filter((_, index) => powers[index]! > least);
}

function window(index: number): number {
  return 0.5 - 0.5 * Math.cos((2 * Math.PI * (index + 1)) / (frame + 1));
}

/** For each band the magnitude in each frame. */
function spectrogram(samples: Float32Array, starts: readonly number[]): Float64Array[] {
  const fourier = new Fourier(points);
  const rows = Array.from({ length: bands }, () => new Float64Array(starts.length));
  const edges = bandEdges();
  starts.forEach((start, at) => {
    const real = new Float32Array(points);
    const imaginary = new Float32Array(points);
    for (let index = 0; index < frame; index += 1) real[index] = (samples[start + index] ?? 0) * window(index);
    fourier.forward(real, imaginary);
    edges.forEach(([from, to], band) => {
      let power = 0;
      for (let bin = from; bin < to; bin += 1) power += real[bin]! ** 2 + imaginary[bin]! ** 2;
      rows[band]![at] = Math.sqrt(power);
    });
  });
  return rows;
}

function bandEdges(): [from: number, to: number][] {
  const bin = (hertz: number): number => Math.round((hertz * points) / stoiRateHz);
  return Array.from({ length: bands }, (_, band) => {
    const centre = firstHz * 2 ** (band / 3);
    return [bin(centre * 2 ** (-1 / 6)), bin(centre * 2 ** (1 / 6))];
  });
}

/** Of one band in one segment: `heard` brought to the loudness of `original`, clipped, and correlated with it. */
function correlation(original: Float64Array, heard: Float64Array): number {
  const powerOf = (row: Float64Array): number => row.reduce((sum, each) => sum + each * each, 0);
  const gain = Math.sqrt(powerOf(original) / (powerOf(heard) + 1e-20));
  const clipped = heard.map((each, index) => Math.min(each * gain, original[index]! * clip));
  const meanOf = (row: Float64Array): number => row.reduce((sum, each) => sum + each, 0) / row.length;
  const [meanLeft, meanRight] = [meanOf(original), meanOf(clipped)];
  let [product, left, right] = [0, 1e-20, 1e-20];
  for (let index = 0; index < original.length; index += 1) {
    const a = original[index]! - meanLeft;
    const b = clipped[index]! - meanRight;
    product += a * b;
    left += a * a;
    right += b * b;
  }
  return product / Math.sqrt(left * right);
}
