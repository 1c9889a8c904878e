import type { Millis } from "../../../api/ids.ts";
import type { Crypto } from "../../crypto.ts";
import type { Epoch } from "../rights/keys.ts";
import { type ChainEvent, sealEvent } from "./chain.ts";
import { type RoomEvent, rightOfEvent } from "./event.ts";
import type { History } from "./history.ts";
import type { KeyPair } from "../rights/keys.ts";
import { keeperOf, rankOf, reduce, type Void } from "./reduce.ts";

/** Where events are written. */
export interface Desk {
  readonly crypto: Crypto;
  readonly tag: Uint8Array;
  /** By whose secret events are sealed. */
  readonly era: Epoch;
}

/**
 * Writes the next event of one's own chain, and takes it into the history: or says why it would change nothing, and then
 * writes nothing ([RM34]).
 */
export function writeEvent(
  desk: Desk,
  history: History,
  author: KeyPair,
  content: RoomEvent,
  now: Millis,
): ChainEvent | Void {
  const keeper = keeperOf(history.state, author.key);
  if (!keeper) return "not-allowed";
  const { number, hash } = history.headOf(author.key);
  const rank = rankOf[keeper.role];
  const head = { author: author.key, number: number + 1, previous: hash, rank, right: rightOfEvent[content.kind] };
  const said = { at: now, seen: history.seenBy(author.key), content };
  const outcome = reduce(history.state, { ...head, ...said, hash, encoded: hash });
  if (typeof outcome === "string") return outcome;
  const event = sealEvent(desk.crypto, desk.era, desk.tag, author.seed, head, said);
  history.offer(event);
  return event;
}
