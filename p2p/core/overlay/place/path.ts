import type { PeerId } from "../../../api/ids.ts";
import { type ByteReader, type ByteWriter, fromHex, toHex } from "../../bytes.ts";

/** Bytes of a short id: enough that grinding a key that collides with a given one takes 2^48 tries. */
const shortIdBytes = 6;
/** Links from the core to anybody at most: a room of 100,000 with eight children each is six deep. */
export const depthMax = 16;

/** The first bytes of a peer's key, in hex: what the way to the core is written in. */
export type ShortId = string;

/** The way from the core to somebody, itself last. Empty: it does not know. */
export type Path = readonly ShortId[];

/** A peer's short id. */
export function shortIdOf(peer: PeerId): ShortId {
  return peer.slice(0, 2 * shortIdBytes);
}

/** The id of whoever `path`'s owner hangs below; undefined at the top. */
export function parentOn(path: Path): ShortId | undefined {
  return path.at(-2);
}

/** Writes a path. */
export function writePath(writer: ByteWriter, path: Path): void {
  writer.u8(path.length);
  for (const id of path) writer.bytes(fromHex(id));
}

/** Reads a path; undefined when it is deeper than trees get. Underrun: see `ByteReader`. */
export function readPath(reader: ByteReader): Path | undefined {
  const count = reader.u8();
  if (count > depthMax) return undefined;
  return Array.from({ length: count }, () => readShortId(reader));
}

/** Writes one short id. */
export function writeShortId(writer: ByteWriter, id: ShortId): void {
  writer.bytes(fromHex(id));
}

/** Reads one. */
export function readShortId(reader: ByteReader): ShortId {
  return toHex(reader.bytes(shortIdBytes));
}
