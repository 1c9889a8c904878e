import { millis } from "../../../p2p/api/ids.ts";
import { fromHex } from "../../../p2p/core/bytes.ts";
import { type Packet, parsePacket, voiceIdOf } from "../../../p2p/core/packet/format.ts";
import { PacketOpener } from "../../../p2p/core/packet/seal.ts";
import { epochSecret } from "../../../p2p/core/room/rights/keys.ts";
import { parseFrame } from "../../../p2p/core/session/frames.ts";
import { seededCrypto } from "../fixtures.ts";
import { Room } from "./room.ts";

/** What a kick did in a room of real peers on virtual time. */
export interface Kicked {
  /** From the kick to the last packet, on any wire, that opens with the secret that the kicked person holds, ms. */
  readonly openedForMs: number;
  /** Packets on the wires that it opened before, and that it does not open after. */
  readonly openedBefore: number;
  readonly closedAfter: number;
  /** Packets that were said by the host after the kick, and how many of them each heard who stayed. */
  readonly said: number;
  readonly heard: readonly number[];
  /** And the one who was kicked. */
  readonly heardByKicked: number;
}

const talkMs = 6_000;
/** What is said after the kick is numbered from here. */
const firstMark = 2_000;

/**
 * A host and a guest talk all the while; the host puts another guest out, who keeps everything that it was ever given and is
 * shown every wire of the room.
 */
export function kickSomebody(seed: string, guestsCount: number): Kicked {
  const { room, host, guests } = fullRoom(seed, guestsCount);
  const [victim = -1, speaker = -1] = guests;
  const opens = openerOf(room, host);
  const wire: { readonly at: number; readonly opens: boolean }[] = [];
  room.filter = ({ bytes }) => {
    const packet = packetIn(bytes);
    if (packet) wire.push({ at: room.now, opens: opens(packet) });
    return true;
  };
  talkBoth(room, host, speaker, 1_000, 1_000);
  const openedBefore = wire.filter((seen) => seen.opens).length;
  const kickedAt = room.now;
  room.command(host, { kind: "act", id: 1, act: { kind: "kick", identity: identityOf(room, host, victim) } });
  talkBoth(room, host, speaker, talkMs, firstMark);
  room.run(500);
  const last = wire.findLast((seen) => seen.opens)?.at ?? kickedAt;
  const since = (guest: number): number => room.marks(guest, host).filter((mark) => mark >= firstMark).length;
  const [heardByKicked = 0, ...heard] = guests.map(since);
  return {
    openedForMs: Math.max(0, last - kickedAt),
    openedBefore,
    closedAfter: wire.filter(({ at }) => at > last).length,
    said: talkMs / 40,
    heard,
    heardByKicked,
  };
}

/** Everybody has enrolled; the first two guests are on stage. */
export function fullRoom(seed: string, guestsCount: number): { room: Room; host: number; guests: number[] } {
  const room = new Room(seed);
  const relays = [room.addRelay(), room.addRelay(), room.addRelay()];
  const host = room.addPerson();
  room.host(host, relays, { letEverybodySpeak: true });
  room.run(1_000);
  const guests = Array.from({ length: guestsCount }, () => room.addPerson());
  for (const guest of guests) room.join(guest, room.invite(host));
  room.run(12_000);
  for (const guest of guests.slice(0, 2)) room.command(guest, { kind: "raise-hand" });
  room.run(3_000);
  return { room, host, guests };
}

export function identityOf(room: Room, host: number, guest: number): string {
  const people = room.events(host, "stage").at(-1)?.people ?? [];
  const person = people.find(({ name }) => name === `person ${guest}`);
  if (!person) throw new Error("the guest is not on stage");
  return person.identity;
}

export function packetIn(bytes: Uint8Array): Packet | undefined {
  const frame = parseFrame(bytes);
  const packet = frame?.kind === "media" ? parsePacket(frame.packet) : undefined;
  return packet?.ok ? packet.value : undefined;
}

/** Opens what the invite's secret opens, of everybody on stage. */
export function openerOf(room: Room, host: number): (packet: Packet) => boolean {
  const crypto = seededCrypto("kicked");
  const { secret, tag } = room.invite(host);
  const opener = new PacketOpener(crypto, { number: 0, secret: epochSecret(crypto, secret, tag, 0) });
  const people = room.events(host, "stage").at(-1)?.people ?? [];
  const voices = people.map(({ voice }) => fromHex(voice));
  return (packet) => {
    const voice = voices.find((key) => voiceIdOf(crypto, key) === packet.voiceId);
    return voice !== undefined && opener.open(packet, voice, millis(room.now)).ok;
  };
}

function talkBoth(room: Room, host: number, speaker: number, ms: number, from: number): void {
  for (let packet = 0; packet < ms / 40; packet++) {
    room.speak(host, from + packet);
    room.speak(speaker, from + packet);
    room.run(40);
  }
}
