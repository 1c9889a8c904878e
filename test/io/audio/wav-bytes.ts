/** How a test's WAV is written. */
export interface WavOptions {
  /** The tag of the `fmt ` chunk: 1 integers, 3 floats, 6 A-law, 7 mu-law. */
  readonly format?: number;
  readonly bits?: number;
  readonly rateHz?: number;
  /** Wrap the tag as WAVE_FORMAT_EXTENSIBLE. */
  readonly extensible?: boolean;
  /** The `data` size to claim instead of the true one. */
  readonly claimedBytes?: number;
  /** RF64 with its 64-bit size. */
  readonly rf64?: boolean;
  /** Whole chunks to put before `data`. */
  readonly before?: readonly Uint8Array[];
  /** Bytes to put after the samples. */
  readonly after?: Uint8Array;
}

/** A WAV file of these channels, samples within ±1. */
export function wavBytes(channels: readonly Float32Array[], options: WavOptions = {}): Uint8Array {
  const { format = 1, bits = 16, rateHz = 48_000, extensible = false, rf64 = false } = options;
  const data = sampleBytes(channels, format, bits);
  const fmt = new DataView(new ArrayBuffer(extensible ? 40 : 16));
  fmt.setUint16(0, extensible ? 0xfffe : format, true);
  fmt.setUint16(2, channels.length, true);
  fmt.setUint32(4, rateHz, true);
  fmt.setUint32(8, (rateHz * channels.length * bits) / 8, true);
  fmt.setUint16(12, (channels.length * bits) / 8, true);
  fmt.setUint16(14, bits, true);
  if (extensible) fmt.setUint16(24, format, true);
  const ds64 = new DataView(new ArrayBuffer(28));
  ds64.setBigUint64(8, BigInt(data.length), true);
  return concatenate([
    text(rf64 ? "RF64" : "RIFF"),
    new Uint8Array(4).fill(0xff),
    text("WAVE"),
    ...(rf64 ? [chunk("ds64", new Uint8Array(ds64.buffer))] : []),
    chunk("fmt ", new Uint8Array(fmt.buffer)),
    ...(options.before ?? []),
    chunk("data", data, rf64 ? 0xffff_ffff : options.claimedBytes),
    options.after ?? new Uint8Array(0),
  ]);
}

/** A RIFF chunk, padded to an even length. */
export function chunk(name: string, body: Uint8Array, claimedBytes = body.length): Uint8Array {
  const size = new Uint8Array(4);
  new DataView(size.buffer).setUint32(0, claimedBytes, true);
  return concatenate([text(name), size, body, new Uint8Array(body.length % 2)]);
}

/** Latin letters as bytes. */
export function text(letters: string): Uint8Array {
  return new TextEncoder().encode(letters);
}

export function concatenate(pieces: readonly Uint8Array[]): Uint8Array {
  const all = new Uint8Array(pieces.reduce((sum, piece) => sum + piece.length, 0));
  let offset = 0;
  for (const piece of pieces) {
    all.set(piece, offset);
    offset += piece.length;
  }
  return all;
}

function sampleBytes(channels: readonly Float32Array[], format: number, bits: number): Uint8Array {
  const samples = channels[0]?.length ?? 0;
  const bytes = new Uint8Array((samples * channels.length * bits) / 8);
  const view = new DataView(bytes.buffer);
  let position = 0;
  for (let index = 0; index < samples; index += 1) {
    for (const channel of channels) {
      writeSample(view, position, channel[index]!, format, bits);
      position += bits / 8;
    }
  }
  return bytes;
}

function writeSample(view: DataView, position: number, sample: number, format: number, bits: number): void {
  if (format === 6) view.setUint8(position, nearestCode(sample, alawSample));
  else if (format === 7) view.setUint8(position, nearestCode(sample, mulawSample));
  else if (format === 3 && bits === 32) view.setFloat32(position, sample, true);
  else if (format === 3) view.setFloat64(position, sample, true);
  else if (bits === 8) view.setUint8(position, Math.round(sample * 127) + 128);
  else if (bits === 16) view.setInt16(position, Math.round(sample * 0x7fff), true);
  else if (bits === 24) {
    const value = Math.round(sample * 0x7f_ffff);
    view.setUint16(position, value & 0xffff, true);
    view.setInt8(position + 2, value >> 16);
  } else view.setInt32(position, Math.round(sample * 0x7fff_ffff), true);
}

/** The G.711 code whose meaning is nearest: slow and evidently right. */
function nearestCode(sample: number, meaning: (code: number) => number): number {
  let nearest = 0;
  for (let code = 1; code < 256; code += 1) {
    if (Math.abs(meaning(code) - sample) < Math.abs(meaning(nearest) - sample)) nearest = code;
  }
  return nearest;
}

/** ITU-T G.711, table 2: what a mu-law code means, of 8,159 steps. */
function mulawSample(code: number): number {
  const bits = ~code & 0xff;
  const size = (((bits & 15) * 2 + 33) << ((bits >> 4) & 7)) - 33;
  return ((bits & 0x80) === 0 ? size : -size) / 8192;
}

/** ITU-T G.711, table 1: what an A-law code means, of 4,096 steps; even bits are inverted on the wire. */
function alawSample(code: number): number {
  const bits = code ^ 0x55;
  const segment = (bits >> 4) & 7;
  const size = segment === 0 ? (bits & 15) * 2 + 1 : ((bits & 15) * 2 + 33) << (segment - 1);
  return ((bits & 0x80) === 0 ? -size : size) / 4096;
}
