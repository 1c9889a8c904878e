import { type Millis, millis } from "../../../api/ids.ts";
import { equal } from "../../bytes.ts";
import type { Crypto } from "../../crypto.ts";
import { voiceIdOf } from "../../packet/format.ts";
import type { Answer, Authority } from "./authority.ts";
import { isForOne, rights } from "../rights/capability.ts";
import type { RoomEvent } from "../chain/event.ts";
import { inviteOf, isTakenBack, type Petitioner } from "../asking/petition.ts";
import { isOut } from "../chain/reduce.ts";
import { isUser, useOf, wasKicked } from "../state/lists.ts";
import { hasKey, hasPerson, type RoomState, type StagePerson } from "../state/state.ts";

/** Answers what a member asks of the room, by writing the event that carries it out, or none. */
export function answer(crypto: Crypto, desk: Authority, petition: Petitioner, now: Millis): Answer {
  const { state } = desk;
  const { identityKey, branch } = petition;
  if (hasKey(state.done, petition.id)) return "known";
  if (isOut(state, identityKey, branch) || isTakenBack(crypto, state, petition.chain) || wasKicked(state, identityKey))
    return "refused";
  if ((petition.isOver || isOfOldLink(state, petition)) && !isSettled(state, identityKey)) return "refused";
  if (!useOnce(crypto, desk, petition, now)) return "refused";
  const write = (event: RoomEvent, changed: Answer): Answer =>
    desk.write(event, now) === undefined ? changed : "known";
  const { name } = petition;
  switch (petition.wish) {
    case "speak":
      return wantsStage(crypto, desk, petition, now);
    case "accept-stage":
      return hasKey(state.invited, identityKey) ? letOnStage(crypto, desk, petition, now) : "known";
    case "decline-stage":
      return hasKey(state.invited, identityKey) ? write({ kind: "offer", identityKey, on: false }, "hands") : "known";
    case "leave-stage":
      return leaveStage(desk, petition, now);
    case "record":
    case "stop-recording": {
      const on = petition.wish === "record";
      if (hasPerson(state.recorders, identityKey) === on) return "known";
      return write({ kind: "record", who: { identityKey, name }, on }, "hands");
    }
    case "mute-self":
    case "unmute-self": {
      const by = petition.wish === "mute-self" ? "self" : "no";
      const now_ = state.muted.find((each) => equal(each.identityKey, identityKey))?.by ?? "no";
      // What a keeper shut, its owner does not open.
      if (now_ === by || now_ === "keeper") return "known";
      return write({ kind: "mute", identityKey, by }, "hands");
    }
    case "present":
      return present(desk, petition, now);
    case "beat":
    case "here":
      return "known";
    default:
      return petition.wish satisfies never;
  }
}

/** By an invite that was replaced. */
function isOfOldLink(state: RoomState, { generation }: Petitioner): boolean {
  return generation < state.generation;
}

/** Whether somebody has a place here that no longer hangs on their invite: by that, only who is known here is still heard. */
export function isSettled(state: RoomState, identityKey: Uint8Array): boolean {
  return hasPerson(state.stage, identityKey) || hasPerson(state.keepers, identityKey);
}

/** Whether an invite that is good for one only is good for this one; notes that it is used. */
export function useOnce(
  crypto: Crypto,
  desk: Authority,
  { identityKey, chain, door }: Pick<Petitioner, "identityKey" | "chain" | "door">,
  now: Millis,
): boolean {
  if (!isForOne(chain)) return true;
  const { branch } = inviteOf(crypto, chain);
  const use = useOf(desk.state, branch);
  if (use) return isUser(use, identityKey);
  const expires = chain.at(-2)?.expires ?? 0;
  return desk.write({ kind: "use", branch, identityKey, door, expires }, now) === undefined;
}

function wantsStage(crypto: Crypto, desk: Authority, petition: Petitioner, now: Millis): Answer {
  const { state } = desk;
  const { identityKey, voiceKey } = petition;
  const onStage = state.stage.find((person) => equal(person.identityKey, identityKey));
  if (onStage && equal(onStage.voiceKey, voiceKey)) return "known";
  const mayAlways = (petition.rights & rights.speak) !== 0 || hasPerson(state.keepers, identityKey);
  // Who is on stage already comes back with a new voice after a crash: nobody is asked again.
  if (onStage || state.openStage || mayAlways || hasKey(state.invited, identityKey)) {
    return letOnStage(crypto, desk, petition, now);
  }
  if (isTaken(crypto, state, voiceKey, identityKey)) return "refused";
  const hand = { id: petition.id, person: personOf(petition), raisedAt: millis(Math.floor(now)) };
  return desk.write({ kind: "hand", hand }, now) === undefined ? "hands" : "known";
}

function letOnStage(crypto: Crypto, desk: Authority, petition: Petitioner, now: Millis): Answer {
  const { voiceKey, identityKey } = petition;
  if (isTaken(crypto, desk.state, voiceKey, identityKey)) return "refused";
  const event = { kind: "seat", person: personOf(petition), petition: petition.id } as const;
  return desk.write(event, now) === undefined ? "stage" : "refused";
}

function leaveStage(desk: Authority, { identityKey, id }: Petitioner, now: Millis): Answer {
  const { state } = desk;
  const onStage = state.stage.find((person) => equal(person.identityKey, identityKey));
  if (onStage?.role === "host") return "known";
  const hand = state.hands.find(({ person }) => equal(person.identityKey, identityKey));
  const event: RoomEvent | undefined = onStage
    ? { kind: "unseat", identityKey, petition: id }
    : hand && { kind: "lower", petition: hand.id };
  if (!event || desk.write(event, now) !== undefined) return "known";
  return onStage ? "stage" : "hands";
}

/** Somebody whose invite gives an office takes it. */
function present(desk: Authority, { identityKey, role, name, chain }: Petitioner, now: Millis): Answer {
  const isKeeper = hasPerson(desk.state.keepers, identityKey);
  if (isKeeper || (role !== "moderator" && role !== "heir")) return isForOne(chain) ? "hands" : "known";
  const office = role === "heir" ? desk.officeOf(identityKey, now) : undefined;
  const keeper = { key: identityKey, identityKey, role, name, office } as const;
  return desk.write({ kind: "appoint", keeper }, now) === undefined ? "stage" : "known";
}

function personOf({ voiceKey, identityKey, name, branch }: Petitioner): StagePerson {
  return { voiceKey, identityKey, role: "speaker", name, branch };
}

/** Whether somebody else on stage has this voice id: nobody speaks under another's name ([PK13]). */
export function isTaken(crypto: Crypto, state: RoomState, voiceKey: Uint8Array, except: Uint8Array): boolean {
  const voice = voiceIdOf(crypto, voiceKey);
  const others = state.stage.filter((person) => !equal(person.identityKey, except));
  return others.some((person) => voiceIdOf(crypto, person.voiceKey) === voice);
}
