/** A parser or check of foreign bytes as fuzzers drive it. */
export interface Parser {
  /** Valid inputs, to be mutated: one of each kind that it reads. */
  readonly samples: readonly Uint8Array[];
  /** Whether the bytes are taken for good. Must never throw. */
  readonly accepts: (bytes: Uint8Array) => boolean;
  /** Nothing but the samples themselves may be accepted: they are signed or have a checksum. */
  readonly sealed?: true;
  /** Bytes are characters, so that lines, numbers and quoted words are mutated too. */
  readonly text?: true;
  /** The exported functions and classes of the project that it drives: `test/tidy/fuzzed.test.ts` looks for those nobody drives. */
  readonly covers: readonly string[];
}

/** Parsers by name. */
export type Parsers = Readonly<Record<string, Parser>>;

/** Bytes as text, one character each, so that no input is lost to decoding. */
export function textOf(bytes: Uint8Array): string {
  let text = "";
  for (const byte of bytes) text += String.fromCharCode(byte);
  return text;
}

/** The other way round; characters above 255 become what they are modulo 256. */
export function bytesOf(text: string): Uint8Array {
  return Uint8Array.from(text, (character) => character.charCodeAt(0));
}
