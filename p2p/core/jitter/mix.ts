/** Below this a mix is left as it is; above it, it is bent so that no number of speakers can clip. */
const linearUpTo = 0.8;

/** Adds a block to a mix, sample by sample. NaN counts as silence. */
export function addBlock(mix: Float32Array, block: Float32Array): void {
  for (let index = 0; index < mix.length; index += 1) mix[index]! += block[index] || 0;
}

/** Keeps a mix within ±1 by a soft knee rather than by clipping, which crackles. In place. */
export function softenMix(mix: Float32Array): void {
  for (let index = 0; index < mix.length; index += 1) mix[index] = softened(mix[index]!);
}

/** Sums blocks of one length as `addBlock` and `softenMix` do. No blocks give silence. */
export function mixBlocks(blocks: readonly Float32Array[], samples: number): Float32Array {
  const mixed = new Float32Array(samples);
  for (const block of blocks) addBlock(mixed, block);
  softenMix(mixed);
  return mixed;
}

function softened(sample: number): number {
  const size = Math.abs(sample);
  if (size <= linearUpTo) return sample;
  const knee = 1 - linearUpTo;
  return Math.sign(sample) * (linearUpTo + knee * Math.tanh((size - linearUpTo) / knee));
}
