import { equal, toHex } from "../../bytes.ts";
import { type Ban, hasKey, type KeptBan, listsMax, markOf, type Named, type RoomState, type Use } from "./state.ts";

/**
 * The lists that say who may not come in or be read. A room forgets none of them while it lives ([RM53]): what does not fit any
 * more is refused, with a sentence, rather than let something else fall out.
 */

/** The ban on somebody, by name or, when names had to be let go, by their mark. */
export function banOn(state: RoomState, identityKey: Uint8Array): Ban | KeptBan | undefined {
  const named = state.bans.find((ban) => equal(ban.identityKey, identityKey));
  if (named || state.keptBans.length === 0) return named;
  const own = markOf(identityKey);
  return state.keptBans.find(({ mark }) => equal(mark, own));
}

/** Whether somebody is out for good. */
export function isBanned(state: RoomState, identityKey: Uint8Array): boolean {
  return banOn(state, identityKey) !== undefined;
}

/** Whether somebody was put out under this key. */
export function wasKicked(state: RoomState, identityKey: Uint8Array): boolean {
  return hasKey(state.kicked, markOf(identityKey));
}

/** Whether somebody of whom only the mark is known was put out, for good or under this key. */
export function isMarkOut({ bans, keptBans, kicked }: RoomState, mark: Uint8Array): boolean {
  const isBanned = bans.some(({ identityKey }) => equal(markOf(identityKey), mark));
  return isBanned || hasKey(kicked, mark) || keptBans.some((ban) => equal(ban.mark, mark));
}

/** Who used an invite that is good for one. */
export function useOf(state: RoomState, branch: Uint8Array): Use | undefined {
  return state.used.find((use) => equal(use.branch, branch));
}

/** Whether that was this person. */
export function isUser(use: Use, identityKey: Uint8Array): boolean {
  return equal(use.user, markOf(identityKey));
}

/**
 * The lists with one more ban, by somebody of this rank, or undefined when there is room for none. Of a ban that was there
 * before the higher rank counts. Names are kept of the newest; of the others a mark, by which they are known for ever.
 */
export function withBan(state: RoomState, who: Named, rank: number): Pick<RoomState, "bans" | "keptBans"> | undefined {
  const before = banOn(state, who.identityKey);
  const { bans, keptBans } = before ? withoutBan(state, who.identityKey) : state;
  const named = [...bans, { ...who, rank: Math.min(rank, before?.rank ?? rank) }];
  const fallen = named
    .slice(0, -listsMax.bans)
    .map((ban): KeptBan => ({ mark: markOf(ban.identityKey), rank: ban.rank }));
  const kept = [...keptBans, ...fallen];
  return kept.length > listsMax.keptBans ? undefined : { bans: named.slice(-listsMax.bans), keptBans: kept };
}

/** The lists without the ban on somebody. */
export function withoutBan(state: RoomState, identityKey: Uint8Array): Pick<RoomState, "bans" | "keptBans"> {
  const mark = markOf(identityKey);
  return {
    bans: state.bans.filter((ban) => !equal(ban.identityKey, identityKey)),
    keptBans: state.keptBans.filter((ban) => !equal(ban.mark, mark)),
  };
}

/** Both states' bans: ours first, as far as there is room. `fits`: there was room for all. */
export function bansOfBoth(
  ours: RoomState,
  theirs: RoomState,
): Pick<RoomState, "bans" | "keptBans"> & { readonly fits: boolean } {
  let both: RoomState = ours;
  let fits = true;
  for (const ban of theirs.bans) {
    const lists = withBan(both, ban, ban.rank);
    fits &&= lists !== undefined;
    both = { ...both, ...lists };
  }
  // Of a ban that both know the higher rank counts.
  const kept = new Map(both.keptBans.map((ban) => [toHex(ban.mark), ban]));
  const named = new Map(both.bans.map((ban) => [toHex(markOf(ban.identityKey)), ban]));
  for (const { mark, rank } of theirs.keptBans) {
    const name = toHex(mark);
    const known = named.get(name);
    if (known) named.set(name, { ...known, rank: Math.min(known.rank, rank) });
    else kept.set(name, { mark, rank: Math.min(kept.get(name)?.rank ?? rank, rank) });
  }
  fits &&= kept.size <= listsMax.keptBans;
  return { bans: [...named.values()], keptBans: [...kept.values()].slice(0, listsMax.keptBans), fits };
}

/** Whether an invite for one can still be given out: each that is used is remembered until it expires. */
export function hasRoomForUse(state: RoomState, outstanding: number): boolean {
  return state.used.length + outstanding < listsMax.used;
}

/** Without the uses of invites that nobody could come by any more, whoever's clock is right. */
export function withoutExpiredUses(used: readonly Use[], seconds: number, toleranceSeconds: number): readonly Use[] {
  const isOver = ({ expires }: Use): boolean => expires + toleranceSeconds < seconds;
  return used.some(isOver) ? used.filter((use) => !isOver(use)) : used;
}
