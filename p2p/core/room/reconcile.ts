import { equal, toHex } from "../bytes.ts";
import { listsMax, type RoomState } from "./state.ts";

/** Two states that grew apart while nobody heard of the other ([RM36]): ours, with everything that the other shut. */
export function withShut(ours: RoomState, theirs: RoomState): RoomState {
  const missing = <Item>(mine: readonly Item[], other: readonly Item[], key: (item: Item) => string): Item[] => {
    const known = new Set(mine.map(key));
    return [...mine, ...other.filter((item) => !known.has(key(item)))];
  };
  const ofBytes = (bytes: Uint8Array): string => toHex(bytes);
  const bans = missing(ours.bans, theirs.bans, ({ identityKey }) => toHex(identityKey)).slice(-listsMax.bans);
  const isFree = (each: { readonly identityKey: Uint8Array }): boolean =>
    !bans.some(({ identityKey }) => equal(identityKey, each.identityKey));
  return {
    ...ours,
    bans,
    stage: ours.stage.filter((person) => person.role === "host" || isFree(person)),
    hands: ours.hands.filter(({ person }) => isFree(person)),
    revoked: missing(ours.revoked, theirs.revoked, ofBytes).slice(-listsMax.revoked),
    silenced: missing(ours.silenced, theirs.silenced, ofBytes).slice(-listsMax.silenced),
    kicked: missing(ours.kicked, theirs.kicked, ofBytes).slice(-listsMax.kicked),
    generation: Math.max(ours.generation, theirs.generation),
    ended: ours.ended || theirs.ended,
  };
}
