import type { ByteSource } from "./byte-source.ts";
import { looksLikeWav, readWavLayout } from "./wav-layout.ts";

/** What a file holds, by its content, and which of its bytes the decoder needs. */
export interface Container {
  /** The decoder's name in audio-decode; `oga` is Ogg Vorbis, `flac` is with or without Ogg. */
  readonly codec: "wav" | "flac" | "mp3" | "oga" | "opus";
  /** Bytes to feed before those of the file; empty for all but WAV. */
  readonly header: Uint8Array;
  readonly start: number;
  readonly end: number;
  /** FLAC frames and MP3 frames stand alone, so that decoding can begin again after a damaged spot. */
  readonly resumable: boolean;
}

/** Metadata blocks of a FLAC file that are walked past. */
const flacBlocksMax = 1000;
/** How far after a tag the first MP3 frame is looked for. */
const mp3SearchBytes = 65_536;
/** MP3 has no magic number: this many frames in a row, each where the one before ends, are no accident. */
const mp3FramesInRow = 3;

/** Tells the format by content, never by name. Undefined when it is none that we decode. */
export async function identify(source: ByteSource): Promise<Container | undefined> {
  const tagEnd = id3End(await source.read(0, 10));
  const head = await source.read(tagEnd, 512);
  if (looksLikeWav(head) && tagEnd === 0) {
    const layout = await readWavLayout(source);
    return layout === undefined ? undefined : { codec: "wav", resumable: false, ...layout };
  }
  if (startsWith(head, "fLaC")) return identifyFlac(source, tagEnd);
  if (startsWith(head, "OggS")) return identifyOgg(head, tagEnd, source.length);
  const start = findMp3(await source.read(tagEnd, mp3SearchBytes), tagEnd + mp3SearchBytes >= source.length);
  return start === undefined ? undefined : container("mp3", tagEnd + start, source.length, true);
}

function container(codec: Container["codec"], start: number, end: number, resumable: boolean): Container {
  return { codec, header: new Uint8Array(0), start, end, resumable };
}

/** Skips tags and cover pictures, which the decoder would hold in memory; its frames describe themselves. */
async function identifyFlac(source: ByteSource, tagEnd: number): Promise<Container | undefined> {
  let position = tagEnd + 4;
  for (let block = 0; block < flacBlocksMax; block += 1) {
    const head = await source.read(position, 4);
    const size = ((head[1] ?? 0) << 16) | ((head[2] ?? 0) << 8) | (head[3] ?? 0);
    const streamInfo = (head[0]! & 0x7f) === 0 && size === 34;
    if (head.length < 4 || (block === 0 && !streamInfo)) return undefined;
    position += 4 + size;
    if (position > source.length) return undefined;
    if ((head[0]! & 0x80) !== 0) return container("flac", position, source.length, true);
  }
  return undefined;
}

function identifyOgg(head: Uint8Array, start: number, end: number): Container | undefined {
  const packet = head.subarray(27 + (head[26] ?? 0));
  if (startsWith(packet, "OpusHead")) return container("opus", start, end, false);
  if (startsWith(packet, "\u0001vorbis")) return container("oga", start, end, false);
  if (startsWith(packet, "\u007fFLAC")) return container("flac", start, end, false);
  return undefined;
}

/** The first byte after an ID3v2 tag (https://id3.org/id3v2.4.0-structure, 3.1), or 0 without one. */
function id3End(head: Uint8Array): number {
  if (!startsWith(head, "ID3") || head.length < 10) return 0;
  const size = head.subarray(6, 10).reduce((sum, byte) => sum * 128 + (byte & 0x7f), 0);
  return 10 + size + ((head[5]! & 0x10) === 0 ? 0 : 10);
}

/** Where the first of several frames in a row begins; fewer are enough when they reach the end of the file. */
function findMp3(bytes: Uint8Array, whole: boolean): number | undefined {
  for (let start = 0; start + 4 <= bytes.length; start += 1) {
    let position = start;
    let frames = 0;
    while (frames < mp3FramesInRow) {
      const length = mp3FrameLength(bytes, position);
      if (length === undefined) break;
      position += length;
      frames += 1;
    }
    if (frames === mp3FramesInRow || (whole && frames > 0 && position === bytes.length)) return start;
  }
  return undefined;
}

const mp3KbpsV1 = [0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320];
const mp3KbpsV2 = [0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160];

/** Bytes of the MPEG layer III frame whose header is here (ISO 11172-3, 2.4.1.3); undefined when it is none. */
function mp3FrameLength(bytes: Uint8Array, position: number): number | undefined {
  const [sync, kind, rates] = bytes.subarray(position, position + 4);
  if (sync !== 0xff || kind === undefined || rates === undefined || (kind & 0xe6) !== 0xe2) return undefined;
  // Two bits: 0 is MPEG 2.5, 1 is reserved, 2 is MPEG 2, 3 is MPEG 1.
  const version = (kind >> 3) & 3;
  const kbps = (version === 3 ? mp3KbpsV1 : mp3KbpsV2)[rates >> 4];
  const rateHz = [44_100, 48_000, 32_000][(rates >> 2) & 3];
  if (version === 1 || kbps === undefined || kbps === 0 || rateHz === undefined) return undefined;
  const rateDivisor = version === 3 ? 1 : version === 2 ? 2 : 4;
  const samplesPerByteUnit = version === 3 ? 144 : 72;
  return Math.floor((samplesPerByteUnit * kbps * 1000) / (rateHz / rateDivisor)) + ((rates >> 1) & 1);
}

function startsWith(bytes: Uint8Array, text: string): boolean {
  if (bytes.length < text.length) return false;
  for (let index = 0; index < text.length; index += 1) {
    if (bytes[index] !== text.charCodeAt(index)) return false;
  }
  return true;
}
