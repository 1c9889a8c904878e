import type { PeerId, RoomTag } from "../../p2p/api/ids.ts";
import { toHex } from "../../p2p/core/bytes.ts";
import type { Crypto } from "../../p2p/core/crypto.ts";
import { Rng } from "../../p2p/core/rng.ts";
import type { Capability } from "../../p2p/core/room/rights/capability.ts";
import { proveHost } from "../../p2p/core/room/rights/proof.ts";
import type { HostProof } from "../../p2p/core/session/frames.ts";
import { sampleChain, sampleRoom, type SampleRoom } from "../core/fixtures.ts";

/** What the samples of all parsers are made from: one room, one guest with a chain of full length, one proof. */
export interface Samples {
  readonly crypto: Crypto;
  readonly rng: Rng;
  readonly room: SampleRoom;
  readonly guest: { readonly chain: readonly Capability[]; readonly seed: Uint8Array };
  readonly session: Uint8Array;
  readonly tag: RoomTag;
  readonly proof: HostProof;
  /** Whom the proof is for. */
  readonly parties: {
    readonly tag: RoomTag;
    readonly relay: PeerId;
    readonly host: PeerId;
    readonly session: Uint8Array;
  };
}

/** Makes them with these primitives: the real ones, or the simulator's at a hundredth of their cost. */
export function makeSamples(crypto: Crypto): Samples {
  const rng = new Rng("parsers");
  const room = sampleRoom("parsers", crypto);
  const { keys } = room;
  const session = rng.bytes(16);
  const tag = toHex(keys.carriage.key) as RoomTag;
  const parties = { tag, relay: toHex(rng.bytes(32)) as PeerId, host: toHex(rng.bytes(32)) as PeerId, session };
  const proof = proveHost(crypto, keys.session.seed, keys.session.certificate, rng.bytes(16), parties);
  return { crypto, rng, room, guest: sampleChain(crypto, keys), session, tag, proof, parties };
}
