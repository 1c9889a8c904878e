import type { ErrorCode } from "../../../api/errors.ts";
import type { Millis } from "../../../api/ids.ts";
import type { Crypto } from "../../crypto.ts";
import { type Capability, isForOne, verifyChain } from "../rights/capability.ts";
import { inviteOf, isTakenBack } from "../asking/petition.ts";
import { equal } from "../../bytes.ts";
import type { KeysWires } from "./member-keys.ts";
import { doorOf, type DoorsView, opensRoom } from "../rights/doors.ts";
import type { Keeping } from "../keeper/keeping.ts";
import { createPair, type KeyPair } from "../rights/keys.ts";
import type { RelayView } from "../state/view.ts";
import { isBanned, isUser, useOf, wasKicked } from "../state/lists.ts";
import type { Pass } from "../rights/pass.ts";
import type { Seat } from "./seat.ts";
import { hasPerson, type RoomState } from "../state/state.ts";

/** Why a person may not be in the room, if so; less keeps out who is `inside` already ([RM39]). */
export function barredFrom(crypto: Crypto, seat: Seat, state: RoomState, inside: boolean): ErrorCode | undefined {
  if (state.ended) return "ended";
  if (seat.authority) return undefined;
  const { key } = seat.identity;
  if (isBanned(state, key)) return "banned";
  if (wasKicked(state, key)) return "kicked";
  const { branch, generation } = inviteOf(crypto, seat.chain);
  const use = useOf(state, branch);
  if (isForOne(seat.chain) && use && !isUser(use, key)) return "invite-used";
  const isKnown = hasPerson(state.keepers, key) || hasPerson(state.stage, key);
  if (inside || isKnown || seat.comesBack) return undefined;
  if (generation < state.generation || isTakenBack(crypto, state, seat.chain)) return "invite-revoked";
  return state.access === "locked" ? "locked" : undefined;
}

/** Why somebody who stands at the door does not come in, as far as the room is known. */
export function whyNotIn(
  crypto: Crypto,
  seat: Seat,
  state: RoomState | undefined,
  view: RelayView,
  now: Millis,
): ErrorCode | undefined {
  if (!state) return shutOutBy(crypto, seat, view);
  // Who was in before goes on when the time of their invite is over.
  const fault = seat.comesBack ? undefined : faultOfChain(crypto, seat, now);
  return fault ?? barredFrom(crypto, seat, state, false);
}

/** By what somebody comes in: their own door, where they have a pass for it or the room may name it, and the invite. */
export function doorsOf(crypto: Crypto, seat: Seat, pass: Pass | undefined): KeyPair[] {
  const { invite, door } = seat;
  const own = pass || isForOne(seat.chain) ? [door] : [];
  return invite ? [...own, createPair(crypto, invite.inviteSeed)] : own;
}

/** Why nobody lets somebody in who holds no more than this, by the view in force ([RM49]). */
function shutOutBy(crypto: Crypto, seat: Seat, view: DoorsView): ErrorCode | undefined {
  if (seat.authority || !view.doors) return undefined;
  const { pass } = seat;
  const isOpen = doorsOf(crypto, seat, pass).some(({ key }) => opensRoom(crypto, view, key, pass));
  if (isOpen) return undefined;
  return view.locked ? "locked" : codeOfClosed(seat);
}

/** What is most likely wrong with an invite whose door is closed. */
export function codeOfClosed(seat: Seat): ErrorCode {
  return isForOne(seat.chain) ? "invite-used" : "invite-revoked";
}

/** Whether somebody may have the room's keys: not put out, and not by an invite that is another's ([RM44]). */
export function mayHoldKeys(
  crypto: Crypto,
  state: RoomState | undefined,
  identityKey: Uint8Array,
  chain: readonly Capability[],
): boolean {
  if (!state) return true;
  const { branch } = inviteOf(crypto, chain);
  const use = useOf(state, branch);
  const isAnothers = use !== undefined && !isUser(use, identityKey);
  return !isAnothers && !isBanned(state, identityKey) && !wasKicked(state, identityKey);
}

/** To whom keys are given, by the room as it is known to whoever keeps it. */
export function keyRulesOf(
  crypto: Crypto,
  keeping: () => Pick<Keeping, "state" | "useOnce" | "isShut" | "opensClosed">,
): Pick<KeysWires, "mayHold" | "isShut" | "keepsRoom" | "mayLead" | "use" | "opens"> {
  return {
    opens: (era) => keeping().opensClosed(era),
    mayLead: (identityKey) =>
      (keeping().state?.keepers ?? []).some(
        (keeper) => keeper.role !== "moderator" && equal(keeper.identityKey, identityKey),
      ),
    mayHold: (identityKey, chain) =>
      !keeping().isShut(identityKey) && mayHoldKeys(crypto, keeping().state, identityKey, chain),
    isShut: (identityKey, chain) => isShutTo(crypto, keeping().state, identityKey, chain),
    keepsRoom: (identityKey) => hasPerson(keeping().state?.keepers ?? [], identityKey),
    use: (identityKey, chain, door, now) => keeping().useOnce({ identityKey, chain, door: doorOf(crypto, door) }, now),
  };
}

/** Whether keys are given to somebody only if they are in already: locked out, or by an invite that is over ([RM39], [RM47]). */
export function isShutTo(
  crypto: Crypto,
  state: RoomState | undefined,
  identityKey: Uint8Array,
  chain: readonly Capability[],
): boolean {
  if (!state) return false;
  const isKnown = hasPerson(state.keepers, identityKey) || hasPerson(state.stage, identityKey);
  const { branch, generation } = inviteOf(crypto, chain);
  const use = useOf(state, branch);
  // That an invite was used by them says that they came in.
  if (use) return !isUser(use, identityKey);
  const isOver = generation < state.generation || isTakenBack(crypto, state, chain);
  return state.access === "locked" || (!isKnown && isOver);
}

/** Whether somebody who came by an invite for one has yet to hear that it is theirs. */
export function waitsForUse(crypto: Crypto, seat: Seat, state: RoomState): boolean {
  const { branch } = inviteOf(crypto, seat.chain);
  return isForOne(seat.chain) && useOf(state, branch) === undefined;
}

/** Whether somebody says on coming in that they are here: for an office, or because the invite is good for one. */
export function presentsItself(seat: Seat): boolean {
  const role = seat.chain.at(-1)?.role;
  return !seat.authority && (isForOne(seat.chain) || role === "moderator" || role === "heir");
}

/** What is wrong with the invite by which somebody sits here, at this time. A host's session is as old as its seat. */
export function faultOfChain(crypto: Crypto, seat: Seat, now: Millis): ErrorCode | undefined {
  if (seat.authority) return undefined;
  const verdict = verifyChain(crypto, seat.roomKey, seat.chain, now);
  if (verdict.ok) return undefined;
  const isTime = verdict.reason === "expired" || verdict.reason === "not-yet";
  return isTime ? `invite-${verdict.reason}` : "invite-damaged";
}
