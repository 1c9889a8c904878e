import { toHex } from "../../bytes.ts";
import type { ChainEvent } from "./chain.ts";
import type { History } from "./history.ts";
import { isGenerationWithinReach } from "../rights/numbers.ts";
import { bansOfBoth, isBanned } from "../state/lists.ts";
import { hasKey, listsMax, markOf, type RoomState } from "../state/state.ts";

/** Two states that grew apart while nobody heard of the other ([RM36]): ours, with everything that the other shut. */
export function withShut(ours: RoomState, theirs: RoomState): RoomState {
  const missing = <Item>(mine: readonly Item[], other: readonly Item[], key: (item: Item) => string): Item[] => {
    const known = new Set(mine.map(key));
    return [...mine, ...other.filter((item) => !known.has(key(item)))];
  };
  const ofBytes = (bytes: Uint8Array): string => toHex(bytes);
  const bans = bansOfBoth(ours, theirs);
  const kicked = missing(ours.kicked, theirs.kicked, ofBytes).slice(-listsMax.kicked);
  const isFree = ({ identityKey }: { readonly identityKey: Uint8Array }): boolean =>
    !isBanned({ ...ours, ...bans }, identityKey) && !hasKey(kicked, markOf(identityKey));
  return {
    ...ours,
    ...bans,
    kicked,
    // Who was put out keeps the room no more: it would let itself in again.
    keepers: ours.keepers.filter((keeper) => keeper.role === "host" || isFree(keeper)),
    used: missing(ours.used, theirs.used, ({ branch }) => toHex(branch)).slice(0, listsMax.used),
    stage: ours.stage.filter((person) => person.role === "host" || isFree(person)),
    hands: ours.hands.filter(({ person }) => isFree(person)),
    revoked: missing(ours.revoked, theirs.revoked, ofBytes).slice(0, listsMax.revoked),
    silenced: missing(ours.silenced, theirs.silenced, ({ identityKey }) => toHex(identityKey)).slice(
      0,
      listsMax.silenced,
    ),
    generation: isGenerationWithinReach(ours.generation, theirs.generation)
      ? Math.max(ours.generation, theirs.generation)
      : ours.generation,
    ended: ours.ended || theirs.ended,
  };
}

/** How many are put out or kept out: it only grows when two states come together. */
export function countOfShut({ bans, keptBans, kicked, revoked, generation }: RoomState): number {
  return bans.length + keptBans.length + kicked.length + revoked.length + generation;
}

/** What one heir notes while it acts: as many as a history holds open. Were the first to fall, nothing after them would count. */
const notedMax = 16_384;

/**
 * What was said while an heir acted. The host behind a cut heard nothing of it, and its state settles nothing of it: then
 * it is said again, under the same numbers, so that no ban is lost and no author says two things under one ([RM36]).
 */
export class Meanwhile {
  #events: ChainEvent[] = [];

  note(event: ChainEvent): void {
    if (this.#events.length < notedMax) this.#events.push(event);
  }

  /** Takes it up on top of the state of whoever acts now. The result is what the others lack as well. */
  resume(history: History): ChainEvent[] {
    return this.#events.splice(0).filter((event) => {
      const taken = history.offer(event);
      return taken === "applied" || taken === "void";
    });
  }
}
