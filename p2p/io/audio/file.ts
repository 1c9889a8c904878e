import { openByteSource } from "./byte-source.ts";
import { identify } from "./container.ts";
import { decodedPieces, emptyAudio, unreadableAudio, type AudioData } from "./decode.ts";
import { downmix } from "./pcm.ts";
import { createResampler, type Resampler } from "./resample.ts";

/** The sound of a file: pieces of mono float samples at 48 kHz, of any length but none, in order, once. */
export interface AudioFile extends AsyncIterable<Float32Array> {
  /** Ends the iteration and gives back the file and the decoder's memory. May be called at any time, and again. */
  close(): Promise<void>;
}

/**
 * Opens a WAV, FLAC, MP3, Ogg Vorbis, Ogg Opus or Ogg FLAC file of any rate from 4 to 192 kHz and any number of
 * channels (their mean is taken). It is decoded while it is read: memory stays small however long it is.
 *
 * Rejects with `audio-missing`; `audio-unreadable` (not a file, no such format, damaged from its start); or
 * `audio-empty`. The first piece is decoded here, so that afterwards only a failing disk, or a
 * chained stream of an absurd rate, can reject (`audio-unreadable`): a file cut short plays as far as it goes.
 */
export async function openAudioFile(path: string): Promise<AudioFile> {
  const source = await openByteSource(path);
  try {
    if (source.length === 0) throw emptyAudio();
    const container = await identify(source);
    if (container === undefined) throw unreadableAudio();
    const samples = monoAt48kHz(decodedPieces(source, container));
    const first = await samples.next();
    if (first.done === true) throw emptyAudio();
    return openedFile(first, samples, () => source.close());
  } catch (error) {
    await source.close();
    throw error;
  }
}

function openedFile(
  first: IteratorResult<Float32Array>,
  samples: AsyncGenerator<Float32Array, undefined>,
  closeSource: () => Promise<void>,
): AudioFile {
  let waiting: IteratorResult<Float32Array> | undefined = first;
  const close = async (): Promise<void> => {
    waiting = undefined;
    // Waits for the read under way, then runs the generator's clean-up.
    await samples.return(undefined);
    await closeSource();
  };
  const next = async (): Promise<IteratorResult<Float32Array>> => {
    const result = waiting ?? (await samples.next());
    waiting = undefined;
    if (result.done === true) await closeSource();
    return result;
  };
  const iterator: AsyncIterator<Float32Array> = {
    next,
    return: async () => {
      await close();
      return { done: true, value: undefined };
    },
  };
  return { [Symbol.asyncIterator]: () => iterator, close };
}

async function* monoAt48kHz(pieces: AsyncIterable<AudioData>): AsyncGenerator<Float32Array, undefined> {
  let resampler: Resampler | undefined;
  try {
    for await (const { channelData, sampleRate } of pieces) {
      // A chained Ogg file may change its rate.
      if (resampler?.inputRateHz !== sampleRate) {
        const rest = resampler?.flush();
        resampler?.free();
        resampler = undefined;
        if (rest !== undefined && rest.length > 0) yield rest;
        resampler = await createResampler(sampleRate);
      }
      const samples = resampler.push(downmix(channelData));
      if (samples.length > 0) yield samples;
    }
    const rest = resampler?.flush();
    if (rest !== undefined && rest.length > 0) yield rest;
  } finally {
    resampler?.free();
  }
  return undefined;
}
