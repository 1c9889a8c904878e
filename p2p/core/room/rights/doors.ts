import type { PeerId } from "../../../api/ids.ts";
import { concat } from "../../bytes.ts";
import type { Crypto } from "../../crypto.ts";
import type { DoorProof, Hello, Refusal } from "../../session/frames.ts";
import { hasKey } from "../state/state.ts";
import type { RelayView } from "../state/view.ts";
import { type ProofContext, signedPart } from "./proof.ts";
import { encodeUtf8 } from "../../utf8.ts";
import { createPair, type Epoch, type KeyPair } from "./keys.ts";

const doorLabel = encodeUtf8("teahouse door 1");
const ownLabel = encodeUtf8("teahouse own door 1");
const insideLabel = encodeUtf8("teahouse inside door 1");
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
  /** Of people who are in; at most `ownDoorsMax`. They open a locked room as well. */
  readonly own: readonly Uint8Array[];
}

/** Names the door that this key opens. */
export function doorOf(crypto: Crypto, key: Uint8Array): Uint8Array {
  return crypto.sha256(key).subarray(0, doorBytes);
}

/** Somebody's own door in a room: it follows from their identity, so that a crash does not take it. */
export function ownDoor(crypto: Crypto, identitySeed: Uint8Array, tag: Uint8Array): KeyPair {
  return createPair(crypto, crypto.hkdf(identitySeed, concat(ownLabel, tag), 32));
}

/** The key of everybody who was inside in an era in which keys were given: relays learn by it that somebody was, and not who. */
export function insideDoor(crypto: Crypto, era: Epoch): KeyPair {
  return createPair(crypto, crypto.hkdf(era.secret, insideLabel, 32));
}

/** Shows one relay that this door's key is held here: of no use to anybody else. */
export function proveDoor(crypto: Crypto, { seed, key }: KeyPair, context: ProofContext): DoorProof {
  return { key, signature: crypto.sign(seed, signedPart(doorLabel, context)) };
}

/** Whether this key opens the room, by the view: that of an invite, or of somebody who is in. */
export function opensRoom(crypto: Crypto, view: Pick<RelayView, "doors" | "locked">, key: Uint8Array): boolean {
  const { doors, locked } = view;
  if (!doors || (doors.unlisted && !locked)) return true;
  const name = doorOf(crypto, key);
  return hasKey(doors.own, name) || (!locked && hasKey(doors.invites, name));
}

/** Why a relay does not let a member in, if so: it shows the key of no door that the view names ([RM49]). */
export function shutFrom(
  crypto: Crypto,
  view: Pick<RelayView, "doors" | "locked"> | undefined,
  hello: Hello,
  relay: PeerId,
  host: PeerId,
): Refusal | undefined {
  const doors = view?.doors;
  if (!doors || hello.role !== "member" || (doors.unlisted && !view.locked)) return undefined;
  const context = { tag: hello.tag, relay, host, session: hello.session };
  const opens = ({ key, signature }: DoorProof): boolean =>
    opensRoom(crypto, view, key) && crypto.verify(key, signedPart(doorLabel, context), signature);
  if (hello.doors?.some(opens) === true) return undefined;
  return view.locked ? "locked" : "closed";
}
