import type { Layer } from "../../../p2p/api/engine.ts";
import { toHex } from "../../../p2p/core/bytes.ts";
import { parsePacket } from "../../../p2p/core/packet/format.ts";
import { nonceOf, PacketSealer, senderKeyOf } from "../../../p2p/core/packet/seal.ts";
import { Rng } from "../../../p2p/core/rng.ts";
import { ByteWriter } from "../../../p2p/core/bytes.ts";
import { writeCapability } from "../../../p2p/core/room/rights/capability.ts";
import { encodeCard } from "../../../p2p/core/room/invite/card.ts";
import { encodeInvite } from "../../../p2p/core/room/invite/invite.ts";
import { viewHash } from "../../../p2p/core/room/state/view.ts";
import { sampleAddress, sampleCard, sampleChain, sampleInvite, sampleRoom, testNow } from "../fixtures.ts";

/** Names and values of one vector: inputs first, then what must come out. Bytes are hex. */
export type Vector = Readonly<Record<string, string | number>>;

/** Every golden vector by its file's name, made by the code of today from fixed seeds. */
export function goldenVectors(): Readonly<Record<string, readonly Vector[]>> {
  return {
    packet: [packetVector("normal", 1, 0), packetVector("low", 258, 4_294_967_295)],
    view: [viewVector()],
    capability: [capabilityVector()],
    invite: [inviteVector(0), inviteVector(3)],
    card: [cardVector()],
  };
}

function packetVector(layer: Layer, epoch: number, sequence: number): Vector {
  const { crypto, voiceSeed, voiceKey, view } = sampleRoom("golden packet");
  const secret = new Rng(`golden secret ${epoch}`).bytes(32);
  const sealer = new PacketSealer(crypto, view.tag, voiceSeed, { number: epoch, secret });
  const opus = new Rng("golden opus").bytes(24);
  const packet = sealer.seal({ layer, sequence, capturedAt: testNow, opus, viewMark: 0xbeef });
  const parsed = parsePacket(packet);
  if (!parsed.ok) throw new Error(parsed.reason);
  return {
    tag: toHex(view.tag),
    voiceSeed: toHex(voiceSeed),
    voiceKey: toHex(voiceKey),
    epoch,
    epochSecret: toHex(secret),
    layer,
    sequence,
    capturedAt: testNow,
    opus: toHex(opus),
    viewMark: 0xbeef,
    senderKey: toHex(senderKeyOf(crypto, secret, voiceKey, layer)),
    nonce: toHex(nonceOf(parsed.value)),
    packet: toHex(packet),
  };
}

function viewVector(): Vector {
  const { crypto, keys, view } = sampleRoom("golden view");
  return {
    carriageSeed: toHex(keys.carriage.seed),
    sessionSeed: toHex(keys.session.seed),
    sessionExpires: view.session.expires,
    sequence: view.sequence,
    issuedAt: view.issuedAt,
    view: toHex(view.encoded),
    hash: toHex(viewHash(crypto, view.encoded)),
  };
}

function capabilityVector(): Vector {
  const { crypto, keys } = sampleRoom("golden capability");
  const hex = sampleChain(crypto, keys).chain.map((capability) => {
    const writer = new ByteWriter();
    writeCapability(writer, capability);
    return toHex(writer.finish());
  });
  const [session, bearer, person] = hex;
  return { rootSeed: toHex(keys.root.seed), session: session ?? "", bearer: bearer ?? "", person: person ?? "" };
}

function inviteVector(hintCount: number): Vector {
  const { crypto, keys } = sampleRoom("golden invite");
  const rng = new Rng("golden hints");
  const hints = Array.from({ length: hintCount }, () => sampleAddress(rng));
  const invite = sampleInvite(crypto, keys, hints);
  return {
    rootSeed: toHex(keys.root.seed),
    secret: toHex(invite.secret),
    tag: toHex(invite.tag),
    inviteSeed: toHex(invite.inviteSeed),
    text: encodeInvite(crypto, invite),
  };
}

function cardVector(): Vector {
  const card = sampleCard(new Rng("golden card"));
  const { crypto } = sampleRoom("golden card");
  return {
    key: toHex(card.address.key),
    token: toHex(card.address.token),
    address: toHex(card.address.addresses[0] ?? new Uint8Array(0)),
    secret: toHex(card.secret),
    expires: card.expires,
    text: encodeCard(crypto, card),
  };
}
