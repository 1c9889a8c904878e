/** Normalised cross-correlation, -1 to 1, of `length` samples from `start` with those `lag` later; 0 when one is silent. */
export function likeness(pcm: Float32Array, start: number, lag: number, length: number): number {
  let product = 0;
  let first = 0;
  let second = 0;
  for (let index = start; index < start + length; index += 1) {
    const a = pcm[index]!;
    const b = pcm[index + lag]!;
    product += a * b;
    first += a * a;
    second += b * b;
  }
  return first > 0 && second > 0 ? product / Math.sqrt(first * second) : 0;
}
