import { describe, expect, it } from "vitest";
import type { PeerId, RoomTag } from "../../../../p2p/api/ids.ts";
import { toHex } from "../../../../p2p/core/bytes.ts";
import { Rng } from "../../../../p2p/core/rng.ts";
import { createKeyPair, createRoomKeys } from "../../../../p2p/core/room/rights/keys.ts";
import { type ProofContext, proveHost, verifyHost } from "../../../../p2p/core/room/rights/proof.ts";
import { seededCrypto, testNow } from "../../fixtures.ts";

const crypto = seededCrypto("proof");
const keys = createRoomKeys(crypto, testNow);
const rng = new Rng("proof");
const context: ProofContext = {
  tag: toHex(keys.carriage.key) as RoomTag,
  relay: toHex(rng.bytes(32)) as PeerId,
  host: toHex(rng.bytes(32)) as PeerId,
  session: rng.bytes(16),
};
const proof = proveHost(crypto, keys.session.seed, keys.session.certificate, rng.bytes(16), context);

describe("the host's proof", () => {
  it("[RM20] is believed from the room's own session", () => {
    expect(verifyHost(crypto, proof, context)).toBe(true);
  });

  it("[RM20] serves no other relay, node, session or room", () => {
    const other = toHex(rng.bytes(32));
    expect(verifyHost(crypto, proof, { ...context, relay: other as PeerId })).toBe(false);
    expect(verifyHost(crypto, proof, { ...context, host: other as PeerId })).toBe(false);
    expect(verifyHost(crypto, proof, { ...context, session: rng.bytes(16) })).toBe(false);
    expect(verifyHost(crypto, proof, { ...context, tag: other as RoomTag })).toBe(false);
    expect(verifyHost(crypto, proof, { ...context, relay: context.host, host: context.relay })).toBe(false);
  });

  it("[RM20] needs the carriage key's word for the session, and the session's own signature", () => {
    const stranger = createKeyPair(crypto);
    const certificate = { ...keys.session.certificate, key: stranger.key };
    expect(verifyHost(crypto, proveHost(crypto, stranger.seed, certificate, proof.cardSecret, context), context)).toBe(
      false,
    );
    const later = { ...proof, sessionExpires: proof.sessionExpires + 1 };
    expect(verifyHost(crypto, later, context)).toBe(false);
    for (const field of ["sessionKey", "carriageSignature", "signature"] as const) {
      const changed = proof[field].slice();
      changed[5]! ^= 1;
      expect(verifyHost(crypto, { ...proof, [field]: changed }, context)).toBe(false);
    }
  });
});
