import { toHex } from "../../bytes.ts";
import type { ChainEvent } from "./chain.ts";
import type { History } from "./history.ts";
import { isGenerationWithinReach } from "../rights/numbers.ts";
import { bansOfBoth, isBanned } from "../state/lists.ts";
import { hasKey, listsMax, markOf, type RoomState } from "../state/state.ts";

/**
 * Two states that grew apart while nobody heard of the other ([RM36]): ours, with everything that the other shut. Where not all of
 * it fits, the room is locked: what is forgotten lets nobody in ([RM53]).
 */
export function withShut(ours: RoomState, theirs: RoomState): RoomState {
  const { fits, ...bans } = bansOfBoth(ours, theirs);
  const kicked = newestOfBoth(ours.kicked, theirs.kicked).slice(-listsMax.kicked);
  const generation = isGenerationWithinReach(ours.generation, theirs.generation)
    ? Math.max(ours.generation, theirs.generation)
    : ours.generation;
  // What was noted of invites before the link was replaced went with them.
  const noted = [ours, theirs].filter((state) => state.generation === generation);
  const revoked = eachOnce(
    noted.flatMap((state) => state.revoked),
    toHex,
  );
  const used = eachOnce(
    noted.flatMap((state) => state.used),
    ({ branch }) => toHex(branch),
  );
  const hasRoom = fits && revoked.length <= listsMax.revoked && used.length <= listsMax.used;
  const isFree = ({ identityKey }: { readonly identityKey: Uint8Array }): boolean =>
    !isBanned({ ...ours, ...bans }, identityKey) && !hasKey(kicked, markOf(identityKey));
  return {
    ...ours,
    ...bans,
    access: hasRoom ? ours.access : "locked",
    kicked,
    // Who was put out keeps the room no more: it would let itself in again.
    keepers: ours.keepers.filter((keeper) => keeper.role === "host" || isFree(keeper)),
    used: used.slice(0, listsMax.used),
    stage: ours.stage.filter((person) => person.role === "host" || isFree(person)),
    hands: ours.hands.filter(({ person }) => isFree(person)),
    revoked: revoked.slice(0, listsMax.revoked),
    silenced: eachOnce([...ours.silenced, ...theirs.silenced], ({ identityKey }) => toHex(identityKey)).slice(
      0,
      listsMax.silenced,
    ),
    generation,
    ended: ours.ended || theirs.ended,
  };
}

/** Each once, the first of it. */
function eachOnce<Item>(items: readonly Item[], key: (item: Item) => string): Item[] {
  const all = new Map<string, Item>();
  for (const item of items) if (!all.has(key(item))) all.set(key(item), item);
  return [...all.values()];
}

/** Of two lists whose newest are last, the newest of both last: neither side's are older than the other's. */
function newestOfBoth(ours: readonly Uint8Array[], theirs: readonly Uint8Array[]): Uint8Array[] {
  const [mine, other] = [ours.toReversed(), theirs.toReversed()];
  const longest = Math.max(mine.length, other.length);
  const inTurn = Array.from({ length: longest }, (_, index) => [mine[index], other[index]]).flat();
  return eachOnce(
    inTurn.flatMap((mark) => mark ?? []),
    toHex,
  ).toReversed();
}

/** Whether anybody is put out or kept out after two states came together who was not before. */
export function shutsMore(before: RoomState, after: RoomState): boolean {
  if (after.generation > before.generation || (after.access === "locked" && before.access !== "locked")) return true;
  const known = new Set(shutIn(before));
  return shutIn(after).some((name) => !known.has(name));
}

function shutIn({ bans, keptBans, kicked, revoked }: RoomState): string[] {
  const out = [...bans.map(({ identityKey }) => markOf(identityKey)), ...keptBans.map(({ mark }) => mark), ...kicked];
  return [...out.map((mark) => `person ${toHex(mark)}`), ...revoked.map((branch) => `invite ${toHex(branch)}`)];
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
