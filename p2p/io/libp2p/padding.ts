import { socketMessageBytesMax } from "../../api/socket.ts";

/**
 * Messages each way that carry padding: multistream's and Noise's three, whose sizes would be the same in every connection
 * and can be seen through TLS, and yamux's first.
 */
export const paddedMessages = 4;
/** Random bytes after a payload, at most. */
export const paddingBytesMax = 255;
const lengthBytes = 2;
/** Bytes of one payload at most, so that it also fits with its padding; below 2^16. */
export const payloadBytesMax = socketMessageBytesMax - lengthBytes - paddingBytesMax;

/**
 * Both directions of one socket: the first `paddedMessages` each way are length (16 bits, big-endian) | payload | 0 to 255
 * random bytes, the rest are payload alone. `randomBytes`: as many as asked for.
 */
export class Padding {
  readonly #randomBytes: (length: number) => Uint8Array;
  #sent = 0;
  #received = 0;

  constructor(randomBytes: (length: number) => Uint8Array) {
    this.#randomBytes = randomBytes;
  }

  /** What to send for this payload of 1 to `payloadBytesMax` bytes. */
  wrap(payload: Uint8Array): Uint8Array {
    if (this.#sent >= paddedMessages) return payload;
    this.#sent++;
    const padding = this.#randomBytes(this.#randomBytes(1)[0] ?? 0);
    const message = new Uint8Array(lengthBytes + payload.length + padding.length);
    new DataView(message.buffer).setUint16(0, payload.length);
    message.set(payload, lengthBytes);
    message.set(padding, lengthBytes + payload.length);
    return message;
  }

  /** The payload of what came; undefined when it is malformed, after which nothing more can be read. */
  unwrap(message: Uint8Array): Uint8Array | undefined {
    if (this.#received >= paddedMessages) return message;
    this.#received++;
    if (message.length < lengthBytes) return undefined;
    const length = new DataView(message.buffer, message.byteOffset).getUint16(0);
    const padding = message.length - lengthBytes - length;
    if (length === 0 || padding < 0 || padding > paddingBytesMax) return undefined;
    return message.subarray(lengthBytes, lengthBytes + length);
  }
}
