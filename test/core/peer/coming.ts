import {
  encodeCapsule,
  type GuestCapsule,
  type HostCapsule,
  parseCapsule,
} from "../../../p2p/core/room/keeper/capsule.ts";
import type { Invite } from "../../../p2p/core/room/invite/invite.ts";
import { seededCrypto } from "../fixtures.ts";
import type { KeptRoom } from "./kept-room.ts";

const crypto = seededCrypto("coming");

/** Long enough for who comes to be in, or to be told why not. */
const comeMs = 22_000;

/** An invite that somebody in charge gives out. */
export function issue(room: KeptRoom, by: number, singleUse = false): Invite {
  const id = 10_000 + room.events(by, "answered").length;
  room.command(by, { kind: "invite", id, terms: { role: "listener", expiresInMs: 3_600_000, singleUse } });
  room.run(500);
  const answer = room.events(by, "answered").find((event) => event.id === id);
  if (!answer?.invite) throw new Error(`no invite: ${answer?.code}`);
  return answer.invite;
}

/** Somebody comes by an invite; what they are told when they do not get in. */
export function come(room: KeptRoom, invite: Invite): { readonly node: number; readonly told: readonly string[] } {
  const node = room.addPerson();
  room.join(node, invite);
  room.run(comeMs);
  return { node, told: whetherIn(room, node) };
}

/** "in", or what somebody was told. */
export function whetherIn(room: KeptRoom, node: number): readonly string[] {
  const isIn = room.events(node, "joined").length > 0 && !room.isOut(node);
  return isIn ? ["in"] : room.troubles(node);
}

/** What the supervisor would keep of a host. */
export function hostCapsule(room: KeptRoom, host = room.keeper): HostCapsule {
  const capsule = room.peer(host).capsule();
  const parsed = capsule && parseCapsule(crypto, encodeCapsule(crypto, capsule));
  if (parsed?.kind !== "host") throw new Error("no capsule");
  return parsed;
}

/** And of somebody else. */
export function guestCapsule(room: KeptRoom, guest: number): GuestCapsule {
  const capsule = room.peer(guest).capsule();
  const parsed = capsule && parseCapsule(crypto, encodeCapsule(crypto, capsule));
  if (parsed?.kind !== "guest") throw new Error("no capsule");
  return parsed;
}

/** The host falls; an heir, if there is one, acts. */
export function fall(room: KeptRoom, node = room.keeper): void {
  room.kill(node, true);
  room.run(8000);
}

/** Somebody comes back in another engine. */
export function comeBack(room: KeptRoom, capsule: HostCapsule | GuestCapsule, ms = 10_000): number {
  const again = room.addPerson();
  room.command(again, { kind: "resume", capsule });
  room.run(ms);
  return again;
}

/** Nothing reaches somebody for so long, and then everything again. */
export function outage(room: KeptRoom, node: number, during: () => void): void {
  const whole = room.filter;
  room.filter = (passing) => passing.from !== node && passing.to !== node && whole(passing);
  for (const relay of room.relays) room.cut(node, relay);
  during();
  room.filter = whole;
  room.run(60_000);
}

/** Whether somebody hears another now. */
export function hears(room: KeptRoom, listener: number, speaker: number): boolean {
  const before = room.marks(listener, speaker).length;
  room.talk(speaker, 400);
  room.run(200);
  return room.marks(listener, speaker).length >= before + 9;
}
