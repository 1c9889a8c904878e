import type { Role } from "../../../api/engine.ts";
import type { Millis } from "../../../api/ids.ts";
import type { Access } from "../../../api/room.ts";
import { equal } from "../../bytes.ts";
import type { Capability } from "../rights/capability.ts";
import type { CarriageCertificate } from "../rights/carriage.ts";

/** Names and titles, in bytes of UTF-8; longer ones are cut by whoever writes them. */
export const nameBytesMax = 96;
/** Likewise. */
export const titleBytesMax = 240;
/** Likewise: the house rules of a room, two short paragraphs. */
export const rulesBytesMax = 1000;
/** Links shown to everybody. */
export const linksMax = 8;
/** How long one of them may be. */
export const linkBytesMax = 200;
/** Hands that wait at most: what fits into one message with a full stage. */
export const handsMax = 64;
/** A petition's id. */
export const handBytes = 8;
/** An event is named by the first bytes of its SHA-256. */
export const eventHashBytes = 16;
/** Names an invite: the first bytes of the SHA-256 of its bearer's key. */
export const branchBytes = 8;
/** Host, heirs and moderators: more than take turns in a room of 8,000. */
export const keepersMax = 12;
/** By so much of their key somebody is known whose name is let go: a second key like it takes 2^64 tries. */
export const markBytes = 8;
/**
 * Of everything else that a state lists: with these it stays below 64 KiB, one message of the lane, whatever happened in the
 * room. `bans` have names, `keptBans` only marks. Of `kicked` the oldest fall, for who was kicked may come back, of `done` too,
 * for nobody repeats a petition that long; of no other list does anything fall by itself.
 */
export const listsMax = {
  bans: 64,
  keptBans: 1024,
  kicked: 128,
  silenced: 64,
  recorders: 16,
  invited: 16,
  revoked: 512,
  used: 192,
  done: 128,
};

/** Somebody on stage. */
export interface StagePerson {
  readonly voiceKey: Uint8Array;
  readonly identityKey: Uint8Array;
  readonly role: Role;
  readonly name: string;
  /** By which invite they came, `branchBytes`; zeros for the host. */
  readonly branch: Uint8Array;
}

/** A petition for the stage that waits for an answer, with whom it would bring on stage. */
export interface RaisedHand {
  /** The petition's, 8 bytes. */
  readonly id: Uint8Array;
  readonly person: StagePerson;
  readonly raisedAt: Millis;
}

/** What lets an heir speak for the room when the host is silent. */
export interface Office {
  /** The root's word for it, towards members. */
  readonly capability: Capability;
  /** The carriage key's word for it, towards relays. */
  readonly certificate: CarriageCertificate;
}

/** Who may act for the room: the host, its heirs, its moderators. */
export interface Keeper {
  /** Signs its events: the session of a host, the identity of everybody else. */
  readonly key: Uint8Array;
  readonly identityKey: Uint8Array;
  readonly role: "host" | "heir" | "moderator";
  readonly name: string;
  /** Only an heir's. */
  readonly office: Office | undefined;
}

/** Whose microphone is shut, and by whom. */
export interface Mute {
  readonly identityKey: Uint8Array;
  readonly by: "self" | "keeper";
}

/** Somebody with their name. */
export interface Named {
  readonly identityKey: Uint8Array;
  readonly name: string;
}

/** Somebody who is out for good, and the rank of whoever said so: nobody below it takes it back. */
export interface Ban extends Named {
  readonly rank: number;
}

/** Likewise, when the name had to be let go: `markOf` the key. */
export interface KeptBan {
  readonly mark: Uint8Array;
  readonly rank: number;
}

/** Whose typed words are not shown, and the rank of whoever said so. */
export interface Silence {
  readonly identityKey: Uint8Array;
  readonly rank: number;
}

/** Who came first by an invite that is good for one. */
export interface Use {
  readonly branch: Uint8Array;
  /** `markOf` their key. */
  readonly user: Uint8Array;
  /** Their own door, which lets them in from now on. */
  readonly door: Uint8Array;
  /** When the invite does, in Unix seconds: then this is forgotten. */
  readonly expires: number;
}

/** How far somebody's chain of events is settled. */
export interface ChainHead {
  /** The author's. */
  readonly key: Uint8Array;
  readonly number: number;
  /** Of the event of this number, `eventHashBytes`. */
  readonly hash: Uint8Array;
}

/** What holds for everybody. */
export interface Rules {
  readonly title: string;
  readonly rules: string;
  readonly links: readonly string[];
  readonly access: Access;
  readonly slowModeS: number;
  readonly pushToTalkOnly: boolean;
}

/** What members know of a room and relays do not: all that came of its events so far. */
export interface RoomState extends Rules {
  /** Counts up over all sessions of the room. */
  readonly sequence: number;
  /** Root's word for who signs. */
  readonly chain: readonly Capability[];
  readonly stage: readonly StagePerson[];
  /** Petitions that arrived and wait, the oldest first. */
  readonly hands: readonly RaisedHand[];
  /** The host first, then by when they were appointed: in this order they act for a host that is gone. */
  readonly keepers: readonly Keeper[];
  readonly muted: readonly Mute[];
  /** Who has a place on stage and is not here: shown nowhere, and back as they were as soon as they are heard. */
  readonly away: readonly Uint8Array[];
  readonly invited: readonly Uint8Array[];
  readonly recorders: readonly Named[];
  /** Whose typed words are not shown. */
  readonly silenced: readonly Silence[];
  /** The newest by name, the others by their mark. */
  readonly bans: readonly Ban[];
  readonly keptBans: readonly KeptBan[];
  /** Marks. */
  readonly kicked: readonly Uint8Array[];
  /** Invites that are over. */
  readonly revoked: readonly Uint8Array[];
  readonly used: readonly Use[];
  /** Petitions that were answered. */
  readonly done: readonly Uint8Array[];
  /** Counts how often the link was replaced: invites of an earlier one are over. */
  readonly generation: number;
  /** Everybody who raises a hand is let on stage. */
  readonly openStage: boolean;
  readonly ended: boolean;
  /** What of each chain is in all this. */
  readonly frontier: readonly ChainHead[];
}

/** A room in which nothing has happened yet. */
export const emptyState: RoomState = {
  sequence: 0,
  chain: [],
  title: "",
  rules: "",
  links: [],
  access: "link-only",
  slowModeS: 0,
  pushToTalkOnly: false,
  stage: [],
  hands: [],
  keepers: [],
  muted: [],
  away: [],
  invited: [],
  recorders: [],
  silenced: [],
  bans: [],
  keptBans: [],
  kicked: [],
  revoked: [],
  used: [],
  done: [],
  generation: 0,
  openStage: false,
  ended: false,
  frontier: [],
};

/** Whether one of these is of this person. */
export function hasPerson(list: readonly { readonly identityKey: Uint8Array }[], identityKey: Uint8Array): boolean {
  return list.some((each) => equal(each.identityKey, identityKey));
}

/** What of somebody's key stands in lists without names. */
export function markOf(identityKey: Uint8Array): Uint8Array {
  return identityKey.subarray(0, markBytes);
}

/** Those who have a place on stage and are here. */
export function presentOnStage({ stage, away }: Pick<RoomState, "stage" | "away">): readonly StagePerson[] {
  return away.length === 0 ? stage : stage.filter(({ identityKey }) => !hasKey(away, identityKey));
}

/** Whether somebody's hand is up. */
export function hasHand({ hands }: Pick<RoomState, "hands">, identityKey: Uint8Array): boolean {
  return hands.some(({ person }) => equal(person.identityKey, identityKey));
}

/** Whether this key is among these. */
export function hasKey(list: readonly Uint8Array[], key: Uint8Array): boolean {
  return list.some((each) => equal(each, key));
}
