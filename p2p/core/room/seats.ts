import type { HostOptions } from "../../api/engine.ts";
import type { Millis } from "../../api/ids.ts";
import { assert } from "../assert.ts";
import type { Crypto } from "../crypto.ts";
import type { Command, HostRelay, PeerOptions } from "../peer-io.ts";
import { Authority, cut, hostPerson } from "./authority.ts";
import { issueCapability, rights } from "./capability.ts";
import type { Invite } from "./invite.ts";
import { createKeyPair, createRoomKeys } from "./keys.ts";
import { Member, type Seat } from "./member.ts";
import type { SeatMaker, SeatOffer } from "./resident.ts";
import { nameBytesMax } from "./state.ts";

/** Makes residents that can open packets: for everybody but a pure relay. */
export function createSeats(crypto: Crypto): SeatMaker {
  return (command: Extract<Command, { kind: "host" | "join" }>, options: PeerOptions, now: Millis): SeatOffer =>
    command.kind === "join"
      ? guestOffer(crypto, command.invite, command.name)
      : hostOffer(crypto, command.options, command.relays, options, now);
}

function guestOffer(crypto: Crypto, invite: Invite, name: string): SeatOffer {
  const last = invite.chain.at(-1);
  assert(last !== undefined, "an invite has a chain");
  const identity = createKeyPair(crypto);
  const { roomKey, secret, tag, hints } = invite;
  const { role, notBefore, expires } = last;
  const terms = { role, rights: last.rights & ~rights.grant, notBefore, expires, sequence: 0, grantee: identity.key };
  const capability = issueCapability(crypto, roomKey, invite.inviteSeed, terms, last);
  const seat: Seat = {
    roomKey,
    secret,
    tag,
    identity,
    chain: [...invite.chain, capability],
    voice: createKeyPair(crypto),
    name: cut(name, nameBytesMax),
    authority: undefined,
  };
  return offer(crypto, seat, hints);
}

function hostOffer(
  crypto: Crypto,
  options: HostOptions,
  relays: readonly HostRelay[],
  peer: PeerOptions,
  now: Millis,
): SeatOffer {
  const keys = createRoomKeys(crypto, now);
  const identity = createKeyPair(crypto);
  const voice = createKeyPair(crypto);
  const { capability: parent, seed } = keys.session;
  const { role, notBefore, expires } = parent;
  const terms = { role, rights: parent.rights & ~rights.grant, notBefore, expires, sequence: 0, grantee: identity.key };
  const person = hostPerson(voice.key, identity.key, options.name ?? "");
  const own = peer.self.address;
  assert(relays.length > 0 || own !== undefined, "a room needs a relay");
  const seat: Seat = {
    roomKey: keys.root.key,
    secret: keys.secret,
    tag: keys.carriage.key,
    identity,
    chain: [parent, issueCapability(crypto, keys.root.key, seed, terms, parent)],
    voice,
    name: person.name,
    authority: new Authority(crypto, keys, options, relays, relays.length > 0 ? undefined : own, person),
  };
  return offer(
    crypto,
    seat,
    relays.map((relay) => relay.address),
  );
}

function offer(crypto: Crypto, seat: Seat, hints: SeatOffer["hints"]): SeatOffer {
  return { tag: seat.tag, hints, take: (node, wires, now) => new Member(crypto, seat, node, wires, now) };
}
