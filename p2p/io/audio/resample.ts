import { TeahouseError } from "../../api/errors.ts";
import { sampleRateHz } from "./pcm.ts";

/** Turns mono sound of one rate into 48 kHz, piece by piece and without delay or drift. */
export interface Resampler {
  readonly inputRateHz: number;
  push(samples: Float32Array): Float32Array;
  /** What is still inside. In all, push and flush give input × 48,000 / rate samples, rounded. */
  flush(): Float32Array;
  free(): void;
}

/** What libsamplerate-js accepts at most, and below what no recording is made. */
const rateHzMax = 192_000;
const rateHzMin = 4000;
/** The library breaks up longer input itself, and forgets the offset of a subarray when it does. */
const pushSamplesMax = 8192;

/** Rejects with `audio-unreadable` for a rate outside 4–192 kHz. Costs nothing for 48 kHz. */
export async function createResampler(inputRateHz: number): Promise<Resampler> {
  if (!(inputRateHz >= rateHzMin && inputRateHz <= rateHzMax)) {
    const message = "The audio file has a sample rate outside 4 to 192 kHz: convert it, for instance to 48 kHz.";
    throw new TeahouseError("audio-unreadable", message);
  }
  if (inputRateHz === sampleRateHz) return passThrough;
  // 2 MB of source and 26 MB of memory: imported only when a file needs it.
  const { default: library } = await import("@alexanderolsen/libsamplerate-js");
  // Of the band-limited converters the fastest: its error, under -100 dB at every rate we measured, is below that
  // of 16-bit samples and far below that of 24 kbit/s speech, for half the work of the next better one.
  const converterType = library.ConverterType.SRC_SINC_FASTEST;
  const converter = await library.create(1, inputRateHz, sampleRateHz, { converterType });
  let samplesIn = 0;
  let samplesOut = 0;
  const convert = (samples: Float32Array): Float32Array => {
    const pieces: Float32Array[] = [];
    for (let start = 0; start < samples.length; start += pushSamplesMax) {
      pieces.push(converter.full(samples.subarray(start, start + pushSamplesMax)));
    }
    const result = concatenate(pieces);
    samplesOut += result.length;
    return result;
  };
  return {
    inputRateHz,
    push: (samples) => {
      samplesIn += samples.length;
      return convert(samples);
    },
    flush: () => {
      const target = Math.round((samplesIn * sampleRateHz) / inputRateHz);
      const missing = target - samplesOut;
      if (missing <= 0) return new Float32Array(0);
      // The filter looks ahead; silence pushes out what it holds. 1,024 samples are over twice its half length.
      const inputLeft = Math.ceil((missing * inputRateHz) / sampleRateHz);
      return convert(new Float32Array(inputLeft + 1024)).subarray(0, missing);
    },
    free: () => converter.destroy(),
  };
}

const passThrough: Resampler = {
  inputRateHz: sampleRateHz,
  push: (samples) => samples,
  flush: () => new Float32Array(0),
  free: () => {},
};

function concatenate(pieces: readonly Float32Array[]): Float32Array {
  if (pieces.length === 1) return pieces[0]!;
  const result = new Float32Array(pieces.reduce((sum, piece) => sum + piece.length, 0));
  let offset = 0;
  for (const piece of pieces) {
    result.set(piece, offset);
    offset += piece.length;
  }
  return result;
}
