import { Fourier } from "../../../renderer/audio/mask/fft.ts";

/** Samples a second that it works at: all that our Opus carries. */
export const spectralRateHz = 16_000;
const frame = 512;
const hop = 256;
/** What is so far below the loudest of the original is not heard; frames and lines of spectra both end there. */
const rangeDecibels = 50;

/**
 * Log-spectral distance in dB, 0 when alike: the root mean square over frequency of the difference of the logarithms of
 * both spectra, averaged over the frames in which the original speaks (A. H. Gray, J. D. Markel, "Distance measures for
 * speech processing", IEEE Transactions on Acoustics, Speech, and Signal Processing 24(5), 1976). Both at 16 kHz, aligned,
 * and of one loudness.
 */
export function spectralDistance(original: Float32Array, heard: Float32Array): number {
  const fourier = new Fourier(frame);
  const left = spectra(fourier, original);
  const right = spectra(fourier, heard);
  const loudest = left.reduce((most, spectrum) => spectrum.reduce((high, each) => Math.max(high, each), most), 0);
  const floor = loudest / 10 ** (rangeDecibels / 10);
  let sum = 0;
  let count = 0;
  left.forEach((spectrum, at) => {
    if (spectrum.reduce((total, each) => total + each, 0) < floor * 10) return;
    let squares = 0;
    for (let bin = 1; bin < spectrum.length; bin += 1) {
      const decibels = 10 * Math.log10((spectrum[bin]! + floor) / ((right[at]?.[bin] ?? 0) + floor));
      squares += decibels * decibels;
    }
    sum += Math.sqrt(squares / (spectrum.length - 1));
    count += 1;
  });
  return count === 0 ? 0 : sum / count;
}

function spectra(fourier: Fourier, samples: Float32Array): Float64Array[] {
  const all: Float64Array[] = [];
  for (let start = 0; start + frame <= samples.length; start += hop) {
    const real = new Float32Array(frame);
    const imaginary = new Float32Array(frame);
    for (let index = 0; index < frame; index += 1) {
      real[index] = samples[start + index]! * (0.5 - 0.5 * Math.cos((2 * Math.PI * index) / frame));
    }
    fourier.forward(real, imaginary);
    all.push(Float64Array.from({ length: frame / 2 }, (_, bin) => real[bin]! ** 2 + imaginary[bin]! ** 2));
  }
  return all;
}
