import type { Recording } from "../e2e/window/tap.ts";

const samplesPerMs = 48;
/** Loudness is taken over so many ms, each ms: finer than any syllable, coarser than a pitch. */
const windowMs = 10;
/** Stretches that are laid over each other, and how far apart they begin. */
const stretchMs = 3000;
const stepMs = 1000;
/** Later than this is not a conversation. */
const delayMsMax = 2500;
/** What fits less well was torn by something on the way, and says nothing about delay. */
const correlationMin = 0.8;

/** How much later the ear hears than the mouth speaks. */
export interface Delay {
  /** Median of the stretches, ms. */
  readonly ms: number;
  /** Stretches that were clear enough to tell. */
  readonly stretches: number;
}

/** Both recordings by one clock. Undefined when no stretch of the ear's is what the mouth said. */
export function delayBetween(mouth: Recording, ear: Recording): Delay | undefined {
  const said = loudnessOf(mouth.samples);
  const heard = loudnessOf(ear.samples);
  const apartMs = Math.round(ear.startMs - mouth.startMs);
  const delays: number[] = [];
  for (let at = 0; at + stretchMs <= heard.length; at += stepMs) {
    const best = bestDelay(said, heard.subarray(at, at + stretchMs), at + apartMs);
    if (best !== undefined) delays.push(best);
  }
  delays.sort((a, b) => a - b);
  const ms = delays[Math.floor(delays.length / 2)];
  return ms === undefined ? undefined : { ms, stretches: delays.length };
}

/** `at`: where on the mouth's recording the stretch would lie without any delay. */
function bestDelay(said: Float32Array, stretch: Float32Array, at: number): number | undefined {
  let best: number | undefined;
  let highest = correlationMin;
  for (let delay = 0; delay <= delayMsMax; delay += 1) {
    const start = at - delay;
    if (start < 0 || start + stretch.length > said.length) continue;
    const correlation = pearson(said.subarray(start, start + stretch.length), stretch);
    if (correlation <= highest) continue;
    highest = correlation;
    best = delay;
  }
  return best;
}

/** RMS around each ms. */
function loudnessOf(samples: Float32Array): Float32Array {
  const energies = new Float64Array(samples.length + 1);
  samples.forEach((sample, index) => (energies[index + 1] = energies[index]! + sample * sample));
  const length = Math.max(0, Math.floor(samples.length / samplesPerMs) - windowMs);
  return Float32Array.from({ length }, (_, ms) => {
    const from = ms * samplesPerMs;
    return Math.sqrt((energies[from + windowMs * samplesPerMs]! - energies[from]!) / (windowMs * samplesPerMs));
  });
}

function pearson(left: Float32Array, right: Float32Array): number {
  let [sumLeft, sumRight, squaresLeft, squaresRight, products] = [0, 0, 0, 0, 0];
  for (let index = 0; index < left.length; index += 1) {
    const a = left[index]!;
    const b = right[index]!;
    sumLeft += a;
    sumRight += b;
    squaresLeft += a * a;
    squaresRight += b * b;
    products += a * b;
  }
  const count = left.length;
  const spread = (count * squaresLeft - sumLeft ** 2) * (count * squaresRight - sumRight ** 2);
  return spread <= 0 ? 0 : (count * products - sumLeft * sumRight) / Math.sqrt(spread);
}
