import type { PeerId } from "../../../api/ids.ts";
import type { Crypto } from "../../crypto.ts";
import type { DoorProof, Hello, Refusal } from "../../session/frames.ts";
import { hasKey } from "../state/state.ts";
import type { RelayView } from "../state/view.ts";
import { type ProofContext, signedPart } from "./proof.ts";
import { encodeUtf8 } from "../../utf8.ts";
import { createPair, type Epoch, type KeyPair } from "./keys.ts";

const doorLabel = encodeUtf8("teahouse door 1");
const insideLabel = encodeUtf8("teahouse inside door 1");
/** A door is named by the first bytes of the SHA-256 of its key: an invite's as its branch is. */
export const doorBytes = 8;

/** Names the door that this key opens. */
export function doorOf(crypto: Crypto, key: Uint8Array): Uint8Array {
  return crypto.sha256(key).subarray(0, doorBytes);
}

/** The key of everybody who was inside in an era in which keys were given: relays learn by it that somebody was, and not who. */
export function insideDoor(crypto: Crypto, era: Epoch): KeyPair {
  return createPair(crypto, crypto.hkdf(era.secret, insideLabel, 32));
}

/** Shows one relay that this door's key is held here: of no use to anybody else. */
export function proveDoor(crypto: Crypto, { seed, key }: KeyPair, context: ProofContext): DoorProof {
  return { key, signature: crypto.sign(seed, signedPart(doorLabel, context)) };
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
  if (!doors || hello.role !== "member") return undefined;
  const context = { tag: hello.tag, relay, host, session: hello.session };
  const opens = ({ key, signature }: DoorProof): boolean =>
    hasKey(doors, doorOf(crypto, key)) && crypto.verify(key, signedPart(doorLabel, context), signature);
  if (hello.doors?.some(opens) === true) return undefined;
  return view.locked ? "locked" : "closed";
}
