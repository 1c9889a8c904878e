import { constants } from "node:fs";
import { open, type FileHandle } from "node:fs/promises";
import { TeahouseError } from "../../api/errors.ts";

/** Random access to a file's bytes; nothing of it is kept. */
export interface ByteSource {
  /** Length in bytes when it was opened. A file that grows meanwhile is read to that length. */
  readonly length: number;
  /** The bytes from `position`, fewer than `length` only at the end. Rejects with `audio-unreadable` when the disk fails. */
  read(position: number, length: number): Promise<Uint8Array>;
  close(): Promise<void>;
}

/**
 * Opens a regular file. Rejects with `audio-missing`, or with `audio-unreadable` for a directory, a pipe, a
 * device, or a file that we have no right to read. No message holds the path: errors may be shown or passed on.
 */
export async function openByteSource(path: string): Promise<ByteSource> {
  const handle = await openHandle(path);
  try {
    const stat = await handle.stat();
    if (!stat.isFile()) {
      throw new TeahouseError("audio-unreadable", "That path is not a file: name a WAV, FLAC, MP3 or Ogg file.");
    }
    return {
      length: stat.size,
      read: (position, length) => readFully(handle, position, length),
      close: () => handle.close(),
    };
  } catch (error) {
    await handle.close();
    throw error;
  }
}

async function openHandle(path: string): Promise<FileHandle> {
  try {
    // Without O_NONBLOCK, opening a pipe that nobody writes to would wait for ever.
    return await open(path, constants.O_RDONLY | constants.O_NONBLOCK);
  } catch (cause) {
    const code = cause instanceof Error && "code" in cause ? cause.code : undefined;
    if (code === "ENOENT" || code === "ENOTDIR") {
      throw new TeahouseError("audio-missing", "There is no audio file at that path: check how it is spelled.");
    }
    throw new TeahouseError("audio-unreadable", "The audio file cannot be opened: check that you may read it.");
  }
}

async function readFully(handle: FileHandle, position: number, length: number): Promise<Uint8Array> {
  const bytes = new Uint8Array(length);
  let filled = 0;
  while (filled < length) {
    const { bytesRead } = await handle.read(bytes, filled, length - filled, position + filled).catch(() => {
      throw new TeahouseError("audio-unreadable", "The audio file could not be read to its end: check the disk.");
    });
    if (bytesRead === 0) break;
    filled += bytesRead;
  }
  return bytes.subarray(0, filled);
}
