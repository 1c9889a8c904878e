import type { HostOptions } from "../../api/engine.ts";
import { assert } from "../assert.ts";
import type { Crypto } from "../crypto.ts";
import type { HostRelay, PeerOptions } from "../peer-io.ts";
import { Authority, cut, hostPerson } from "./authority.ts";
import type { GuestCapsule, HostCapsule } from "./capsule.ts";
import { type Capability, issueCapability, rights } from "./capability.ts";
import type { Invite } from "./invite.ts";
import { createKeyPair, createRoomKeys, type KeyPair, type RoomKeys } from "./keys.ts";
import { Member } from "./member.ts";
import type { SeatMaker, SeatOffer } from "./resident.ts";
import type { Seat } from "./seat.ts";
import { nameBytesMax } from "./state.ts";

/** Makes residents that can open packets: for everybody but a pure relay. */
export function createSeats(crypto: Crypto): SeatMaker {
  return (command, peer, now) => {
    switch (command.kind) {
      case "join":
        return guestOffer(crypto, command.invite, createKeyPair(crypto), command.name, false);
      case "host": {
        const room = { keys: createRoomKeys(crypto, now), identity: createKeyPair(crypto), capsule: undefined };
        return hostOffer(crypto, command.options, command.relays, room, peer);
      }
      case "resume":
        return command.capsule.kind === "guest"
          ? returningGuest(crypto, command.capsule)
          : returningHost(crypto, command.capsule, peer);
      default:
        return command satisfies never;
    }
  };
}

function returningGuest(crypto: Crypto, capsule: GuestCapsule): SeatOffer {
  const { invite, identitySeed, name, onStage } = capsule;
  return guestOffer(crypto, invite, { seed: identitySeed.slice(), key: crypto.publicKey(identitySeed) }, name, onStage);
}

function returningHost(crypto: Crypto, capsule: HostCapsule, peer: PeerOptions): SeatOffer {
  const { keys, identitySeed, title, letEverybodySpeak, coreSize, relayFanout, relays, stage } = capsule;
  const identity = { seed: identitySeed.slice(), key: crypto.publicKey(identitySeed) };
  const name = stage.find((person) => person.role === "host")?.name ?? "";
  const options = { title, name, via: [], letEverybodySpeak, coreSize, relayFanout };
  return hostOffer(crypto, options, relays, { keys, identity, capsule }, peer);
}

function guestOffer(
  crypto: Crypto,
  invite: Invite,
  identity: KeyPair,
  name: string,
  returnsToStage: boolean,
): SeatOffer {
  const last = invite.chain.at(-1);
  assert(last !== undefined, "an invite has a chain");
  const { roomKey, secret, tag, hints } = invite;
  const capability = delegate(crypto, roomKey, invite.inviteSeed, last, identity.key);
  const seat: Seat = {
    roomKey,
    secret,
    tag,
    identity,
    chain: [...invite.chain, capability],
    voice: createKeyPair(crypto),
    name: cut(name, nameBytesMax),
    authority: undefined,
    invite,
    returnsToStage,
  };
  return offer(crypto, seat, hints);
}

function hostOffer(
  crypto: Crypto,
  options: HostOptions,
  relays: readonly HostRelay[],
  room: { readonly keys: RoomKeys; readonly identity: KeyPair; readonly capsule: HostCapsule | undefined },
  peer: PeerOptions,
): SeatOffer {
  const { keys, identity, capsule } = room;
  const voice = createKeyPair(crypto);
  const { capability: parent, seed } = keys.session;
  const person = hostPerson(voice.key, identity.key, options.name ?? "");
  const own = peer.self.address;
  assert(relays.length > 0 || own !== undefined, "a room needs a relay");
  const authority = new Authority(crypto, keys, options, relays, relays.length > 0 ? undefined : own, person);
  if (capsule) authority.restore(capsule);
  const seat: Seat = {
    roomKey: keys.root.key,
    secret: keys.secret,
    tag: keys.carriage.key,
    identity,
    chain: [parent, delegate(crypto, keys.root.key, seed, parent, identity.key)],
    voice,
    name: person.name,
    authority,
    invite: undefined,
    returnsToStage: false,
  };
  return offer(
    crypto,
    seat,
    relays.map((relay) => relay.address),
  );
}

/** The last link of a chain: everything the parent gives but the right to give it on. */
function delegate(
  crypto: Crypto,
  roomKey: Uint8Array,
  seed: Uint8Array,
  parent: Capability,
  grantee: Uint8Array,
): Capability {
  const { role, notBefore, expires } = parent;
  const terms = { role, rights: parent.rights & ~rights.grant, notBefore, expires, sequence: 0, grantee };
  return issueCapability(crypto, roomKey, seed, terms, parent);
}

function offer(crypto: Crypto, seat: Seat, hints: SeatOffer["hints"]): SeatOffer {
  return { tag: seat.tag, hints, take: (node, wires, now) => new Member(crypto, seat, node, wires, now) };
}
