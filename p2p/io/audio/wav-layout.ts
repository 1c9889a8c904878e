import type { ByteSource } from "./byte-source.ts";

/** Where the samples of a WAV file are, and a minimal header that describes them. */
export interface WavLayout {
  /** A 44-byte RIFF header of our own, with the open-ended data size that streams use. */
  readonly header: Uint8Array;
  /** First byte of the samples. */
  readonly start: number;
  /** First byte after the samples; never past the end of the file. */
  readonly end: number;
}

/** PCM, IEEE float, A-law, mu-law: formats whose blocks are single samples. ADPCM is not spoken today. */
const bitsByFormat: Readonly<Record<number, readonly number[]>> = { 1: [8, 16, 24, 32], 3: [32, 64], 6: [8], 7: [8] };
const extensible = 0xfffe;
/** More chunks than this before the samples are not a recording. */
const chunksMax = 1000;
/** A size that says "until the file ends": written by recorders that stream or were killed. */
const openEnded = 0xffff_ffff;

/**
 * Walks the chunks of a RIFF or RF64 file on disk, so that neither a 4 GB `data` nor a giant `LIST` is ever in
 * memory. Undefined when the file is not WAV, or is damaged, or holds a format that we do not decode.
 */
export async function readWavLayout(source: ByteSource): Promise<WavLayout | undefined> {
  let format: Uint8Array | undefined;
  let dataBytes64: number | undefined;
  let position = 12;
  for (let chunk = 0; chunk < chunksMax; chunk += 1) {
    const head = await source.read(position, 8);
    if (head.length < 8) return undefined;
    const name = String.fromCharCode(...head.subarray(0, 4));
    const size = view(head).getUint32(4, true);
    const body = position + 8;
    if (name === "fmt ") format = formatOf(await source.read(body, Math.min(size, 40)));
    if (name === "ds64") dataBytes64 = dataBytesOf(await source.read(body, Math.min(size, 16)));
    if (name === "fmt " && format === undefined) return undefined;
    if (name === "data") {
      if (format === undefined) return undefined;
      return { header: headerOf(format), start: body, end: dataEnd(source, body, size, dataBytes64) };
    }
    // Chunks are padded to an even length.
    position = body + size + (size % 2);
  }
  return undefined;
}

/** True when the bytes begin as WAV does; RF64 is its form for more than 4 GB. */
export function looksLikeWav(bytes: Uint8Array): boolean {
  const riff = String.fromCharCode(...bytes.subarray(0, 4));
  return (riff === "RIFF" || riff === "RF64") && String.fromCharCode(...bytes.subarray(8, 12)) === "WAVE";
}

function dataEnd(source: ByteSource, start: number, size: number, dataBytes64: number | undefined): number {
  const declared = size === openEnded ? (dataBytes64 ?? Infinity) : size;
  return Math.min(start + declared, source.length);
}

function dataBytesOf(ds64: Uint8Array): number | undefined {
  return ds64.length < 16 ? undefined : Number(view(ds64).getBigUint64(8, true));
}

/** The 16 bytes of a plain `fmt ` chunk, checked: tag, channels, rate, bytes a second, block, bits. */
function formatOf(chunk: Uint8Array): Uint8Array | undefined {
  if (chunk.length < 16) return undefined;
  const plain = chunk.slice(0, 16);
  const fields = view(plain);
  if (fields.getUint16(0, true) === extensible) {
    if (chunk.length < 26) return undefined;
    // The real tag is the first two bytes of the sub-format.
    fields.setUint16(0, view(chunk).getUint16(24, true), true);
  }
  const channels = fields.getUint16(2, true);
  const bits = fields.getUint16(14, true);
  const known = bitsByFormat[fields.getUint16(0, true)]?.includes(bits) ?? false;
  if (!known || channels === 0 || fields.getUint16(12, true) !== (channels * bits) / 8) return undefined;
  return plain;
}

function headerOf(format: Uint8Array): Uint8Array {
  const header = new Uint8Array(44);
  header.set([0x52, 0x49, 0x46, 0x46, 0xff, 0xff, 0xff, 0xff, 0x57, 0x41, 0x56, 0x45]);
  header.set([0x66, 0x6d, 0x74, 0x20, 16, 0, 0, 0], 12);
  header.set(format, 20);
  header.set([0x64, 0x61, 0x74, 0x61, 0xff, 0xff, 0xff, 0xff], 36);
  return header;
}

function view(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
