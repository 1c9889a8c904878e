import type { PeerId } from "../../../api/ids.ts";
import { concat } from "../../bytes.ts";
import type { Crypto } from "../../crypto.ts";
import type { DoorProof, Hello, Refusal } from "../../session/frames.ts";
import { hasKey } from "../state/state.ts";
import type { RelayView } from "../state/view.ts";
import { banOf } from "./ban.ts";
import { type ProofContext, signedPart } from "./proof.ts";
import { encodeUtf8 } from "../../utf8.ts";
import { createPair, type KeyPair } from "./keys.ts";
import { type Pass, verifyPass } from "./pass.ts";

const doorLabel = encodeUtf8("teahouse door 1");
const ownLabel = encodeUtf8("teahouse own door 1");
/** A door is named by the first bytes of the SHA-256 of its key: an invite's as its branch is. */
export const doorBytes = 8;

/** By what members come in, as a view says it ([RM49]). Doors have `doorBytes` each. */
export interface ViewDoors {
  /**
   * Of the invites that are open, the newest last; at most `doorsMax`. In a locked room they open nothing: they are named for
   * whoever keeps the room next, and unlocks it.
   */
  readonly invites: readonly Uint8Array[];
  /** More invites are open than are named: where the room is not locked, relays let everybody in. */
  readonly unlisted: boolean;
  /** Of people who came by an invite for one; at most `ownDoorsMax`. They open a locked room as well. */
  readonly own: readonly Uint8Array[];
  /** Serials of passes that open nothing any more, `serialBytes` each; at most `shutMax`. */
  readonly shut: readonly Uint8Array[];
}

/** Names the door that this key opens. */
export function doorOf(crypto: Crypto, key: Uint8Array): Uint8Array {
  return crypto.sha256(key).subarray(0, doorBytes);
}

/** Somebody's own door in a room: it follows from their identity, so that a crash does not take it. */
export function ownDoor(crypto: Crypto, identitySeed: Uint8Array, tag: Uint8Array): KeyPair {
  return createPair(crypto, crypto.hkdf(identitySeed, concat(ownLabel, tag), 32));
}

/** Shows one relay that this door's key is held here: of no use to anybody else. */
export function proveDoor(crypto: Crypto, { seed, key }: KeyPair, context: ProofContext): DoorProof {
  return { key, signature: crypto.sign(seed, signedPart(doorLabel, context)) };
}

/** What of a view says who comes in. */
export type DoorsView = Pick<RelayView, "tag" | "issuedAt" | "doors" | "locked" | "revoked">;

/** Whether this key opens the room, by the view: that of an invite, of somebody who is named, or of who has a pass. */
export function opensRoom(crypto: Crypto, view: DoorsView, key: Uint8Array, pass: Pass | undefined): boolean {
  const { doors, locked } = view;
  if (!doors || (doors.unlisted && !locked)) return true;
  const name = doorOf(crypto, key);
  if (hasKey(doors.own, name) || (!locked && hasKey(doors.invites, name))) return true;
  return pass !== undefined && passHolds(crypto, view, key, pass);
}

/** Whether a pass for this door holds, by the view: its time is that of whoever signed both, or of another who keeps the room. */
export function passHolds(crypto: Crypto, view: DoorsView, key: Uint8Array, pass: Pass): boolean {
  const { certificate, serial } = pass;
  if (hasKey(view.doors?.shut ?? [], serial)) return false;
  if (certificate.rank > 0 && hasKey(view.revoked, banOf(crypto, certificate.key))) return false;
  return verifyPass(crypto, view.tag, key, pass, view.issuedAt);
}

/** Why a relay does not let a member in, if so: it shows the key of no door that the view names, and no pass ([RM49]). */
export function shutFrom(
  crypto: Crypto,
  view: DoorsView | undefined,
  hello: Hello,
  relay: PeerId,
  host: PeerId,
): Refusal | undefined {
  const doors = view?.doors;
  if (!doors || hello.role !== "member" || (doors.unlisted && !view.locked)) return undefined;
  const context = { tag: hello.tag, relay, host, session: hello.session };
  const opens = ({ key, signature }: DoorProof, index: number): boolean =>
    opensRoom(crypto, view, key, index === 0 ? hello.pass : undefined) &&
    crypto.verify(key, signedPart(doorLabel, context), signature);
  if (hello.doors?.some(opens) === true) return undefined;
  return view.locked ? "locked" : "closed";
}
