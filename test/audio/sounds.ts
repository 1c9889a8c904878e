import { fileURLToPath } from "node:url";
import { openAudioFile } from "../../p2p/io/audio/file.ts";

/** A file under test/fixtures. */
export function fixturePath(name: string): string {
  return fileURLToPath(new URL(`../fixtures/${name}`, import.meta.url));
}

/** All of a file at 48 kHz: for short ones. */
export async function readAudio(path: string): Promise<Float32Array> {
  const pieces: Float32Array[] = [];
  for await (const piece of await openAudioFile(path)) pieces.push(piece);
  return joined(pieces);
}

/** Pieces of sound as one. */
export function joined(pieces: readonly Float32Array[]): Float32Array {
  const all = new Float32Array(pieces.reduce((sum, piece) => sum + piece.length, 0));
  let offset = 0;
  for (const piece of pieces) {
    all.set(piece, offset);
    offset += piece.length;
  }
  return all;
}

/** A sine of amplitude 0.5 and so many samples. */
export function sine(samples: number, hertz: number, sampleRate: number): Float32Array {
  return Float32Array.from(
    { length: samples },
    (_, index) => 0.5 * Math.sin((2 * Math.PI * hertz * index) / sampleRate),
  );
}

/** Root mean square of the difference, over the shorter of both. */
export function rmsError(left: Float32Array, right: Float32Array): number {
  const length = Math.min(left.length, right.length);
  let squares = 0;
  for (let index = 0; index < length; index += 1) squares += (left[index]! - right[index]!) ** 2;
  return Math.sqrt(squares / length);
}
