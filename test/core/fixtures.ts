import { type Millis, millis } from "../../p2p/api/ids.ts";
import type { RelayAddress } from "../../p2p/api/link.ts";
import type { Crypto } from "../../p2p/core/crypto.ts";
import { PacketSealer } from "../../p2p/core/packet/seal.ts";
import { Rng } from "../../p2p/core/rng.ts";
import { type Capability, issueCapability, rights } from "../../p2p/core/room/rights/capability.ts";
import type { GuestCapsule, HostCapsule } from "../../p2p/core/room/keeper/capsule.ts";
import type { RelayCard } from "../../p2p/core/room/invite/card.ts";
import { type Invite, issueInvite } from "../../p2p/core/room/invite/invite.ts";
import { createKeyPair, createRoomKeys, epochSecret, type RoomKeys } from "../../p2p/core/room/rights/keys.ts";
import { type Pass, signPass } from "../../p2p/core/room/rights/pass.ts";
import type { Note } from "../../p2p/core/room/asking/note.ts";
import type { KeyHistory } from "../../p2p/core/room/epoch/keeper.ts";
import { type KnownSecrets, RoomSecrets } from "../../p2p/core/room/epoch/secrets.ts";
import type { Petition } from "../../p2p/core/room/asking/petition.ts";
import { emptyState, type RoomState } from "../../p2p/core/room/state/state.ts";
import { peerOf } from "../../p2p/core/session/frames.ts";
import { type RelayView, signView, type ViewContent } from "../../p2p/core/room/state/view.ts";
import { createCrypto } from "../../p2p/io/crypto.ts";

/** 2027-01-15T08:00:00Z: where tests stand in time. */
export const testNow: Millis = millis(1_800_000_000_000);
export const testSeconds = 1_800_000_000;

/** The real primitives, with randomness from a seed. */
export function seededCrypto(seed: string | number): Crypto {
  const rng = new Rng(seed).fork("crypto");
  return { ...createCrypto(), randomBytes: (length) => rng.bytes(length) };
}

/** Counts calls of `verify`. */
export function countingCrypto(inner: Crypto): Crypto & { verifies: number } {
  const counting = {
    ...inner,
    verifies: 0,
    verify: (key: Uint8Array, message: Uint8Array, signature: Uint8Array): boolean => {
      counting.verifies++;
      return inner.verify(key, message, signature);
    },
  };
  return counting;
}

/** `/ip4/198.51.100.x/tcp/443/tls/ws` in binary: what a hint usually holds. */
export function ipv4Multiaddr(rng: Rng): Uint8Array {
  return Uint8Array.of(4, 198, 51, 100, rng.int(256), 6, 1, 187, 0xc0, 3, 0xdd, 3);
}

export function sampleAddress(rng: Rng): RelayAddress {
  return { key: rng.bytes(32), token: rng.bytes(16), addresses: [ipv4Multiaddr(rng)] };
}

export function sampleCard(rng: Rng): RelayCard {
  return { address: sampleAddress(rng), secret: rng.bytes(16), expires: testSeconds + 3600 };
}

/** A room with one speaker in its first epoch; everything follows from the seed. */
export interface SampleRoom {
  readonly crypto: Crypto;
  readonly keys: RoomKeys;
  readonly voiceSeed: Uint8Array;
  readonly voiceKey: Uint8Array;
  readonly secret: Uint8Array;
  readonly view: RelayView;
  readonly sealer: PacketSealer;
}

export function sampleRoom(seed: string | number, crypto: Crypto = seededCrypto(seed)): SampleRoom {
  const keys = createRoomKeys(crypto, testNow);
  const voice = createKeyPair(crypto);
  const secret = epochSecret(crypto, keys.secret, keys.carriage.key, 1);
  const view = sampleView(crypto, keys, { voices: [{ key: voice.key, packetsPerSecond: 25 }] });
  const sealer = new PacketSealer(crypto, keys.carriage.key, voice.seed, { number: 1, secret });
  return { crypto, keys, voiceSeed: voice.seed, voiceKey: voice.key, secret, view, sealer };
}

export function sampleContent(crypto: Crypto, keys: RoomKeys): ViewContent {
  const rng = new Rng(`content of ${crypto.randomBytes(4).join()}`);
  return {
    tag: keys.carriage.key,
    session: keys.session.certificate,
    sequence: 7,
    issuedAt: testNow,
    epoch: 1,
    coreSize: 12,
    relayFanout: 8,
    relays: [sampleAddress(rng), sampleAddress(rng), sampleAddress(rng)],
    voices: [{ key: rng.bytes(32), packetsPerSecond: 25 }],
    bans: [rng.bytes(16), rng.bytes(16)],
    keepers: [{ key: keys.session.key, rank: 0 }],
    revoked: [rng.bytes(16)],
    slowModeS: 30,
    doors: { invites: [rng.bytes(8), rng.bytes(8)], unlisted: false, own: [rng.bytes(8)], shut: [rng.bytes(8)] },
    locked: false,
  };
}

export function sampleView(crypto: Crypto, keys: RoomKeys, changes: Partial<ViewContent> = {}): RelayView {
  return signView(crypto, keys.session.seed, { ...sampleContent(crypto, keys), ...changes });
}

/** A speaker's packet in the sample room. */
export function samplePacket(room: SampleRoom, sequence: number, opusBytes = 120): Uint8Array {
  const opus = new Rng(sequence).bytes(opusBytes);
  return room.sealer.seal({ layer: "normal", sequence, capturedAt: testNow, opus, viewMark: 0x1234 });
}

export function sampleInvite(crypto: Crypto, keys: RoomKeys, hints: readonly RelayAddress[]): Invite {
  const terms = {
    role: "speaker",
    rights: rights.speak,
    notBefore: testSeconds,
    expires: testSeconds + 86_400,
  } as const;
  return issueInvite(crypto, keys, { ...terms, sequence: 3 }, hints);
}

/** Host session, bearer of an invite, person: the longest chain, and the seed of the last. */
export function sampleChain(
  crypto: Crypto,
  keys: RoomKeys,
  allowed: number = rights.speak,
): { chain: Capability[]; seed: Uint8Array } {
  const bearer = createKeyPair(crypto);
  const person = createKeyPair(crypto);
  const times = { notBefore: testSeconds, expires: testSeconds + 3600 };
  const session = keys.session;
  const invited = issueCapability(
    crypto,
    keys.root.key,
    session.seed,
    { grantee: bearer.key, role: "speaker", rights: allowed | rights.grant, ...times, sequence: 1 },
    session.capability,
  );
  const own = issueCapability(
    crypto,
    keys.root.key,
    bearer.seed,
    { grantee: person.key, role: "listener", rights: allowed, ...times, sequence: 2 },
    invited,
  );
  return { chain: [session.capability, invited, own], seed: person.seed };
}

/** A state with somebody on stage and a hand up. */
export function sampleState(room: SampleRoom): RoomState {
  const rng = new Rng("state");
  const { session } = room.keys;
  const host = { identityKey: rng.bytes(32), role: "host", name: "Ana" } as const;
  const guest = { voiceKey: rng.bytes(32), identityKey: rng.bytes(32), role: "speaker", branch: rng.bytes(8) } as const;
  return {
    ...emptyState,
    sequence: 3,
    chain: [session.capability],
    title: "茶館",
    stage: [{ ...host, voiceKey: room.voiceKey, branch: new Uint8Array(8) }],
    hands: [{ id: rng.bytes(8), person: { ...guest, name: "Bahar" }, raisedAt: testNow }],
    keepers: [{ ...host, key: session.key, office: undefined }],
    frontier: [{ key: session.key, number: 4, hash: rng.bytes(16) }],
  };
}

/** What the last of a chain asks for. */
export function samplePetition(chain: readonly Capability[]): Petition {
  const rng = new Rng("petition");
  const words = { wish: "speak", at: testNow, name: "Bahar", chain } as const;
  return { id: rng.bytes(8), voiceKey: rng.bytes(32), door: rng.bytes(8), ...words };
}

export function sampleNote(): Note {
  return { id: new Rng("note").bytes(8), name: "Chiyo", text: "more tea? 茶", reaction: undefined };
}

/** Keys that were given. */
function sampleHistory(rng: Rng): KeyHistory {
  return { number: 5, secret: rng.bytes(32), era: { number: 4, secret: rng.bytes(32) } };
}

/** Somebody who knows this one secret, and takes it for that of whatever epoch. */
export function knowing(secret: Uint8Array): KnownSecrets {
  return { find: () => [secret] };
}

/** Somebody who seals and opens by this secret. */
export function sealingBy(secret: Uint8Array): RoomSecrets {
  const secrets = new RoomSecrets();
  secrets.words.take({ number: 1, secret }, testNow);
  secrets.papers.take({ number: 1, secret }, testNow);
  return secrets;
}

/** Somebody on stage whom a speaker's invite brought. */
export function sampleGuestCapsule(crypto: Crypto, keys: RoomKeys): GuestCapsule {
  const rng = new Rng("guest capsule");
  const invite = sampleInvite(crypto, keys, [sampleAddress(rng), sampleAddress(rng)]);
  return {
    kind: "guest",
    invite,
    identitySeed: rng.bytes(32),
    name: "Daria",
    onStage: true,
    history: sampleHistory(rng),
    pass: signPass(crypto, keys.session, keys.carriage.key, rng.bytes(32), rng.bytes(8), testNow),
    serials: rng.bytes(32),
  };
}

/** The word of the sample room's host that the owner of some door was inside. */
export function samplePass({ crypto, keys }: SampleRoom): Pass {
  const rng = new Rng("pass");
  return signPass(crypto, keys.session, keys.carriage.key, rng.bytes(32), rng.bytes(8), testNow);
}

/** A host on two relays, one of which carries, with a guest on stage and a hand up. */
export function sampleHostCapsule(room: SampleRoom): HostCapsule {
  const rng = new Rng("host capsule");
  const relays = [1, 2].map(() => ({ address: sampleAddress(rng), secret: rng.bytes(16) }));
  const branch = rng.bytes(8);
  const ofGuest = { voiceKey: rng.bytes(32), identityKey: rng.bytes(32), role: "speaker", name: "Daria" } as const;
  const guest = { ...ofGuest, branch };
  const state = sampleState(room);
  return {
    kind: "host",
    keys: room.keys,
    identitySeed: rng.bytes(32),
    coreSize: 3,
    relayFanout: 2,
    volunteer: { maxChildren: 12, only: true },
    relays,
    carrying: relays.slice(1).map((relay) => peerOf(relay.address)),
    state: { ...state, sequence: 9, stage: [...state.stage, guest] },
    revoked: [rng.bytes(16)],
    done: ["0123456789abcdef"],
    viewSequence: 7,
    stateSequence: 9,
    history: sampleHistory(rng),
    doors: { invites: [{ name: rng.bytes(8), generation: 1, expires: testSeconds + 3600 }], unlisted: 1 },
  };
}
