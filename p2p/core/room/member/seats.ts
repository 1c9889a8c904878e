import type { HostOptions } from "../../../api/engine.ts";
import { assert } from "../../assert.ts";
import type { Crypto } from "../../crypto.ts";
import type { HostRelay, PeerOptions } from "../../peer-io.ts";
import { Authority } from "../keeper/authority.ts";
import { hostPerson } from "../state/first-state.ts";
import type { Skeleton } from "../state/facts.ts";
import type { GuestCapsule, HostCapsule } from "../keeper/capsule.ts";
import type { Invite } from "../invite/invite.ts";
import { RoomSecrets } from "../epoch/secrets.ts";
import { createKeyPair, createRoomKeys, type KeyPair, type RoomKeys } from "../rights/keys.ts";
import { ownDoor } from "../rights/doors.ts";
import { serialsOfRoot } from "../rights/pass.ts";
import { Member } from "./member.ts";
import type { SeatMaker, SeatOffer } from "./resident.ts";
import { cut } from "../../utf8.ts";
import { delegate, type Seat } from "./seat.ts";
import { nameBytesMax } from "../state/state.ts";

/** Makes residents that can open packets: for everybody but a pure relay. `skeleton`: what names look like. */
export function createSeats(crypto: Crypto, skeleton: Skeleton = (name) => name): SeatMaker {
  return (command, peer, now) => {
    switch (command.kind) {
      case "join":
        return offer(crypto, guestSeat(crypto, command.invite, createKeyPair(crypto), command.name), skeleton);
      case "host": {
        const room = { keys: createRoomKeys(crypto, now), identity: createKeyPair(crypto), capsule: undefined };
        return offer(crypto, hostSeat(crypto, command.options, command.relays, room, peer), skeleton);
      }
      case "resume":
        return offer(
          crypto,
          command.capsule.kind === "guest"
            ? returningGuest(crypto, command.capsule)
            : returningHost(crypto, command.capsule, peer),
          skeleton,
        );
      default:
        return command satisfies never;
    }
  };
}

function returningGuest(crypto: Crypto, capsule: GuestCapsule): Seat {
  const { invite, identitySeed, name, onStage } = capsule;
  const identity = { seed: identitySeed.slice(), key: crypto.publicKey(identitySeed) };
  const { history: keys, pass, serials } = capsule;
  const seat = guestSeat(crypto, invite, identity, name);
  if (serials) seat.secrets.takeSerials(serials);
  return { ...seat, keys, pass, returnsToStage: onStage, comesBack: true };
}

function returningHost(crypto: Crypto, capsule: HostCapsule, peer: PeerOptions): Seat {
  const { keys, identitySeed, coreSize, relayFanout, relays, state } = capsule;
  const identity = { seed: identitySeed.slice(), key: crypto.publicKey(identitySeed) };
  const name = state.stage.find((person) => person.role === "host")?.name ?? "";
  const { title, openStage: letEverybodySpeak } = state;
  const options = { title, name, via: [], letEverybodySpeak, coreSize, relayFanout, volunteer: capsule.volunteer };
  return hostSeat(crypto, options, relays, { keys, identity, capsule }, peer);
}

function guestSeat(crypto: Crypto, invite: Invite, identity: KeyPair, name: string): Seat {
  const last = invite.chain.at(-1);
  assert(last !== undefined, "an invite has a chain");
  const { roomKey, secret, tag, hints } = invite;
  const capability = delegate(crypto, roomKey, invite.inviteSeed, last, identity.key);
  return {
    roomKey,
    secret,
    tag,
    hints,
    identity,
    door: ownDoor(crypto, identity.seed, tag),
    chain: [...invite.chain, capability],
    voice: createKeyPair(crypto),
    name: cut(name, nameBytesMax),
    secrets: new RoomSecrets(),
    keys: undefined,
    pass: undefined,
    authority: undefined,
    invite,
    returnsToStage: false,
    comesBack: false,
  };
}

function hostSeat(
  crypto: Crypto,
  options: HostOptions,
  relays: readonly HostRelay[],
  room: { readonly keys: RoomKeys; readonly identity: KeyPair; readonly capsule: HostCapsule | undefined },
  peer: PeerOptions,
): Seat {
  const { keys, identity, capsule } = room;
  const voice = createKeyPair(crypto);
  const { capability: parent, seed } = keys.session;
  const person = hostPerson(voice.key, identity.key, options.name ?? "");
  const own = peer.self.address;
  assert(relays.length > 0 || own !== undefined, "a room needs a relay");
  const secrets = new RoomSecrets();
  secrets.takeSerials(serialsOfRoot(crypto, keys.root.seed));
  const authority = new Authority(crypto, keys, options, relays, relays.length > 0 ? undefined : own, person, secrets);
  if (capsule) authority.restore(capsule);
  return {
    roomKey: keys.root.key,
    secret: keys.secret,
    tag: keys.carriage.key,
    hints: relays.map((relay) => relay.address),
    identity,
    door: ownDoor(crypto, identity.seed, keys.carriage.key),
    chain: [parent, delegate(crypto, keys.root.key, seed, parent, identity.key)],
    voice,
    name: person.name,
    secrets,
    keys: capsule?.history,
    pass: undefined,
    authority,
    invite: undefined,
    returnsToStage: false,
    comesBack: capsule !== undefined,
  };
}

function offer(crypto: Crypto, seat: Seat, skeleton: Skeleton): SeatOffer {
  const { tag, hints } = seat;
  return { tag, hints, take: (node, wires, now) => new Member(crypto, seat, node, wires, skeleton, now) };
}
