import type { ErrorCode } from "../../../api/errors.ts";
import type { Millis, VoiceKey } from "../../../api/ids.ts";
import type { Act } from "../../../api/room.ts";
import { equal, fromHex, toHex } from "../../bytes.ts";
import type { Crypto } from "../../crypto.ts";
import { cut } from "../../utf8.ts";
import type { RoomEvent } from "../chain/event.ts";
import type { Wish } from "./petition.ts";
import { isTaken } from "../keeper/reception.ts";
import type { Void } from "../chain/reduce.ts";
import {
  branchBytes,
  handBytes,
  hasKey,
  linkBytesMax,
  linksMax,
  type Office,
  type RoomState,
  rulesBytesMax,
  titleBytesMax,
} from "../state/state.ts";

/** What a person's act comes to: events of their own chain, or a request to whoever acts for the room. */
export type Deed =
  | { readonly kind: "events"; readonly events: readonly RoomEvent[] }
  | { readonly kind: "wish"; readonly wish: Wish }
  | { readonly kind: "refused"; readonly code: ErrorCode };

/** Who acts, as far as an act depends on it. */
export interface Doer {
  readonly identityKey: Uint8Array;
  readonly state: RoomState;
  /** What makes an heir of somebody; undefined for everybody but the host. */
  readonly office: (identityKey: Uint8Array, now: Millis) => Office | undefined;
  /** The link that replaces all before; undefined for who may not. */
  readonly newLink: (now: Millis) => Extract<RoomEvent, { kind: "replace-link" }> | undefined;
}

const none = new Uint8Array(handBytes);
const rulesOfAct = ["title", "rules", "links", "access", "slowModeS", "pushToTalkOnly"] as const;
/** Longer pauses than a day are no slow mode. */
const slowModeSMax = 86_400 / 2;

/** Acts that a person does for themselves. */
type OwnAct = "accept-stage" | "decline-stage" | "record" | "react" | "step-down";
/** Acts whose answer does not depend on a person. */
type RoomAct = "set-room" | "replace-link" | "revoke-invite" | "end-room";

/** What an act comes to. Whether it may be done is decided where its events are written, by the rules everybody has. */
export function deedOf(act: Exclude<Act, { kind: "react" }>, doer: Doer, now: Millis): Deed {
  switch (act.kind) {
    case "accept-stage":
    case "decline-stage":
      return hasKey(doer.state.invited, doer.identityKey) ? { kind: "wish", wish: act.kind } : refused("not-here");
    case "record":
      return { kind: "wish", wish: act.on ? "record" : "stop-recording" };
    case "step-down":
      return events({ kind: "relieve", identityKey: doer.identityKey });
    case "set-room":
    case "replace-link":
    case "revoke-invite":
    case "end-room":
      return ofRoom(act, doer, now);
    default:
      return ofPerson(act, doer, now);
  }
}

function ofRoom(act: Extract<Act, { kind: RoomAct }>, { state, newLink }: Doer, now: Millis): Deed {
  switch (act.kind) {
    case "set-room": {
      const { title, rules, links } = act;
      const changed = {
        title: cut(title ?? state.title, titleBytesMax),
        rules: cut(rules ?? state.rules, rulesBytesMax),
        links: (links ?? state.links).slice(0, linksMax).map((link) => cut(link, linkBytesMax)),
        access: act.access ?? state.access,
        slowModeS: Math.min(slowModeSMax, Math.floor(act.slowModeS ?? state.slowModeS)),
        pushToTalkOnly: act.pushToTalkOnly ?? state.pushToTalkOnly,
      };
      const only = rulesOfAct.filter((name) => act[name] !== undefined);
      return only.length === 0 ? refused("not-here") : events({ kind: "rules", rules: changed, only });
    }
    case "replace-link": {
      const link = newLink(now);
      return link ? events(link) : refused("not-allowed");
    }
    case "revoke-invite": {
      const branch = bytesOf(act.id, branchBytes);
      return branch ? events({ kind: "revoke", branch }) : refused("not-here");
    }
    case "end-room":
      return events({ kind: "end" });
    default:
      return act satisfies never;
  }
}

function ofPerson(act: Exclude<Act, { kind: OwnAct | RoomAct }>, doer: Doer, now: Millis): Deed {
  const identityKey = bytesOf(act.identity, 32);
  if (!identityKey) return refused("not-here");
  const { state } = doer;
  const isSelf = equal(identityKey, doer.identityKey);
  switch (act.kind) {
    case "invite-to-stage":
    case "uninvite":
      return events({ kind: "offer", identityKey, on: act.kind === "invite-to-stage" });
    case "to-audience":
      return isSelf ? { kind: "wish", wish: "leave-stage" } : events({ kind: "unseat", identityKey, petition: none });
    case "mute":
    case "unmute":
      if (isSelf) return { kind: "wish", wish: `${act.kind}-self` };
      return events({ kind: "mute", identityKey, by: act.kind === "mute" ? "keeper" : "no" });
    case "kick":
      return events({ kind: "kick", identityKey });
    case "ban": {
      const branch = act.branch ? branchOfPerson(state, identityKey) : new Uint8Array(branchBytes);
      return events({ kind: "ban", who: { identityKey, name: nameOf(state, identityKey) }, branch });
    }
    case "unban":
      return events({ kind: "unban", identityKey });
    case "silence-text":
    case "allow-text":
      return events({ kind: "silence", identityKey, on: act.kind === "silence-text" });
    case "set-role":
      return roleChange(act.role, identityKey, doer, now);
    default:
      return act satisfies never;
  }
}

function roleChange(
  role: Extract<Act, { kind: "set-role" }>["role"],
  identityKey: Uint8Array,
  { state, office }: Doer,
  now: Millis,
): Deed {
  const isKeeper = state.keepers.some((keeper) => equal(keeper.identityKey, identityKey));
  const isOnStage = state.stage.some((person) => equal(person.identityKey, identityKey));
  const relieve: RoomEvent[] = isKeeper ? [{ kind: "relieve", identityKey }] : [];
  switch (role) {
    case "listener":
      return events(...relieve, ...(isOnStage ? [{ kind: "unseat", identityKey, petition: none } as const] : []));
    case "speaker":
      return events(...relieve, ...(isOnStage ? [] : [{ kind: "offer", identityKey, on: true } as const]));
    case "moderator":
    case "heir": {
      const name = nameOf(state, identityKey);
      const given = role === "heir" ? office(identityKey, now) : undefined;
      if (role === "heir" && !given) return refused("not-allowed");
      return events({ kind: "appoint", keeper: { key: identityKey, identityKey, role, name, office: given } });
    }
    default:
      return role satisfies never;
  }
}

/** The code that a person is told for what an event would not change. */
export function codeOfVoid(reason: Void): ErrorCode {
  switch (reason) {
    case "ended":
      return "ended";
    case "stranger":
    case "not-allowed":
      return "not-allowed";
    case "not-here":
      return "not-here";
    case "full":
      return "stage-full";
    case "list-full":
      return "list-full";
    default:
      return reason satisfies never;
  }
}

/** The name of somebody whom the room knows. */
export function nameOf(state: RoomState, identityKey: Uint8Array): string {
  const hands = state.hands.map(({ person }) => person);
  const known = [...state.keepers, ...state.stage, ...hands, ...state.recorders, ...state.bans];
  return known.find((person) => equal(person.identityKey, identityKey))?.name ?? "";
}

function branchOfPerson(state: RoomState, identityKey: Uint8Array): Uint8Array {
  const people = [...state.stage, ...state.hands.map(({ person }) => person)];
  const known = people.find((person) => equal(person.identityKey, identityKey));
  return known?.branch ?? new Uint8Array(branchBytes);
}

function bytesOf(hex: string, length: number): Uint8Array | undefined {
  const pattern = new RegExp(`^[0-9a-f]{${2 * length}}$`, "u");
  return pattern.test(hex) ? fromHex(hex) : undefined;
}

function events(...list: readonly RoomEvent[]): Deed {
  return list.length === 0 ? refused("not-here") : { kind: "events", events: list };
}

function refused(code: ErrorCode): Deed {
  return { kind: "refused", code };
}

/** The answer to a hand: it speaks, or is lowered. */
export function answerToHand(crypto: Crypto, state: RoomState, id: string, isAdmitted: boolean): Deed {
  const hand = state.hands.find((each) => toHex(each.id) === id);
  if (!hand) return refused("not-here");
  const { voiceKey, identityKey } = hand.person;
  // Somebody came on stage with this voice meanwhile.
  const isLate = isTaken(crypto, state, voiceKey, identityKey);
  const seats = isAdmitted && !isLate;
  return events(
    seats ? { kind: "seat", person: hand.person, petition: hand.id } : { kind: "lower", petition: hand.id },
  );
}

/** The word that a voice leaves the stage. */
export function removalOf(state: RoomState, voice: VoiceKey): Deed {
  const person = state.stage.find(({ voiceKey }) => toHex(voiceKey) === voice);
  if (!person || person.role === "host") return refused("not-here");
  return events({ kind: "unseat", identityKey: person.identityKey, petition: none });
}
