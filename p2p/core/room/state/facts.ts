import type { VoiceKey } from "../../../api/ids.ts";
import type { QueuedHand, Right, RoomFacts, RoomPerson } from "../../../api/room.ts";
import { compare, concat, equal, toHex } from "../../bytes.ts";
import type { Crypto } from "../../crypto.ts";
import { encodeUtf8 } from "../../utf8.ts";
import { acts } from "../chain/event.ts";
import { rankOfPerson, rightsOfRank } from "../chain/reduce.ts";
import { isBanned } from "./lists.ts";
import { hasKey, hasPerson, presentOnStage, type RoomState } from "./state.ts";

const comparisonLabel = encodeUtf8("teahouse comparison 1");
/** Groups of five digits, as Signal's safety numbers have: 133 bits, so that nobody makes two keys that come to the same. */
const comparisonGroups = 8;

/** Gives what names look like: two that a person takes for one another have the same. Identity where there is no data. */
export type Skeleton = (name: string) => string;

/** Who looks at the room. */
export interface Onlooker {
  readonly roomKey: Uint8Array;
  readonly identityKey: Uint8Array;
  readonly role: RoomFacts["role"];
  readonly keyHolders: number;
  readonly keptBy: Uint8Array | undefined;
}

/** The room as a person sees it: everything that the state says, and what one may do. */
export function factsOf(crypto: Crypto, state: RoomState, self: Onlooker, skeleton: Skeleton): RoomFacts {
  const { title, rules, links, access, slowModeS, pushToTalkOnly } = state;
  return {
    ...{ title, rules, links, access, slowModeS, pushToTalkOnly },
    people: peopleOf(crypto, state, self, skeleton),
    hands: state.hands.map((hand): QueuedHand => ({
      id: toHex(hand.id),
      identity: toHex(hand.person.identityKey),
      name: hand.person.name,
      self: equal(hand.person.identityKey, self.identityKey),
      raisedAt: hand.raisedAt,
    })),
    rights: rightsOf(state, self),
    role: self.role,
    keyHolders: self.keyHolders,
    keptBy: self.keptBy ? toHex(self.keptBy) : null,
  };
}

/**
 * What two people read to each other to know that nobody stands between them ([RM50]): the same for both, and another in
 * every room.
 */
export function comparisonCode(crypto: Crypto, roomKey: Uint8Array, one: Uint8Array, other: Uint8Array): string {
  const [first, second] = compare(one, other) <= 0 ? [one, other] : [other, one];
  const bytes = crypto.hkdf(concat(roomKey, first, second), comparisonLabel, comparisonGroups * 8);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const groups = Array.from({ length: comparisonGroups }, (_, index) => view.getBigUint64(index * 8) % 100_000n);
  return groups.map((group) => group.toString().padStart(5, "0")).join(" ");
}

function rightsOf(state: RoomState, self: Onlooker): Right[] {
  const held = rightsOfRank[rankOfPerson(state, self.identityKey)] ?? 0;
  const rights: Right[] = hasPerson(state.stage, self.identityKey) ? ["speak"] : [];
  if ((held & acts.moderate) !== 0) rights.push("moderate");
  if ((held & acts.appoint) !== 0) rights.push("appoint");
  if ((held & acts.direct) !== 0) rights.push("direct");
  return rights;
}

interface Known {
  readonly identityKey: Uint8Array;
  readonly name: string;
}

function peopleOf(crypto: Crypto, state: RoomState, self: Onlooker, skeleton: Skeleton): RoomPerson[] {
  const hands = state.hands.map(({ person }) => person);
  const invited = state.invited.map((identityKey): Known => ({ identityKey, name: "" }));
  const silenced = state.silenced.map(({ identityKey }): Known => ({ identityKey, name: "" }));
  const everybody: readonly Known[] = [
    ...state.keepers,
    ...presentOnStage(state),
    ...hands,
    ...state.recorders,
    ...state.bans,
    ...invited,
    ...silenced,
  ];
  const here = presentOnStage(state);
  const people = new Map<string, RoomPerson>();
  const looks = new Set<string>();
  for (const { identityKey, name } of everybody) {
    const identity = toHex(identityKey);
    if (people.has(identity)) continue;
    const look = skeleton(name);
    const person = here.find((each) => equal(each.identityKey, identityKey));
    const keeper = state.keepers.find((each) => equal(each.identityKey, identityKey));
    const isSelf = equal(identityKey, self.identityKey);
    people.set(identity, {
      identity,
      name,
      role: keeper?.role ?? person?.role ?? "listener",
      self: isSelf,
      voice: person ? (toHex(person.voiceKey) as VoiceKey) : null,
      muted: state.muted.find((each) => equal(each.identityKey, identityKey))?.by ?? "no",
      banned: isBanned(state, identityKey),
      silenced: hasPerson(state.silenced, identityKey),
      invitedToStage: hasKey(state.invited, identityKey),
      records: hasPerson(state.recorders, identityKey),
      lookAlike: look !== "" && looks.has(look),
      comparison: isSelf ? "" : comparisonCode(crypto, self.roomKey, self.identityKey, identityKey),
    });
    looks.add(look);
  }
  return [...people.values()];
}
