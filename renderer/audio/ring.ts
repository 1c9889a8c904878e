/** Samples of one block: 10 ms, as fine as sound devices ask. */
export const blockSamples = 480;
/** Samples that a ring holds: 341 ms at 48 kHz, several times what waits in it. A power of two. */
const capacity = 16_384;
const headerInts = 4;
const written = 0;
const consumed = 1;
const underrunCount = 2;

/** The memory of a ring: shared between threads where the page may, else of one thread. */
export function ringMemory(shared: boolean): SharedArrayBuffer | ArrayBuffer {
  const bytes = headerInts * Int32Array.BYTES_PER_ELEMENT + capacity * Float32Array.BYTES_PER_ELEMENT;
  return shared ? new SharedArrayBuffer(bytes) : new ArrayBuffer(bytes);
}

/**
 * Samples on their way from the one thread that writes to the one that reads. Neither waits, locks or allocates;
 * positions count samples, modulo 2^32.
 */
export class SampleRing {
  readonly #header: Int32Array;
  readonly #samples: Float32Array;
  /** The last read found too little: until one does not, it is the same underrun. */
  #starved = false;

  constructor(memory: SharedArrayBuffer | ArrayBuffer) {
    this.#header = new Int32Array(memory, 0, headerInts);
    this.#samples = new Float32Array(memory, headerInts * Int32Array.BYTES_PER_ELEMENT, capacity);
  }

  /** Samples written and not yet read. */
  get filled(): number {
    return (Atomics.load(this.#header, written) - Atomics.load(this.#header, consumed)) | 0;
  }

  /** Samples read since the start, modulo 2^32. */
  get position(): number {
    return Atomics.load(this.#header, consumed);
  }

  /** Times that the reader ran out of samples, after something had been written. */
  get underruns(): number {
    return Atomics.load(this.#header, underrunCount);
  }

  /** Adds samples; gives how many found room. */
  write(samples: Float32Array): number {
    const count = Math.min(samples.length, capacity - this.filled);
    const start = Atomics.load(this.#header, written);
    for (let index = 0; index < count; index += 1) {
      this.#samples[(start + index) & (capacity - 1)] = samples[index]!;
    }
    Atomics.store(this.#header, written, (start + count) | 0);
    return count;
  }

  /** Fills `into`, with silence where samples are lacking. */
  read(into: Float32Array): void {
    const count = Math.min(into.length, this.filled);
    const start = Atomics.load(this.#header, consumed);
    for (let index = 0; index < count; index += 1) {
      into[index] = this.#samples[(start + index) & (capacity - 1)]!;
    }
    const starves = count < into.length && Atomics.load(this.#header, written) !== 0;
    if (count < into.length) into.fill(0, count);
    if (starves && !this.#starved) Atomics.add(this.#header, underrunCount, 1);
    this.#starved = starves;
    Atomics.store(this.#header, consumed, (start + count) | 0);
  }

  /** Wakes whoever waits in `filledMore`. */
  notifyWritten(): void {
    Atomics.notify(this.#header, written);
  }

  /** Resolves after the next `notifyWritten`, or after so many ms. As `drained`, from the other end. */
  async filledMore(timeoutMs: number): Promise<void> {
    await this.#changed(written, timeoutMs);
  }

  /** Wakes whoever waits in `drained`. */
  notify(): void {
    Atomics.notify(this.#header, consumed);
  }

  /** Resolves after the next `notify`, or after so many ms. For shared memory, and not on a sound thread. */
  async drained(timeoutMs: number): Promise<void> {
    await this.#changed(consumed, timeoutMs);
  }

  async #changed(index: number, timeoutMs: number): Promise<void> {
    if (waitAsync === undefined) await new Promise((resolve) => setTimeout(resolve, pollMs));
    else await waitAsync(this.#header, index, Atomics.load(this.#header, index), timeoutMs).value;
  }
}

/** Where there is no `waitAsync`, it is looked this often: as often as the worklet would notify. */
const pollMs = 10;

/** Of ES2024, whose types are not among ours. */
const { waitAsync } = Atomics as unknown as {
  readonly waitAsync?: (
    array: Int32Array,
    index: number,
    value: number,
    timeoutMs: number,
  ) => { readonly value: Promise<string> | string };
};
