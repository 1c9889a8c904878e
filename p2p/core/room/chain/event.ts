import { limits } from "../../../api/limits.ts";
import type { ByteReader, ByteWriter } from "../../bytes.ts";
import { type Capability, readCapability, writeCapability } from "../rights/capability.ts";
import { doorBytes } from "../rights/doors.ts";
import {
  branchBytes,
  handBytes,
  type Keeper,
  type Named,
  type RaisedHand,
  type Rules,
  type StagePerson,
} from "../state/state.ts";
import {
  readHand,
  readKeeper,
  readNamed,
  readPerson,
  readRules,
  writeHand,
  writeKeeper,
  writeNamed,
  writePerson,
  writeRules,
} from "../state/state-codec.ts";

/** What it takes to do something: bits, in the clear on every event so that relays can refuse. */
export const acts = { moderate: 1, appoint: 2, direct: 4, none: 0 } as const;

/** What an authority of the room did. `petition` is the request it answers; zeros: none. */
export type RoomEvent =
  /** Somebody is on stage, with this voice. */
  | { readonly kind: "seat"; readonly person: StagePerson; readonly petition: Uint8Array }
  | { readonly kind: "unseat"; readonly identityKey: Uint8Array; readonly petition: Uint8Array }
  | { readonly kind: "hand"; readonly hand: RaisedHand }
  | { readonly kind: "lower"; readonly petition: Uint8Array }
  /** A place on stage is offered, or no longer. */
  | { readonly kind: "offer"; readonly identityKey: Uint8Array; readonly on: boolean }
  | { readonly kind: "mute"; readonly identityKey: Uint8Array; readonly by: "no" | "self" | "keeper" }
  | { readonly kind: "kick"; readonly identityKey: Uint8Array }
  /** `branch`: of the invite that dies with it; zeros: none. */
  | { readonly kind: "ban"; readonly who: Named; readonly branch: Uint8Array }
  | { readonly kind: "unban"; readonly identityKey: Uint8Array }
  | { readonly kind: "appoint"; readonly keeper: Keeper }
  | { readonly kind: "relieve"; readonly identityKey: Uint8Array }
  /** `only`: what of them is changed; without it, all. So who gives a title undoes no lock of which they have not heard. */
  | { readonly kind: "rules"; readonly rules: Rules; readonly only?: readonly (keyof Rules)[] }
  | { readonly kind: "silence"; readonly identityKey: Uint8Array; readonly on: boolean }
  /** Invites so far are over; who is in has this one from now on: the seed of its bearer, and the word for it. */
  | {
      readonly kind: "replace-link";
      readonly generation: number;
      readonly inviteSeed: Uint8Array;
      readonly chain: readonly Capability[];
    }
  | { readonly kind: "revoke"; readonly branch: Uint8Array }
  | { readonly kind: "record"; readonly who: Named; readonly on: boolean }
  /** An invite for one is used: it lets nobody in from now on, and whoever came by it comes in by their own door. */
  | {
      readonly kind: "use";
      readonly branch: Uint8Array;
      readonly identityKey: Uint8Array;
      readonly door: Uint8Array;
      readonly expires: number;
    }
  | { readonly kind: "end" }
  /** Somebody on stage is not heard of any more, or is again. */
  | { readonly kind: "away"; readonly identityKey: Uint8Array; readonly on: boolean };

/** The right that each takes. Who gives an office back needs none. */
export const rightOfEvent: Readonly<Record<RoomEvent["kind"], number>> = {
  seat: acts.moderate,
  unseat: acts.moderate,
  hand: acts.moderate,
  lower: acts.moderate,
  offer: acts.moderate,
  mute: acts.moderate,
  kick: acts.moderate,
  ban: acts.moderate,
  unban: acts.moderate,
  silence: acts.moderate,
  record: acts.moderate,
  use: acts.moderate,
  appoint: acts.appoint,
  revoke: acts.appoint,
  relieve: acts.none,
  rules: acts.direct,
  "replace-link": acts.direct,
  end: acts.direct,
  away: acts.moderate,
};

/** The number on the wire is the place in this list. */
const kinds = Object.keys(rightOfEvent) as readonly RoomEvent["kind"][];
const mutes = ["no", "self", "keeper"] as const;
const keyBytes = 32;

/** Bits of what a change of the rules is about are the places in this list. */
const rulesNames: readonly (keyof Rules)[] = ["title", "rules", "links", "access", "slowModeS", "pushToTalkOnly"];
const allRules = 2 ** rulesNames.length - 1;

function maskOf(only: readonly (keyof Rules)[] = rulesNames): number {
  return only.reduce((mask, name) => mask | (1 << rulesNames.indexOf(name)), 0);
}

/** Writes what an event says. */
export function encodeContent(writer: ByteWriter, event: RoomEvent): void {
  writer.u8(kinds.indexOf(event.kind));
  switch (event.kind) {
    case "seat":
      return writePerson(writer.bytes(event.petition), event.person);
    case "unseat":
      return void writer.bytes(event.identityKey).bytes(event.petition);
    case "hand":
      return writeHand(writer, event.hand);
    case "lower":
      return void writer.bytes(event.petition);
    case "mute":
      return void writer.bytes(event.identityKey).u8(mutes.indexOf(event.by));
    case "offer":
    case "silence":
    case "away":
      return void writer.bytes(event.identityKey).u8(event.on ? 1 : 0);
    case "kick":
    case "unban":
    case "relieve":
      return void writer.bytes(event.identityKey);
    case "ban":
      return writeNamed(writer.bytes(event.branch), event.who);
    case "appoint":
      return writeKeeper(writer, event.keeper);
    case "rules":
      return writeRules(writer.u8(maskOf(event.only)), event.rules);
    case "replace-link":
      writer.u32(event.generation).bytes(event.inviteSeed).u8(event.chain.length);
      for (const capability of event.chain) writeCapability(writer, capability);
      return undefined;
    case "revoke":
      return void writer.bytes(event.branch);
    case "record":
      return writeNamed(writer.u8(event.on ? 1 : 0), event.who);
    case "use":
      return void writer.bytes(event.branch).bytes(event.identityKey).bytes(event.door).u32(event.expires);
    case "end":
      return undefined;
    default:
      return event satisfies never;
  }
}

/** Reads what `encodeContent` wrote; undefined for anything that breaks a limit. The caller asks whether it ended. */
export function parseContent(reader: ByteReader): RoomEvent | undefined {
  const kind = kinds[reader.u8()];
  switch (kind) {
    case "seat": {
      const petition = reader.bytes(handBytes);
      const person = readPerson(reader);
      return person && { kind, person, petition };
    }
    case "unseat":
      return { kind, identityKey: reader.bytes(keyBytes), petition: reader.bytes(handBytes) };
    case "hand": {
      const hand = readHand(reader);
      return hand && { kind, hand };
    }
    case "lower":
      return { kind, petition: reader.bytes(handBytes) };
    case "mute": {
      const identityKey = reader.bytes(keyBytes);
      const by = mutes[reader.u8()];
      return by && { kind, identityKey, by };
    }
    case "offer":
    case "silence":
    case "away":
      return { kind, identityKey: reader.bytes(keyBytes), on: reader.u8() === 1 };
    case "kick":
    case "unban":
    case "relieve":
      return { kind, identityKey: reader.bytes(keyBytes) };
    case "revoke":
      return { kind, branch: reader.bytes(branchBytes) };
    case "use":
      return {
        kind,
        branch: reader.bytes(branchBytes),
        identityKey: reader.bytes(keyBytes),
        door: reader.bytes(doorBytes),
        expires: reader.u32(),
      };
    case "end":
      return { kind };
    default:
      return parseLonger(kind, reader);
  }
}

function parseLink(reader: ByteReader): RoomEvent | undefined {
  const generation = reader.u32();
  const inviteSeed = reader.bytes(keyBytes);
  const count = reader.u8();
  if (count > limits.capabilityDepthMax) return undefined;
  const chain: Capability[] = [];
  for (let index = 0; index < count; index++) {
    const capability = readCapability(reader);
    if (!capability) return undefined;
    chain.push(capability);
  }
  return { kind: "replace-link", generation, inviteSeed, chain };
}

function parseLonger(kind: RoomEvent["kind"] | undefined, reader: ByteReader): RoomEvent | undefined {
  switch (kind) {
    case "ban": {
      const branch = reader.bytes(branchBytes);
      const who = readNamed(reader);
      return who && { kind, branch, who };
    }
    case "appoint": {
      const keeper = readKeeper(reader);
      return keeper && { kind, keeper };
    }
    case "replace-link":
      return parseLink(reader);
    case "rules": {
      const mask = reader.u8();
      const rules = readRules(reader);
      if (!rules || mask === 0 || mask > allRules) return undefined;
      return mask === allRules
        ? { kind, rules }
        : { kind, rules, only: rulesNames.filter((_, bit) => mask & (1 << bit)) };
    }
    case "record": {
      const on = reader.u8() === 1;
      const who = readNamed(reader);
      return who && { kind, on, who };
    }
    default:
      return undefined;
  }
}
