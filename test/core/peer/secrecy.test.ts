import { describe, expect, it } from "vitest";
import { concat, equal } from "../../../p2p/core/bytes.ts";
import type { Crypto } from "../../../p2p/core/crypto.ts";
import { parsePaper } from "../../../p2p/core/overlay/news/papers.ts";
import { type Packet, voiceIdOf } from "../../../p2p/core/packet/format.ts";
import { nonceOf, PacketOpener, senderKeyOf } from "../../../p2p/core/packet/seal.ts";
import { type Invite, encodeInvite } from "../../../p2p/core/room/invite/invite.ts";
import { epochSecret, eraSecret } from "../../../p2p/core/room/rights/keys.ts";
import { openState } from "../../../p2p/core/room/state/sealed-state.ts";
import { parseView } from "../../../p2p/core/room/state/view.ts";
import { parseFrame } from "../../../p2p/core/session/frames.ts";
import { encodeUtf8 } from "../../../p2p/core/utf8.ts";
import { createCrypto } from "../../../p2p/io/crypto.ts";
import { packetsIn } from "./packets.ts";
import { knowing } from "../fixtures.ts";
import { Room } from "./room.ts";

const crypto = createCrypto();

/** Everything that ever went into or came out of a node: all that it holds is made of this. */
interface Known {
  readonly bytes: Uint8Array;
  readonly packets: readonly Packet[];
  readonly states: readonly Uint8Array[];
  readonly voices: readonly Uint8Array[];
}

interface Bench {
  readonly room: Room;
  readonly relay: number;
  readonly host: number;
  readonly guest: number;
  readonly invite: Invite;
  knownTo(node: number): Known;
}

/** A room in which everything happened: joins, a hand, a second speaker, text of title and names, a view that changed. */
function bench(): Bench {
  const room = new Room("secrecy");
  const messages: { readonly from: number; readonly to: number; readonly bytes: Uint8Array }[] = [];
  room.filter = (passing) => {
    messages.push(passing);
    return true;
  };
  const relay = room.addRelay();
  const host = room.addPerson();
  const guest = room.addPerson();
  room.host(host, [relay], { title: "a title that nobody else reads", name: "host's name" });
  room.run(300);
  const invite = room.invite(host);
  room.join(guest, invite);
  room.run(300);
  room.command(guest, { kind: "raise-hand" });
  room.run(300);
  room.talk(host, 80);
  room.talk(guest, 80);
  room.run(100);
  const knownTo = (node: number): Known => {
    const seen = messages.filter(({ from, to }) => from === node || to === node).map(({ bytes }) => bytes);
    const { address, cardSecret, drawn } = room.at(node);
    // A zero byte between, so that no window spans two of them by chance.
    const parts = [...seen, ...drawn, address.key, address.token, ...address.addresses, cardSecret];
    const bytes = concat(...parts.flatMap((part) => [part, Uint8Array.of(0)]));
    return { bytes, ...contents(seen) };
  };
  return { room, relay, host, guest, invite, knownTo };
}

function contents(messages: readonly Uint8Array[]): Omit<Known, "bytes"> {
  const frames = messages.flatMap((bytes) => parseFrame(bytes) ?? []);
  const packets = messages.flatMap(packetsIn);
  // Papers of this small room are whole in one fragment, or begin in one and end in the next.
  const whole = frames.flatMap((frame) =>
    frame.kind === "fragment" && frame.last ? (parsePaper(frame.bytes) ?? []) : [],
  );
  const states = whole.flatMap((paper) => (paper.kind === "state" ? [paper.bytes] : []));
  const views = whole.flatMap((paper) => (paper.kind === "view" ? [parseView(paper.bytes)] : []));
  const voices = views.flatMap((view) => (view.ok ? view.value.voices.map((voice) => voice.key) : []));
  const distinct = voices.filter((voice, index) => voices.findIndex((other) => equal(other, voice)) === index);
  return { packets, states, voices: distinct };
}

function occurs(known: Known, secret: Uint8Array): boolean {
  return Buffer.from(known.bytes).includes(Buffer.from(secret));
}

/** Whether this key, as it is or as a secret to derive from, opens anything. */
function opens(known: Known, window: Uint8Array, tag: Uint8Array): boolean {
  const [packet] = known.packets;
  const [state] = known.states;
  const voice = known.voices.find((key) => packet !== undefined && voiceIdOf(crypto, key) === packet.voiceId);
  if (!packet || !state || !voice) throw new Error("nothing to open");
  const secrets = [window, epochSecret(crypto, window, tag, 0)];
  const keys = [window, ...secrets.map((secret) => senderKeyOf(crypto, secret, voice, packet.layer))];
  if (keys.some((key) => crypto.open(key, nonceOf(packet), packet.header, packet.sealed, 8))) return true;
  const isOpen = (by: Crypto, key: Uint8Array): boolean => typeof openState(by, knowing(key), tag, state) === "object";
  const eras = secrets.map((secret) => eraSecret(crypto, secret));
  return [...secrets, ...eras].some((key) => isOpen(crypto, key)) || isOpen(rawKeys, window);
}

/** Takes what it is given for the key itself. */
const rawKeys: Crypto = { ...crypto, hkdf: (secret) => secret.slice() };

/** How many different windows of 32 bytes open something. */
function keysIn(known: Known, tag: Uint8Array): number {
  const tried = new Set<string>();
  let found = 0;
  for (let at = 0; at + 32 <= known.bytes.length; at++) {
    const window = known.bytes.subarray(at, at + 32);
    const name = Buffer.from(window).toString("latin1");
    if (tried.has(name)) continue;
    tried.add(name);
    if (opens(known, window, tag)) found++;
  }
  expect(tried.size).toBeGreaterThan(1000);
  return found;
}

describe("what a relay holds", () => {
  const { room, relay, host, guest, invite, knownTo } = bench();
  const relayKnows = knownTo(relay);
  const guestKnows = knownTo(guest);
  const secret = epochSecret(crypto, invite.secret, invite.tag, 0);
  const withInvite: Known = {
    ...guestKnows,
    bytes: concat(Buffer.from(encodeInvite(crypto, invite).slice(5), "base64url"), guestKnows.bytes),
  };

  it("[PK15] the room worked, and everything of it went through the relay", () => {
    expect(room.marks(guest, host)).toEqual([0, 1]);
    expect(room.marks(host, guest)).toEqual([0, 1]);
    expect(relayKnows.packets.length).toBeGreaterThanOrEqual(8);
    expect(relayKnows.states.length).toBeGreaterThanOrEqual(2);
    expect(relayKnows.voices).toHaveLength(2);
  });

  it("[RM3] [RM21] [RM22] no secret, key, name or title occurs in it, and no invite", () => {
    const hostDrew = room.at(host).drawn.filter((bytes) => bytes.length === 32);
    const guestDrew = room.at(guest).drawn.filter((bytes) => bytes.length === 32);
    const keys = relayKnows.voices.flatMap((voice) =>
      (["normal", "low"] as const).map((layer) => senderKeyOf(crypto, secret, voice, layer)),
    );
    const texts = ["a title that nobody else reads", "host's name", `person ${guest}`, encodeInvite(crypto, invite)];
    const hidden = [invite.secret, invite.roomKey, invite.inviteSeed, secret, ...keys, ...hostDrew, ...guestDrew];
    for (const each of hidden) expect(occurs(relayKnows, each)).toBe(false);
    for (const text of texts) expect(occurs(relayKnows, encodeUtf8(text))).toBe(false);
    // The search finds what is there.
    expect(occurs(relayKnows, invite.tag)).toBe(true);
    expect(occurs(withInvite, invite.secret)).toBe(true);
    expect(occurs(withInvite, invite.roomKey)).toBe(true);
  });

  it("[PK15] [RM21] no 32 bytes of it open a packet or a state; of what a member holds, the secret does", () => {
    expect(keysIn(relayKnows, invite.tag)).toBe(0);
    expect(keysIn({ ...withInvite, bytes: withInvite.bytes.subarray(0, 2000) }, invite.tag)).toBe(1);
    expect(opens(relayKnows, invite.secret, invite.tag)).toBe(true);
    expect(opens(relayKnows, secret, invite.tag)).toBe(true);
  });

  it("[PK15] with the secret, every packet that went through it opens", () => {
    const opener = new PacketOpener(crypto, { number: 0, secret });
    for (const packet of relayKnows.packets) {
      const voice = relayKnows.voices.find((key) => voiceIdOf(crypto, key) === packet.voiceId);
      expect(opener.open(packet, voice ?? new Uint8Array(32), room.now).ok).toBe(true);
    }
  });

  it("[RM46] who leaves overwrites every secret that it drew", () => {
    const { room, guest } = bench();
    const secrets = (): Uint8Array[] => room.at(guest).drawn.filter((bytes) => bytes.length === 32);
    const isZero = (bytes: Uint8Array): boolean => bytes.every((byte) => byte === 0);
    // The identity, the voice, the key to which grants are sealed.
    expect(secrets().filter((bytes) => !isZero(bytes))).toHaveLength(3);
    room.command(guest, { kind: "leave" });
    room.run(100);
    expect(secrets().filter((bytes) => !isZero(bytes))).toHaveLength(0);
  });
});
