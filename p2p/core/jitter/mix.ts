/** Below this a mix is left as it is; above it, it is bent so that no number of speakers can clip. */
const linearUpTo = 0.8;

/**
 * Sums blocks of one length, sample by sample, and keeps the result within ±1 by a soft knee rather than by
 * clipping, which crackles. NaN counts as silence. No blocks give silence.
 */
export function mixBlocks(blocks: readonly Float32Array[], samples: number): Float32Array {
  const mixed = new Float32Array(samples);
  for (const block of blocks) {
    for (let index = 0; index < samples; index += 1) mixed[index]! += block[index] || 0;
  }
  for (let index = 0; index < samples; index += 1) mixed[index] = softened(mixed[index]!);
  return mixed;
}

function softened(sample: number): number {
  const size = Math.abs(sample);
  if (size <= linearUpTo) return sample;
  const knee = 1 - linearUpTo;
  return Math.sign(sample) * (linearUpTo + knee * Math.tanh((size - linearUpTo) / knee));
}
