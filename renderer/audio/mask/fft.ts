/**
 * The discrete Fourier transform of one length, in place and without allocating (Cooley and Tukey 1965, radix 2). Values are
 * complex: real and imaginary parts in an array each.
 */
export class Fourier {
  /** Points; a power of two. */
  readonly size: number;
  readonly #cos: Float32Array;
  readonly #sin: Float32Array;
  readonly #reversed: Uint16Array;

  constructor(size: number) {
    this.size = size;
    this.#cos = Float32Array.from({ length: size / 2 }, (_, index) => Math.cos((2 * Math.PI * index) / size));
    this.#sin = Float32Array.from({ length: size / 2 }, (_, index) => Math.sin((2 * Math.PI * index) / size));
    this.#reversed = new Uint16Array(size);
    for (let index = 1; index < size; index += 1)
      this.#reversed[index] = (this.#reversed[index >> 1]! >> 1) | (index & 1 ? size >> 1 : 0);
  }

  /** To frequencies, not scaled. */
  forward(real: Float32Array, imaginary: Float32Array): void {
    this.#run(real, imaginary, -1);
  }

  /** Back to time, `size` times as large: whoever needs the scale divides. */
  backward(real: Float32Array, imaginary: Float32Array): void {
    this.#run(real, imaginary, 1);
  }

  #run(real: Float32Array, imaginary: Float32Array, sign: 1 | -1): void {
    const { size } = this;
    for (let index = 0; index < size; index += 1) {
      const other = this.#reversed[index]!;
      if (other <= index) continue;
      swap(real, index, other);
      swap(imaginary, index, other);
    }
    for (let half = 1; half < size; half *= 2) {
      const step = size / (2 * half);
      for (let start = 0; start < size; start += 2 * half) {
        for (let index = 0; index < half; index += 1) {
          const cos = this.#cos[index * step]!;
          const sin = sign * this.#sin[index * step]!;
          const low = start + index;
          const high = low + half;
          const turnedReal = real[high]! * cos - imaginary[high]! * sin;
          const turnedImaginary = real[high]! * sin + imaginary[high]! * cos;
          real[high] = real[low]! - turnedReal;
          imaginary[high] = imaginary[low]! - turnedImaginary;
          real[low]! += turnedReal;
          imaginary[low]! += turnedImaginary;
        }
      }
    }
  }
}

function swap(values: Float32Array, left: number, right: number): void {
  const kept = values[left]!;
  values[left] = values[right]!;
  values[right] = kept;
}
