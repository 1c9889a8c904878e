/** How a recording relates to the speech that it should hold. */
export interface SpeechComparison {
  /** Where in the recording the source begins, in ms: modulo the source's length, since the source may loop. */
  readonly offsetMs: number;
  /** Pearson correlation of the loudness (RMS per 20 ms) of source and recording, between its first and last sound. */
  readonly envelopeCorrelation: number;
  /** The longest stretch in which the source speaks and the recording is silent, pauses of the source inside it included. */
  readonly worstGapMs: number;
  /** From the first to the last sound of the recording; a gap before or after is seen here alone. */
  readonly heardMs: number;
}

const windowMs = 20;
const coarseStepMs = 10;
const fineStepMs = 1;
/** The source speaks where it is louder than its loudest window by no less than -40 dB. */
const speaksAbove = 0.01;
/** The recording is silent where it lacks this much of what the source says there. */
const silentBelow = 0.1;

/**
 * Lays the source, repeated without end, over the recording where the loudness of both agrees best, and compares
 * them there. Silence before the first and after the last sound of the recording is left out: see `heardMs`.
 */
export function compareSpeech(source: Float32Array, recording: Float32Array, sampleRate: number): SpeechComparison {
  const samplesPerMs = sampleRate / 1000;
  const sourceMs = source.length / samplesPerMs;
  const recordedLoudness = loudnessOf(recording, samplesPerMs, false);
  const heard = soundOf(recordedLoudness, recording.length / samplesPerMs);
  if (heard === undefined)
    return { offsetMs: 0, envelopeCorrelation: 0, worstGapMs: recording.length / samplesPerMs, heardMs: 0 };
  const sourceLoudness = loudnessOf(source, samplesPerMs, true);
  const windows = Array.from(
    { length: Math.floor((heard.endMs - heard.startMs) / windowMs) },
    (_, index) => index * windowMs,
  );
  const recorded = windows.map((ms) => recordedLoudness(heard.startMs + ms));
  const correlationAt = (lagMs: number): number =>
    pearson(
      recorded,
      windows.map((ms) => sourceLoudness(lagMs + ms)),
    );
  const coarse = best(range(0, sourceMs, coarseStepMs), correlationAt);
  const lagMs = best(range(coarse - 2 * coarseStepMs, coarse + 2 * coarseStepMs, fineStepMs), correlationAt);
  const expected = windows.map((ms) => sourceLoudness(lagMs + ms));
  return {
    offsetMs: modulo(heard.startMs - lagMs, sourceMs),
    envelopeCorrelation: pearson(recorded, expected),
    worstGapMs: worstGap(expected, recorded),
    heardMs: heard.endMs - heard.startMs,
  };
}

/** RMS of the window that begins at a time; a looped sound goes on at both ends. */
function loudnessOf(samples: Float32Array, samplesPerMs: number, looped: boolean): (ms: number) => number {
  const energy = new Float64Array(samples.length + 1);
  samples.forEach((sample, index) => (energy[index + 1] = energy[index]! + sample * sample));
  const total = energy[samples.length]!;
  const before = (index: number): number => {
    if (!looped) return energy[Math.max(0, Math.min(index, samples.length))]!;
    const rounds = Math.floor(index / samples.length);
    return rounds * total + energy[index - rounds * samples.length]!;
  };
  return (ms) => {
    const start = Math.round(ms * samplesPerMs);
    const length = Math.round(windowMs * samplesPerMs);
    return Math.sqrt(Math.max(0, before(start + length) - before(start)) / length);
  };
}

function soundOf(loudness: (ms: number) => number, lengthMs: number): { startMs: number; endMs: number } | undefined {
  const times = range(0, lengthMs - windowMs, windowMs);
  const loudest = Math.max(0, ...times.map(loudness));
  const sounding = times.filter((ms) => loudness(ms) > loudest * speaksAbove);
  const [startMs] = sounding;
  return startMs === undefined ? undefined : { startMs, endMs: sounding.at(-1)! + windowMs };
}

function worstGap(expected: readonly number[], recorded: readonly number[]): number {
  const loudestExpected = Math.max(...expected);
  // What the volume was changed by on the way, from where both are loud.
  const gain = Math.max(...recorded) / loudestExpected;
  let worst = 0;
  let gapStart: number | undefined;
  expected.forEach((loudness, index) => {
    if (loudness < loudestExpected * speaksAbove) return;
    if (recorded[index]! >= loudness * gain * silentBelow) gapStart = undefined;
    else worst = Math.max(worst, (index + 1 - (gapStart ??= index)) * windowMs);
  });
  return worst;
}

function pearson(left: readonly number[], right: readonly number[]): number {
  const leftMean = left.reduce((sum, value) => sum + value, 0) / left.length;
  const rightMean = right.reduce((sum, value) => sum + value, 0) / right.length;
  let product = 0;
  let leftSquares = 0;
  let rightSquares = 0;
  for (let index = 0; index < left.length; index += 1) {
    const fromLeft = left[index]! - leftMean;
    const fromRight = right[index]! - rightMean;
    product += fromLeft * fromRight;
    leftSquares += fromLeft * fromLeft;
    rightSquares += fromRight * fromRight;
  }
  return leftSquares === 0 || rightSquares === 0 ? 0 : product / Math.sqrt(leftSquares * rightSquares);
}

function best(candidates: readonly number[], score: (candidate: number) => number): number {
  let winner = candidates[0]!;
  let highest = -Infinity;
  for (const candidate of candidates) {
    const value = score(candidate);
    if (value > highest) [winner, highest] = [candidate, value];
  }
  return winner;
}

function range(from: number, to: number, step: number): number[] {
  return Array.from({ length: Math.max(0, Math.floor((to - from) / step) + 1) }, (_, index) => from + index * step);
}

function modulo(value: number, modulus: number): number {
  return ((value % modulus) + modulus) % modulus;
}
