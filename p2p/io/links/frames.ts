/** Bytes as streams give them: in one piece, or in a list that can be joined. */
export type StreamBytes = Uint8Array | { subarray(): Uint8Array };

/** Bytes of the length that stands before each message on a stream, big-endian. */
const headerBytes = 2;

/** Joins messages, each behind its length in two bytes, into one piece for one write. */
export function joinFrames(messages: readonly Uint8Array[]): Uint8Array {
  let size = 0;
  for (const message of messages) size += headerBytes + message.length;
  const joined = new Uint8Array(size);
  let offset = 0;
  for (const message of messages) {
    joined[offset] = message.length >>> 8;
    joined[offset + 1] = message.length & 0xff;
    joined.set(message, offset + headerBytes);
    offset += headerBytes + message.length;
  }
  return joined;
}

/**
 * Cuts a byte stream back into messages. Strict: an empty frame or one above `bytesMax` is refused as soon as its length is
 * read, so that no more than one frame is ever kept.
 */
export class FrameReader {
  readonly #bytesMax: number;
  #kept: Uint8Array = new Uint8Array(0);
  #broken = false;

  constructor(bytesMax: number) {
    this.#bytesMax = bytesMax;
  }

  /**
   * Takes what the network gave and calls back for each whole message, which is the receiver's to keep. False when the
   * sender broke the rules; everything after that is ignored.
   */
  push(data: StreamBytes, onFrame: (frame: Uint8Array) => void): boolean {
    if (this.#broken) return false;
    const bytes = this.#join(data instanceof Uint8Array ? data : data.subarray());
    let offset = 0;
    while (bytes.length - offset >= headerBytes) {
      const length = ((bytes[offset] ?? 0) << 8) | (bytes[offset + 1] ?? 0);
      if (length === 0 || length > this.#bytesMax) {
        this.#broken = true;
        this.#kept = new Uint8Array(0);
        return false;
      }
      const end = offset + headerBytes + length;
      if (bytes.length < end) break;
      // A plain array, never a Buffer: their `slice` differ, and core must get the same from every link.
      onFrame(new Uint8Array(bytes.buffer, bytes.byteOffset + offset + headerBytes, length));
      offset = end;
    }
    // A copy, so that a few left-over bytes do not keep a whole network buffer alive.
    this.#kept = offset === bytes.length ? new Uint8Array(0) : new Uint8Array(bytes.subarray(offset));
    return true;
  }

  #join(chunk: Uint8Array): Uint8Array {
    if (this.#kept.length === 0) return chunk;
    const joined = new Uint8Array(this.#kept.length + chunk.length);
    joined.set(this.#kept);
    joined.set(chunk, this.#kept.length);
    return joined;
  }
}
