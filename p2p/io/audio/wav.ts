import { open, type FileHandle } from "node:fs/promises";
import { playable, sampleRateHz } from "./pcm.ts";

const headerBytes = 44;
/** Stands for "until the file ends" in a header; what a killed recording keeps, and one beyond 4 GB. */
const openEnded = 0xffff_ffff;

/**
 * Writes mono 48 kHz 16-bit WAV piece by piece. The header says "until the end" until `close` writes the true
 * length, so that the recording of a killed process can be played too.
 */
export class WavWriter {
  readonly #handle: FileHandle;
  #samples = 0;
  /** The last write under way: pieces land in the order of the calls, awaited or not. */
  #last: Promise<void>;
  #closed: Promise<void> | undefined;

  private constructor(handle: FileHandle) {
    this.#handle = handle;
    this.#last = writeFully(handle, wavHeader(openEnded), 0);
    this.#last.catch(() => {});
  }

  /** Creates or overwrites the file. Rejects with Node's error when that is not possible. */
  static async open(path: string): Promise<WavWriter> {
    return new WavWriter(await open(path, "w"));
  }

  /** Samples written so far, at 48,000 a second. */
  get samples(): number {
    return this.#samples;
  }

  /** Appends samples, clipped to ±1; the array may be reused at once. Rejects with Node's error, as every later call will. */
  write(pcm: Float32Array): Promise<void> {
    if (this.#closed !== undefined) return Promise.reject(new Error("WavWriter is closed"));
    const bytes = new Uint8Array(pcm.length * 2);
    const view = new DataView(bytes.buffer);
    pcm.forEach((sample, index) => view.setInt16(index * 2, Math.round(playable(sample) * 0x7fff), true));
    const position = headerBytes + this.#samples * 2;
    this.#samples += pcm.length;
    this.#last = this.#last.then(() => writeFully(this.#handle, bytes, position));
    // Whoever does not await this learns of it from `close`.
    this.#last.catch(() => {});
    return this.#last;
  }

  /** Waits for what was written, then completes the header. Rejects when any of it failed. The first call decides. */
  close(): Promise<void> {
    this.#closed ??= this.#finish();
    return this.#closed;
  }

  async #finish(): Promise<void> {
    try {
      await this.#last;
      await writeFully(this.#handle, wavHeader(this.#samples * 2), 0);
    } finally {
      await this.#handle.close();
    }
  }
}

function wavHeader(dataBytes: number): Uint8Array {
  const header = new Uint8Array(headerBytes);
  const view = new DataView(header.buffer);
  const fits = dataBytes <= openEnded - headerBytes;
  header.set(new TextEncoder().encode("RIFF\0\0\0\0WAVEfmt "));
  view.setUint32(4, fits ? headerBytes - 8 + dataBytes : openEnded, true);
  view.setUint32(16, 16, true);
  // PCM, one channel, rate, bytes a second, bytes a sample, bits a sample.
  view.setUint16(20, 1, true);
  view.setUint16(22, 1, true);
  view.setUint32(24, sampleRateHz, true);
  view.setUint32(28, sampleRateHz * 2, true);
  view.setUint16(32, 2, true);
  view.setUint16(34, 16, true);
  header.set(new TextEncoder().encode("data"), 36);
  view.setUint32(40, fits ? dataBytes : openEnded, true);
  return header;
}

async function writeFully(handle: FileHandle, bytes: Uint8Array, position: number): Promise<void> {
  for (let written = 0; written < bytes.length;) {
    const { bytesWritten } = await handle.write(bytes, written, bytes.length - written, position + written);
    written += bytesWritten;
  }
}
