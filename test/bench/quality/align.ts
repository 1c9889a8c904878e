/** Samples a second at which stretches are laid over each other: finer than STOI's frames, coarser than any phase. */
const rateHz = 48_000;
const coarse = 12;
/** Long enough to be recognised, short enough that a playout changes its delay by little within. */
const blockMs = 240;
/** What is alike by less was torn, or is not there: it lies where its neighbour does. */
const likenessMin = 0.5;
/** Neighbouring blocks fade into each other, so that a change of delay makes no edge. */
const fadeSamples = 480;

const blockSamples = (blockMs * rateHz) / 1000;

/**
 * `heard` laid out as `original` is: a playout moves its delay, and neither measure allows for that. Each 240 ms of the
 * original are looked for in what was heard, up to `delayMsMax` later; so what was left out is missing here too.
 */
export function aligned(original: Float32Array, heard: Float32Array, delayMsMax: number): Float32Array {
  const [said, ear] = [decimated(original), decimated(heard)];
  const result = new Float32Array(original.length);
  const reach = (delayMsMax * rateHz) / 1000 / coarse;
  let lag = 0;
  for (let start = 0; start < original.length; start += blockSamples) {
    const found = bestLag(said, ear, start / coarse, reach);
    if (found.likeness >= likenessMin) lag = refined(original, heard, start, found.lag * coarse);
    for (let index = start; index < Math.min(start + blockSamples + fadeSamples, original.length); index += 1) {
      const share = start === 0 ? 1 : Math.min(1, (index - start + 1) / fadeSamples);
      result[index] = result[index]! * (1 - share) + (heard[index + lag] ?? 0) * share;
    }
  }
  return result;
}

function bestLag(
  said: Float32Array,
  ear: Float32Array,
  start: number,
  reach: number,
): { readonly lag: number; readonly likeness: number } {
  let best = { lag: 0, likeness: -1 };
  for (let lag = 0; lag <= reach; lag += 1) {
    const likeness = alike(said, ear, start, start + lag, blockSamples / coarse);
    if (likeness > best.likeness) best = { lag, likeness };
  }
  return best;
}

function refined(original: Float32Array, heard: Float32Array, start: number, around: number): number {
  let best = { lag: around, likeness: -1 };
  for (let lag = Math.max(0, around - coarse); lag <= around + coarse; lag += 1) {
    const likeness = alike(original, heard, start, start + lag, blockSamples);
    if (likeness > best.likeness) best = { lag, likeness };
  }
  return best.lag;
}

function alike(left: Float32Array, right: Float32Array, from: number, to: number, length: number): number {
  let [product, a, b] = [0, 1e-9, 1e-9];
  for (let index = 0; index < length; index += 1) {
    const one = left[from + index] ?? 0;
    const other = right[to + index] ?? 0;
    product += one * other;
    a += one * one;
    b += other * other;
  }
  return product / Math.sqrt(a * b);
}

/** Means of twelve: below 2 kHz, where voices are loudest, that is filter enough. */
function decimated(samples: Float32Array): Float32Array {
  return Float32Array.from({ length: Math.floor(samples.length / coarse) }, (_, at) => {
    let sum = 0;
    for (let index = 0; index < coarse; index += 1) sum += samples[at * coarse + index]!;
    return sum / coarse;
  });
}

/** 48 kHz to a lower rate: a windowed sinc below half of it, then one sample of so many. */
export function resampled(samples: Float32Array, toHz: number): Float32Array {
  const ratio = rateHz / toHz;
  const half = 64;
  const cutoff = 0.47 / ratio;
  const taps = Float64Array.from({ length: 2 * half + 1 }, (_, index) => {
    const at = index - half;
    const sinc = at === 0 ? 2 * cutoff : Math.sin(2 * Math.PI * cutoff * at) / (Math.PI * at);
    return sinc * (0.5 + 0.5 * Math.cos((Math.PI * at) / half));
  });
  // 48 kHz is no whole multiple of 10: the nearest sample, after the filter, is off by less than 10 µs.
  return Float32Array.from({ length: Math.floor(samples.length / ratio) }, (_, at) => {
    const centre = Math.round(at * ratio);
    let sum = 0;
    for (let tap = -half; tap <= half; tap += 1) sum += taps[tap + half]! * (samples[centre + tap] ?? 0);
    return sum;
  });
}
