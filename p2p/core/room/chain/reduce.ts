import { limits } from "../../../api/limits.ts";
import { equal } from "../../bytes.ts";
import type { ChainEvent } from "./chain.ts";
import { acts, type RoomEvent, rightOfEvent } from "./event.ts";
import {
  handBytes,
  handsMax,
  hasKey,
  hasPerson,
  type Keeper,
  keepersMax,
  listsMax,
  markOf,
  type RoomState,
  type StagePerson,
} from "../state/state.ts";
import { banOn, isBanned, useOf, wasKicked, withBan, withoutBan } from "../state/lists.ts";

/** Rank of a role: who has less outranks. Speakers and listeners have the last. */
export const rankOf = { host: 0, heir: 1, moderator: 2, speaker: 3, listener: 3 } as const;

/** What a keeper of each rank may do; nobody below has any right. */
export const rightsOfRank: readonly number[] = [
  acts.moderate | acts.appoint | acts.direct,
  acts.moderate | acts.appoint | acts.direct,
  acts.moderate,
];

/** What comes of petitions, or of none: only whoever may answer them writes it down. */
const answersOnly: ReadonlySet<RoomEvent["kind"]> = new Set(["hand", "use", "record", "away"]);

/** Why an event changes nothing. */
export type Void = "ended" | "stranger" | "not-allowed" | "not-here" | "full" | "list-full";

/** The keeper who signs by this key. */
export function keeperOf(state: RoomState, key: Uint8Array): Keeper | undefined {
  return state.keepers.find((keeper) => equal(keeper.key, key));
}

/** The rank of a person: of their office, or the last. */
export function rankOfPerson(state: RoomState, identityKey: Uint8Array): number {
  const keeper = state.keepers.find((each) => equal(each.identityKey, identityKey));
  return rankOf[keeper?.role ?? "listener"];
}

/**
 * What a room is after one more event, or why that changes nothing. Pure: whoever has the same state and event gets the
 * same, so that everybody who holds the same events in the same order sees the same room.
 */
export function reduce(state: RoomState, event: ChainEvent): RoomState | Void {
  if (state.ended) return "ended";
  const author = keeperOf(state, event.author);
  if (!author) return "stranger";
  const rank = rankOf[author.role];
  const needed = rightOfEvent[event.content.kind];
  // What stands in the clear is what relays went by: who lies there gets nowhere.
  if (event.rank !== rank || event.right !== needed) return "not-allowed";
  if (((rightsOfRank[rank] ?? 0) & needed) !== needed) return "not-allowed";
  if (author.role === "moderator" && answersOnly.has(event.content.kind)) return "not-allowed";
  const next = apply(state, author, event.content);
  return typeof next === "string" || next.stage === state.stage ? next : { ...next, ...ofStage(next) };
}

/** Whose microphone is shut and who is away, of those who are on stage: whoever makes room, or goes with an invite, takes it along. */
function ofStage({ muted, away, stage }: RoomState): Pick<RoomState, "muted" | "away"> {
  return {
    muted: muted.filter(({ identityKey }) => hasPerson(stage, identityKey)),
    away: away.filter((identityKey) => hasPerson(stage, identityKey)),
  };
}

function apply(state: RoomState, author: Keeper, event: RoomEvent): RoomState | Void {
  switch (event.kind) {
    case "seat":
      return seat(state, author, event.person, event.petition);
    case "unseat":
      return unseat(state, author, event);
    case "hand":
      return raise(state, event);
    case "lower": {
      const hands = state.hands.filter((hand) => !equal(hand.id, event.petition));
      return hands.length === state.hands.length
        ? "not-here"
        : { ...state, hands, done: noteDone(state, event.petition) };
    }
    case "offer":
      return offer(state, event);
    case "mute":
      return mute(state, author, event);
    case "away": {
      const others = withoutKey(state.away, event.identityKey);
      if (!hasPerson(state.stage, event.identityKey)) return "not-here";
      return { ...state, away: event.on ? [...others, event.identityKey] : others };
    }
    case "silence":
      return silence(state, author, event);
    case "kick":
      if (!outranks(state, author, event.identityKey)) return "not-allowed";
      return {
        ...without(state, event.identityKey),
        kicked: wasKicked(state, event.identityKey)
          ? state.kicked
          : newest([...state.kicked, markOf(event.identityKey)], listsMax.kicked),
      };
    case "ban":
      return ban(state, author, event);
    case "unban": {
      const known = banOn(state, event.identityKey);
      if (!known) return "not-here";
      // What somebody above shut, stays shut, also where neither had heard of the other.
      if (known.rank < rankOf[author.role]) return "not-allowed";
      return { ...state, ...withoutBan(state, event.identityKey) };
    }
    default:
      return applyOffice(state, author, event);
  }
}

type Office = Extract<
  RoomEvent,
  { kind: "appoint" | "relieve" | "rules" | "replace-link" | "revoke" | "record" | "use" | "end" }
>;

function applyOffice(state: RoomState, author: Keeper, event: Office): RoomState | Void {
  switch (event.kind) {
    case "appoint":
      return appoint(state, author, event.keeper);
    case "relieve": {
      const mine = equal(author.identityKey, event.identityKey) && author.role !== "host";
      const above = author.role !== "moderator" && outranks(state, author, event.identityKey);
      if (!mine && !above) return "not-allowed";
      const keepers = state.keepers.filter(({ identityKey }) => !equal(identityKey, event.identityKey));
      if (keepers.length === state.keepers.length) return "not-here";
      return { ...state, keepers, stage: state.stage.map((person) => asSpeaker(person, event.identityKey)) };
    }
    case "rules":
      return event.only
        ? { ...state, ...Object.fromEntries(event.only.map((name) => [name, event.rules[name]])) }
        : { ...state, ...event.rules };
    case "replace-link":
      // One at a time: nobody brings the number near its end.
      return event.generation === state.generation + 1 ? withLink(state, event.generation) : "not-here";
    case "revoke":
      if (hasKey(state.revoked, event.branch)) return "not-here";
      if (state.revoked.length >= listsMax.revoked) return "list-full";
      return { ...state, revoked: [...state.revoked, event.branch] };
    case "record": {
      const others = state.recorders.filter(({ identityKey }) => !equal(identityKey, event.who.identityKey));
      // That somebody records is said all the same: nobody's word pushes out another's.
      if (event.on && others.length >= listsMax.recorders) return "list-full";
      return { ...state, recorders: event.on ? [...others, event.who] : others };
    }
    case "use": {
      const { branch, identityKey, door, expires } = event;
      if (useOf(state, branch)) return "not-here";
      if (state.used.length >= listsMax.used) return "list-full";
      return { ...state, used: [...state.used, { branch, user: markOf(identityKey), door, expires }] };
    }
    case "end":
      return { ...state, ended: true, stage: [], hands: [] };
    default:
      return event satisfies never;
  }
}

function seat(state: RoomState, author: Keeper, given: StagePerson, petition: Uint8Array): RoomState | Void {
  const { identityKey, voiceKey } = given;
  // Else it could speak in anybody's name, the host's too, and end an invite by saying who came by it.
  if (author.role === "moderator" && !isWaiting(state, given, petition)) return "not-allowed";
  if (isOut(state, identityKey, given.branch)) return "not-allowed";
  const others = state.stage.filter((person) => !equal(person.identityKey, identityKey));
  // Nobody speaks by a voice that is somebody else's.
  if (others.some((person) => equal(person.voiceKey, voiceKey))) return "not-allowed";
  const keeper = state.keepers.find((each) => equal(each.identityKey, identityKey));
  const person = { ...given, role: keeper?.role ?? "speaker" } as const;
  const before = state.stage.findIndex((each) => equal(each.identityKey, identityKey));
  const stage = before < 0 ? [...others, person] : state.stage.with(before, person);
  // The stage is full: who is not there, or else who came first after the host, makes room.
  if (stage.length > limits.voicesMax) {
    const isSpeaker = (each: StagePerson): boolean => each.role === "speaker" && !equal(each.identityKey, identityKey);
    const gone = stage.findIndex((each) => isSpeaker(each) && hasKey(state.away, each.identityKey));
    stage.splice(Math.max(1, gone < 0 ? stage.findIndex(isSpeaker) : gone), 1);
  }
  const hands = state.hands.filter((hand) => !equal(hand.person.identityKey, identityKey));
  const invited = withoutKey(state.invited, identityKey);
  const away = withoutKey(state.away, identityKey);
  return { ...state, stage, hands, away, invited, done: noteDone(state, petition) };
}

/** Whether this hand is up, with this voice. */
function isWaiting(state: RoomState, { identityKey, voiceKey, branch }: StagePerson, petition: Uint8Array): boolean {
  return state.hands.some(({ id, person }) => {
    const isSame = equal(person.voiceKey, voiceKey) && equal(person.branch, branch);
    return isSame && equal(id, petition) && equal(person.identityKey, identityKey);
  });
}

function unseat(state: RoomState, author: Keeper, event: Extract<RoomEvent, { kind: "unseat" }>): RoomState | Void {
  const { identityKey, petition } = event;
  // A request of their own is carried out by whoever acts for the room; else rank decides.
  const asked = petition.some((byte) => byte !== 0) && author.role !== "moderator";
  if (!asked && !outranks(state, author, identityKey)) return "not-allowed";
  if (!hasPerson(state.stage, identityKey)) return "not-here";
  const stage = state.stage.filter((person) => !equal(person.identityKey, identityKey));
  return { ...state, stage, muted: unmuted(state, identityKey), done: noteDone(state, petition) };
}

function raise(state: RoomState, { hand }: Extract<RoomEvent, { kind: "hand" }>): RoomState | Void {
  const { identityKey, branch } = hand.person;
  if (isOut(state, identityKey, branch)) return "not-allowed";
  if (hasKey(state.done, hand.id) || state.hands.some(({ id }) => equal(id, hand.id))) return "not-here";
  const place = state.hands.findIndex(({ person }) => equal(person.identityKey, identityKey));
  const before = state.hands[place];
  // Who raises it anew, as after a crash, keeps the place in the queue.
  if (before) {
    const hands = state.hands.with(place, { ...hand, raisedAt: before.raisedAt });
    return { ...state, hands, done: noteDone(state, before.id) };
  }
  // Who came first is answered first: more hands are repeated until there is room for them.
  return state.hands.length >= handsMax ? "full" : { ...state, hands: [...state.hands, hand] };
}

function offer(state: RoomState, event: Extract<RoomEvent, { kind: "offer" }>): RoomState | Void {
  if (event.on && isOut(state, event.identityKey, undefined)) return "not-allowed";
  if (event.on && hasPerson(state.stage, event.identityKey)) return "not-here";
  const others = withoutKey(state.invited, event.identityKey);
  if (event.on && others.length >= listsMax.invited) return "list-full";
  return { ...state, invited: event.on ? [...others, event.identityKey] : others };
}

function silence(state: RoomState, author: Keeper, event: Extract<RoomEvent, { kind: "silence" }>): RoomState | Void {
  const { identityKey, on } = event;
  if (!outranks(state, author, identityKey)) return "not-allowed";
  const rank = rankOf[author.role];
  const before = state.silenced.find((each) => equal(each.identityKey, identityKey));
  const others = state.silenced.filter((each) => each !== before);
  if (on) {
    if (others.length >= listsMax.silenced) return "list-full";
    return { ...state, silenced: [...others, { identityKey, rank: Math.min(rank, before?.rank ?? rank) }] };
  }
  if (!before) return "not-here";
  return before.rank < rank ? "not-allowed" : { ...state, silenced: others };
}

/** Invites so far are over, and so is what was noted of single ones of them. */
function withLink(state: RoomState, generation: number): RoomState {
  return { ...state, generation, revoked: [], used: [] };
}

function mute(state: RoomState, author: Keeper, event: Extract<RoomEvent, { kind: "mute" }>): RoomState | Void {
  const { identityKey, by } = event;
  if (!hasPerson(state.stage, identityKey)) return "not-here";
  const now = state.muted.find((each) => equal(each.identityKey, identityKey))?.by;
  // Somebody's own wish is carried out by whoever acts for the room.
  const mayCarryOut = by !== "keeper" && author.role !== "moderator";
  if (!mayCarryOut && !outranks(state, author, identityKey)) return "not-allowed";
  // What a keeper shut, its owner does not open: the request never becomes an event, and nobody's wish makes it one.
  if (by === "self" && now === "keeper") return "not-allowed";
  const others = unmuted(state, identityKey);
  return { ...state, muted: by === "no" ? others : [...others, { identityKey, by }] };
}

function ban(state: RoomState, author: Keeper, event: Extract<RoomEvent, { kind: "ban" }>): RoomState | Void {
  const { who, branch } = event;
  if (!outranks(state, author, who.identityKey)) return "not-allowed";
  const isNone = branch.every((byte) => byte === 0);
  // Who may not take invites back ends one only with somebody who came by it.
  if (!isNone && author.role === "moderator" && !cameBy(state, who.identityKey, branch)) return "not-allowed";
  const bans = withBan(state, who, rankOf[author.role]);
  if (!bans) return "list-full";
  const kept = { ...without(state, who.identityKey), ...bans };
  if (isNone) return kept;
  const isDead = hasKey(kept.revoked, branch);
  if (!isDead && kept.revoked.length >= listsMax.revoked) return "list-full";
  const isOfBranch = (person: StagePerson): boolean => person.role === "speaker" && equal(person.branch, branch);
  return {
    ...kept,
    revoked: isDead ? kept.revoked : [...kept.revoked, branch],
    stage: kept.stage.filter((person) => !isOfBranch(person)),
    hands: kept.hands.filter(({ person }) => !equal(person.branch, branch)),
  };
}

function cameBy(state: RoomState, identityKey: Uint8Array, branch: Uint8Array): boolean {
  const people = [...state.stage, ...state.hands.map(({ person }) => person)];
  return people.some((person) => equal(person.identityKey, identityKey) && equal(person.branch, branch));
}

function appoint(state: RoomState, author: Keeper, keeper: Keeper): RoomState | Void {
  // Nobody makes an equal; only the host's root stands behind an heir.
  if (rankOf[keeper.role] <= rankOf[author.role] || !outranks(state, author, keeper.identityKey)) return "not-allowed";
  if (keeper.role === "heir" && !keeper.office) return "not-allowed";
  if (!equal(keeper.key, keeper.identityKey) || isOut(state, keeper.identityKey, undefined)) return "not-allowed";
  const others = state.keepers.filter(({ identityKey }) => !equal(identityKey, keeper.identityKey));
  if (others.length >= keepersMax) return "full";
  const stage = state.stage.map((person) =>
    equal(person.identityKey, keeper.identityKey) ? { ...person, role: keeper.role } : person,
  );
  return { ...state, keepers: [...others, keeper], stage };
}

/** Whether somebody may not come in or on stage: banned, or by an invite that is over. */
export function isOut(state: RoomState, identityKey: Uint8Array, branch: Uint8Array | undefined): boolean {
  return isBanned(state, identityKey) || (branch !== undefined && hasKey(state.revoked, branch));
}

/** Takes somebody out of everything but the record of why. */
function without(state: RoomState, identityKey: Uint8Array): RoomState {
  const isOther = (each: { readonly identityKey: Uint8Array }): boolean => !equal(each.identityKey, identityKey);
  return {
    ...state,
    stage: state.stage.filter(isOther),
    hands: state.hands.filter(({ person }) => isOther(person)),
    keepers: state.keepers.filter(isOther),
    muted: state.muted.filter(isOther),
    recorders: state.recorders.filter(isOther),
    invited: withoutKey(state.invited, identityKey),
  };
}

function outranks(state: RoomState, author: Keeper, identityKey: Uint8Array): boolean {
  return rankOf[author.role] < rankOfPerson(state, identityKey);
}

function asSpeaker(person: StagePerson, identityKey: Uint8Array): StagePerson {
  return equal(person.identityKey, identityKey) ? { ...person, role: "speaker" } : person;
}

function unmuted(state: RoomState, identityKey: Uint8Array): RoomState["muted"] {
  return state.muted.filter((each) => !equal(each.identityKey, identityKey));
}

function noteDone({ done }: Pick<RoomState, "done">, petition: Uint8Array): readonly Uint8Array[] {
  const asked = petition.length === handBytes && petition.some((byte) => byte !== 0);
  return asked && !hasKey(done, petition) ? newest([...done, petition], listsMax.done) : done;
}

function withoutKey(list: readonly Uint8Array[], key: Uint8Array): readonly Uint8Array[] {
  return hasKey(list, key) ? list.filter((each) => !equal(each, key)) : list;
}

function newest<Item>(items: readonly Item[], most: number): readonly Item[] {
  return items.slice(-most);
}
