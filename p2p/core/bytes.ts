import { assert } from "./assert.ts";

const bytesInitial = 256;
const u48Limit = 2 ** 48;

/** Writes big-endian fields one after another. A value that does not fit its field is our own bug: assert. */
export class ByteWriter {
  #buffer = new Uint8Array(bytesInitial);
  #written = 0;

  /** Bytes written so far. */
  get length(): number {
    return this.#written;
  }

  /** One byte, 0 to 255. */
  u8(value: number): this {
    return this.#unsigned(value, 1);
  }

  /** Two bytes. */
  u16(value: number): this {
    return this.#unsigned(value, 2);
  }

  /** Four bytes. */
  u32(value: number): this {
    return this.#unsigned(value, 4);
  }

  /** 48 bits: Unix milliseconds until the year 10889. */
  u48(value: number): this {
    return this.#unsigned(value, 6);
  }

  /** The bytes themselves; their length is fixed by the format. */
  bytes(value: Uint8Array): this {
    this.#reserve(value.length);
    this.#buffer.set(value, this.#written);
    this.#written += value.length;
    return this;
  }

  /** A length of one byte, then the bytes. */
  sized8(value: Uint8Array): this {
    return this.u8(value.length).bytes(value);
  }

  /** A length of two bytes, then the bytes. */
  sized16(value: Uint8Array): this {
    return this.u16(value.length).bytes(value);
  }

  /** A copy of everything written. The writer may go on. */
  finish(): Uint8Array {
    return copy(this.#buffer.subarray(0, this.#written));
  }

  /** The same, of secrets: the writer's own are overwritten, and it is at its end. */
  drain(): Uint8Array {
    const bytes = this.finish();
    this.#buffer.fill(0);
    return bytes;
  }

  #unsigned(value: number, size: number): this {
    assert(Number.isInteger(value) && value >= 0 && value < Math.min(2 ** (8 * size), u48Limit), "fits its field");
    this.#reserve(size);
    let rest = value;
    for (let index = this.#written + size - 1; index >= this.#written; index--) {
      this.#buffer[index] = rest % 256;
      rest = Math.floor(rest / 256);
    }
    this.#written += size;
    return this;
  }

  #reserve(more: number): void {
    if (this.#written + more <= this.#buffer.length) return;
    const larger = new Uint8Array(Math.max(this.#buffer.length * 2, this.#written + more));
    larger.set(this.#buffer.subarray(0, this.#written));
    this.#buffer.fill(0);
    this.#buffer = larger;
  }
}

/**
 * Reads big-endian fields one after another. A read past the end sets `failed`, and it and every later read give
 * zeros or no bytes; so a parser reads all its fields first and asks `failed` or `ended` once, before it believes
 * any of them.
 */
export class ByteReader {
  readonly #source: Uint8Array;
  #position = 0;
  #underrun = false;

  constructor(bytes: Uint8Array) {
    this.#source = bytes;
  }

  /** A read went past the end. */
  get failed(): boolean {
    return this.#underrun;
  }

  /** Every byte was read, and none beyond. */
  get ended(): boolean {
    return !this.#underrun && this.#position === this.#source.length;
  }

  /** Bytes read so far. */
  get offset(): number {
    return this.#position;
  }

  /** Bytes left. */
  get remaining(): number {
    return this.#underrun ? 0 : this.#source.length - this.#position;
  }

  /** One byte. */
  u8(): number {
    return this.#unsigned(1);
  }

  /** Two bytes. */
  u16(): number {
    return this.#unsigned(2);
  }

  /** Four bytes. */
  u32(): number {
    return this.#unsigned(4);
  }

  /** Six bytes. */
  u48(): number {
    return this.#unsigned(6);
  }

  /** A copy of the next `length` bytes; none of them when there are fewer. */
  bytes(length: number): Uint8Array {
    const start = this.#take(length);
    return this.#underrun ? new Uint8Array(0) : copy(this.#source.subarray(start, start + length));
  }

  /** A copy of every byte left. */
  rest(): Uint8Array {
    return this.bytes(this.remaining);
  }

  /** Bytes after a length of one byte. */
  sized8(): Uint8Array {
    return this.bytes(this.u8());
  }

  /** Bytes after a length of two bytes. Allocates no more than has arrived. */
  sized16(): Uint8Array {
    return this.bytes(this.u16());
  }

  #unsigned(size: number): number {
    const start = this.#take(size);
    if (this.#underrun) return 0;
    let value = 0;
    for (let index = start; index < start + size; index++) value = value * 256 + (this.#source[index] ?? 0);
    return value;
  }

  #take(length: number): number {
    const start = this.#position;
    if (this.#underrun || length > this.#source.length - start) this.#underrun = true;
    else this.#position += length;
    return start;
  }
}

/** A copy that shares no memory; unlike `slice`, also when handed a Node Buffer. */
export function copy(bytes: Uint8Array): Uint8Array {
  return new Uint8Array(bytes);
}

/** All parts in one new array. */
export function concat(...parts: readonly Uint8Array[]): Uint8Array {
  let length = 0;
  for (const part of parts) length += part.length;
  const whole = new Uint8Array(length);
  let offset = 0;
  for (const part of parts) {
    whole.set(part, offset);
    offset += part.length;
  }
  return whole;
}

/** Same length and bytes. Not in constant time: for public values only. */
export function equal(left: Uint8Array, right: Uint8Array): boolean {
  if (left.length !== right.length) return false;
  for (let index = 0; index < left.length; index++) if (left[index] !== right[index]) return false;
  return true;
}

/** Byte by byte, a shorter prefix first: negative, zero or positive as `sort` wants it. */
export function compare(left: Uint8Array, right: Uint8Array): number {
  const shared = Math.min(left.length, right.length);
  for (let index = 0; index < shared; index++) {
    const difference = (left[index] ?? 0) - (right[index] ?? 0);
    if (difference !== 0) return difference;
  }
  return left.length - right.length;
}

const hexOfByte = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, "0"));

/** Lower-case hex, two digits a byte. */
export function toHex(bytes: Uint8Array): string {
  let text = "";
  for (const byte of bytes) text += hexOfByte[byte] ?? "";
  return text;
}

/** The bytes of hex digits of either case. For our own ids only: anything but pairs of hex digits is a bug. */
export function fromHex(text: string): Uint8Array {
  assert(/^([0-9a-f]{2})*$/i.test(text), "pairs of hex digits");
  const bytes = new Uint8Array(text.length / 2);
  for (let index = 0; index < bytes.length; index++) {
    bytes[index] = Number.parseInt(text.slice(2 * index, 2 * index + 2), 16);
  }
  return bytes;
}
