import { type PeerId, type RoomTag } from "../../../api/ids.ts";
import { concat, fromHex } from "../../bytes.ts";
import type { Crypto } from "../../crypto.ts";
import type { HostProof } from "../../session/frames.ts";
import { encodeUtf8 } from "../../utf8.ts";
import { type CarriageCertificate, verifyCarriage } from "./carriage.ts";

const proofLabel = encodeUtf8("teahouse host 1");

/** Who proves it to whom, in which session: so that a proof is of no use to anybody else. */
export interface ProofContext {
  readonly tag: RoomTag;
  readonly relay: PeerId;
  readonly host: PeerId;
  readonly session: Uint8Array;
}

/** Proves to one relay that this is the room's host session ([RM20]). */
export function proveHost(
  crypto: Crypto,
  sessionSeed: Uint8Array,
  certificate: CarriageCertificate,
  cardSecret: Uint8Array,
  context: ProofContext,
): HostProof {
  return {
    sessionKey: certificate.key,
    sessionExpires: certificate.expires,
    sessionRank: certificate.rank,
    carriageSignature: certificate.signature,
    signature: crypto.sign(sessionSeed, signedPart(proofLabel, context)),
    cardSecret,
  };
}

/** Whether the room of this tag vouches for the session, and the session for this conversation. */
export function verifyHost(crypto: Crypto, proof: HostProof, context: ProofContext): boolean {
  const tag = fromHex(context.tag);
  const certificate = {
    key: proof.sessionKey,
    expires: proof.sessionExpires,
    rank: proof.sessionRank,
    signature: proof.carriageSignature,
  };
  if (!tag || !verifyCarriage(crypto, tag, certificate)) return false;
  return crypto.verify(proof.sessionKey, signedPart(proofLabel, context), proof.signature);
}

/** What is signed for one conversation. */
export function signedPart(label: Uint8Array, context: ProofContext): Uint8Array {
  const keys = [context.tag, context.relay, context.host].map((text) => fromHex(text) ?? new Uint8Array(32));
  return concat(label, ...keys, context.session);
}
