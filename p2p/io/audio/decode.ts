import { TeahouseError } from "../../api/errors.ts";
import type { ByteSource } from "./byte-source.ts";
import type { Container } from "./container.ts";

/** Decoded sound: one array a channel, all of the same length. */
export interface AudioData {
  readonly channelData: readonly Float32Array[];
  readonly sampleRate: number;
}

/** What the decoders of all formats have in common. The WASM ones may give more room than they filled. */
interface Decoder {
  decode(chunk: Uint8Array): Decoded | Promise<Decoded>;
  flush?(): Decoded | Promise<Decoded>;
  free(): void;
}
type Decoded = AudioData & { readonly samplesDecoded?: number };

/**
 * Imported on first use: a relay or listener never pays for decoders. Each format by its own package, since the
 * collection of all of them brings codecs whose licence does not go with ours.
 */
const decoders: Readonly<Record<Container["codec"], () => Promise<Decoder>>> = {
  wav: async () => (await import("@audio/decode-wav")).decoder(),
  flac: async () => (await import("@audio/decode-flac")).decoder(),
  mp3: async () => (await import("@audio/decode-mp3")).decoder(),
  oga: async () => (await import("@audio/decode-vorbis")).decoder(),
  opus: async () => (await import("@audio/decode-opus")).decoder(),
};

/** Bytes of samples read at once: 0.1 s of CD sound; more only makes more garbage. */
const wavReadBytes = 16_384;
/** Bytes of compressed sound decoded at once: digital silence in FLAC grows a thousandfold. */
const compressedReadBytes = 1024;
/** A raw FLAC or MP3 decoder that gives nothing for so long has lost its place; no sane frame is as large. */
const resumableStallBytes = 262_144;
/** Ogg may carry a cover picture before the first sound. Beyond this it is not a recording. */
const oggStallBytes = 16_777_216;
/** Damaged spots in a row that are skipped before the rest is given up. */
const stallsMax = 4;

/**
 * Decodes a file piece by piece, holding a few hundred kilobytes. Damage before the first sample rejects with
 * `audio-unreadable`; after it, damage in the middle is skipped where the format allows that, and otherwise ends
 * the sound, as truncation does.
 */
export async function* decodedPieces(source: ByteSource, container: Container): AsyncGenerator<AudioData> {
  const readBytes = container.codec === "wav" ? wavReadBytes : compressedReadBytes;
  const stallBytes = container.resumable ? resumableStallBytes : oggStallBytes;
  let decoder = await createDecoder(container);
  let heard = false;
  let stalls = 0;
  let silentBytes = 0;
  try {
    for (let position = container.start; position < container.end;) {
      const bytes = await source.read(position, Math.min(readBytes, container.end - position));
      if (bytes.length === 0) break;
      position += bytes.length;
      const piece = await decodePiece(decoder, bytes);
      if (piece === undefined) break;
      silentBytes += bytes.length;
      if (piece.channelData.length > 0) {
        heard = true;
        stalls = 0;
        silentBytes = 0;
        yield piece;
      } else if (silentBytes > stallBytes) {
        stalls += 1;
        silentBytes = 0;
        if (!container.resumable || stalls > stallsMax) break;
        decoder.free();
        decoder = await createDecoder(container);
      }
    }
    const rest = await decodePiece(decoder, undefined);
    if (rest !== undefined && rest.channelData.length > 0) {
      heard = true;
      yield rest;
    }
  } finally {
    decoder.free();
  }
  if (!heard) throw nothingHeard(container);
}

/** A file whose headers are right and that holds no sound is empty; one whose sound cannot be decoded is damaged. */
function nothingHeard(container: Container): TeahouseError {
  const empty = container.start >= container.end || !container.resumable;
  return empty ? emptyAudio() : unreadableAudio();
}

/** A sound file without a single sample. */
export function emptyAudio(): TeahouseError {
  return new TeahouseError("audio-empty", "The audio file holds no sound: choose another one.");
}

/** The one sentence for everything that is not decodable sound. */
export function unreadableAudio(): TeahouseError {
  const message = "The file is damaged or holds no audio that Teahouse reads: use WAV, FLAC, MP3 or Ogg.";
  return new TeahouseError("audio-unreadable", message);
}

async function createDecoder(container: Container): Promise<Decoder> {
  const decoder = await decoders[container.codec]();
  if (container.header.length > 0) await decoder.decode(container.header);
  return decoder;
}

/** Undefined when the decoder gave up: the libraries throw whatever they met, a TypeError of their own too. */
async function decodePiece(decoder: Decoder, bytes: Uint8Array | undefined): Promise<AudioData | undefined> {
  try {
    const decoded = await quietly(() => (bytes === undefined ? (decoder.flush?.() ?? nothing) : decoder.decode(bytes)));
    const { samplesDecoded, sampleRate } = decoded;
    const channelData = decoded.channelData.map((channel) => channel.subarray(0, samplesDecoded));
    return (channelData[0]?.length ?? 0) === 0 ? nothing : { channelData, sampleRate };
  } catch {
    return undefined;
  }
}

const nothing: Decoded = { channelData: [], sampleRate: 0 };

/**
 * The decoders write what they think of damaged bytes to the console, and we log nothing by default. They do so
 * before their first await, so nobody else's words are lost.
 */
function quietly<Result>(action: () => Result): Result {
  /* oxlint-disable no-console -- to silence it is not to use it */
  const original = console.error;
  console.error = () => {};
  try {
    return action();
  } finally {
    console.error = original;
  }
  /* oxlint-enable no-console */
}
