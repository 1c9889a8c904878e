import { concat } from "../../bytes.ts";
import type { Crypto } from "../../crypto.ts";
import { encodeUtf8 } from "../../utf8.ts";
import type { Commit } from "./commit.ts";
import { enrolmentIdBytes } from "./enrolment.ts";

const handOverLabel = encodeUtf8("teahouse voice hand-over 1");
const seedBytes = 32;
/** An id, and what HPKE makes of a seed: an encapsulated key and a tag beside it. No enrolment is as short. */
export const handOverBytes = enrolmentIdBytes + 32 + seedBytes + 16;

/** Seals a copy of a voice key's seed, which is overwritten, to whoever keeps the room, who publishes it when nobody accepts it any more ([RM64]). */
export function sealHandOver(
  crypto: Crypto,
  roomKey: Uint8Array,
  { tree, boxKey }: Pick<Commit, "tree" | "boxKey">,
  voiceSeed: Uint8Array,
): Uint8Array | undefined {
  const id = crypto.randomBytes(enrolmentIdBytes);
  const ephemeral = crypto.randomBytes(seedBytes);
  const sealed = crypto.sealTo(boxKey, ephemeral, concat(handOverLabel, roomKey, tree), id, voiceSeed);
  ephemeral.fill(0);
  voiceSeed.fill(0);
  return sealed && concat(id, sealed);
}

/** The seed that somebody handed over; undefined when it does not open. Whose it is its key says. */
export function openHandOver(
  crypto: Crypto,
  roomKey: Uint8Array,
  tree: Uint8Array,
  boxSeed: Uint8Array,
  bytes: Uint8Array,
): Uint8Array | undefined {
  if (bytes.length !== handOverBytes) return undefined;
  const id = bytes.subarray(0, enrolmentIdBytes);
  const seed = crypto.openSealed(boxSeed, concat(handOverLabel, roomKey, tree), id, bytes.subarray(id.length));
  return seed?.length === seedBytes ? seed : undefined;
}
