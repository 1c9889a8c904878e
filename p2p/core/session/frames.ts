import type { Layer } from "../../api/engine.ts";
import type { PeerId, RoomTag } from "../../api/ids.ts";
import type { RelayAddress } from "../../api/link.ts";
import { ByteReader, ByteWriter, fromHex, toHex } from "../bytes.ts";
import { layersOnWire, plainWish, type Wish } from "../overlay/media/layers.ts";
import { challengeBytes, nonceBytes } from "../defence/puzzle.ts";
import type { Have } from "../overlay/media/ring.ts";
import { layerBit } from "../packet/format.ts";
import { readRelayAddress, writeRelayAddress } from "../room/invite/card.ts";
import { type Pass, readPass, writePass } from "../room/rights/pass.ts";
import { bundleType, mediaType, readBundle } from "./media-frames.ts";

/** Version of the frames below; a peer of another version is refused with its code. */
export const sessionVersion = 1;

/** What the dialing side wants to be: a member below, a relay below, or a sibling in the core. */
export type EdgeRole = "member" | "relay" | "core";

/** What its field holds: a parent may claim any depth. */
const hopsMax = 255;

/** Why a relay says no. The number on the wire is the place in this list. */
export const refusals = [
  "version",
  "unknown-room",
  "full",
  "only-own",
  "banned",
  "not-carrying",
  "proof",
  "protocol",
  "unknown-session",
  "locked",
  "closed",
] as const;
/** One of them. */
export type Refusal = (typeof refusals)[number];

const roles: readonly EdgeRole[] = ["member", "relay", "core"];

/** Proof that this is the host session: see room/rights/carriage.ts. Layout fixed, so that it is checked before anything is allocated. */
export interface HostProof {
  readonly sessionKey: Uint8Array;
  readonly sessionExpires: number;
  readonly sessionRank: number;
  readonly carriageSignature: Uint8Array;
  /** Session key's signature over who speaks to whom in which session. */
  readonly signature: Uint8Array;
  /** The card's own secret: shows that the host holds the card, not only an invite's hint. */
  readonly cardSecret: Uint8Array;
}

/** The first frame on a link that opens a session. */
export interface Hello {
  readonly kind: "hello";
  readonly version: number;
  readonly session: Uint8Array;
  readonly tag: RoomTag;
  readonly role: EdgeRole;
  /** Whether media is wanted now; false for a standby edge. */
  readonly feed: boolean;
  readonly wish: Wish;
  readonly have: readonly Have[];
  readonly proof: HostProof | undefined;
  /** Whether it lends, and may be given a slot that is kept for those who do. */
  readonly lends?: boolean;
  /** By which of the room's doors a member comes in; `helloDoorsMax` at most. */
  readonly doors?: readonly DoorProof[];
  /** For the first of them. */
  readonly pass?: Pass | undefined;
}

/** The key of a door, and its signature for this conversation alone. */
export interface DoorProof {
  readonly key: Uint8Array;
  readonly signature: Uint8Array;
}

/** A sign of life where there is nothing else to send. */
export interface Tick {
  readonly kind: "tick";
  /** The sender will be heard again within this time, ms; 0: it does not say. */
  readonly nextMs: number;
  /** Nothing comes from above here: whoever hangs below waits. */
  readonly stalled: boolean;
  /** Media passes here. */
  readonly passing: boolean;
}

/** Everything that crosses a link. Layouts: SPEC.md, "Frames". */
export type Frame =
  | Hello
  | { readonly kind: "welcome"; readonly session: Uint8Array; readonly time: number; readonly hops: number }
  | {
      readonly kind: "refuse";
      readonly session: Uint8Array;
      readonly time: number;
      readonly reason: Refusal;
      readonly alternatives: readonly RelayAddress[];
    }
  | { readonly kind: "attach" | "attached"; readonly session: Uint8Array }
  | { readonly kind: "media"; readonly hops: number; readonly packet: Uint8Array }
  | { readonly kind: "bundle"; readonly hops: number; readonly packets: readonly Uint8Array[] }
  | {
      /** Asks for single packets of one voice that are missing. */
      readonly kind: "request";
      readonly voiceId: number;
      readonly layer: Layer;
      readonly sequences: readonly number[];
    }
  | { readonly kind: "fragment"; readonly sequence: number; readonly last: boolean; readonly bytes: Uint8Array }
  | { readonly kind: "ack"; readonly next: number }
  /** Answers a hello while too many come: to be solved first. See `core/defence`. */
  | { readonly kind: "puzzle"; readonly challenge: Uint8Array; readonly bits: number }
  | { readonly kind: "solution"; readonly nonce: Uint8Array }
  | Tick
  | {
      /** Asks a backup to feed us while our parent is silent, or no more; with what we have, the hole is replayed. */
      readonly kind: "cover";
      readonly on: boolean;
      readonly wish: Wish;
      readonly have: readonly Have[];
    }
  | { readonly kind: "bye" };

const types = {
  hello: 1,
  welcome: 2,
  refuse: 3,
  attach: 4,
  attached: 5,
  media: mediaType,
  fragment: 7,
  ack: 8,
  tick: 9,
  bye: 10,
  bundle: bundleType,
  puzzle: 15,
  solution: 16,
  cover: 12,
  request: 13,
} as const;

/** The first byte of a hello. */
export const helloType = types.hello;

const lendsFlag = 128;
/** Doors follow. */
const doorsFlag = 64;
/** By the own door, as somebody who was inside, and by the invite: whichever opens by the relay's view. */
export const helloDoorsMax = 2;
/** Beside the number of doors: a pass follows. */
const passFlag = 128;
/** Packets in one request: more in a row is an outage, for the backup to cover. */
const requestSequencesMax = 32;
/** Promises of a tick are told in these, so that one byte holds 5 s. */
const tickUnitMs = 20;
const idBytes = 16;
/** Voices whose last packet a child may name: the stage. */
export const haveMax = 32;
/** Relays named in a refusal: what fits into one frame. */
export const alternativesMax = 3;

/** Encodes a frame. Our own frames always fit: anything else is a bug. */
export function encodeFrame(frame: Frame): Uint8Array {
  const writer = new ByteWriter();
  writer.u8(types[frame.kind]);
  switch (frame.kind) {
    case "hello":
      writeHello(writer, frame);
      break;
    case "welcome":
      writer.bytes(frame.session).u48(Math.floor(frame.time)).u8(Math.min(hopsMax, frame.hops));
      break;
    case "refuse":
      writer.bytes(frame.session).u48(Math.floor(frame.time)).u8(refusals.indexOf(frame.reason));
      writeAlternatives(writer, frame.alternatives);
      break;
    case "attach":
    case "attached":
      writer.bytes(frame.session);
      break;
    case "media":
      writer.u8(frame.hops).bytes(frame.packet);
      break;
    case "bundle":
      writer.u8(frame.hops);
      for (const packet of frame.packets) writer.sized16(packet);
      break;
    case "request":
      writer.u32(frame.voiceId).u8(layerBit(frame.layer)).u8(frame.sequences.length);
      for (const sequence of frame.sequences) writer.u32(sequence);
      break;
    case "fragment":
      writer
        .u32(frame.sequence)
        .u8(frame.last ? 1 : 0)
        .bytes(frame.bytes);
      break;
    case "ack":
      writer.u32(frame.next);
      break;
    case "puzzle":
      writer.bytes(frame.challenge).u8(frame.bits);
      break;
    case "solution":
      writer.bytes(frame.nonce);
      break;
    case "tick":
      writer.u8(Math.min(255, Math.ceil(frame.nextMs / tickUnitMs)));
      writer.u8((frame.stalled ? 1 : 0) | (frame.passing ? 2 : 0));
      break;
    case "cover":
      writer.u8((frame.on ? 1 : 0) | wishBits(frame.wish));
      writeHave(writer, frame.have);
      break;
    case "bye":
      break;
    default:
      frame satisfies never;
  }
  return writer.finish();
}

const passing: ReadonlySet<Frame["kind"]> = new Set(["media", "bundle", "tick", "ack", "request"]);

/** Whether it is one of those that come all the time and change nothing of who is whose neighbour. */
export function isPassing({ kind }: Frame): boolean {
  return passing.has(kind);
}

/** Reads a frame; undefined for anything that does not parse to the last byte. */
export function parseFrame(bytes: Uint8Array): Frame | undefined {
  // Most of what comes is media, and it is not copied: the message belongs to whoever reads it.
  if (bytes[0] === mediaType && bytes.length > 1) {
    return { kind: "media", hops: bytes[1] ?? 0, packet: bytes.subarray(2) };
  }
  if (bytes[0] === bundleType && bytes.length > 1) {
    const packets = readBundle(bytes.subarray(2));
    return packets && { kind: "bundle", hops: bytes[1] ?? 0, packets };
  }
  const reader = new ByteReader(bytes);
  const frame = readBody(reader.u8(), reader);
  return frame !== undefined && reader.ended ? frame : undefined;
}

function readBody(type: number, reader: ByteReader): Frame | undefined {
  switch (type) {
    case types.hello:
      return readHello(reader);
    case types.welcome:
      return { kind: "welcome", session: reader.bytes(idBytes), time: reader.u48(), hops: reader.u8() };
    case types.refuse:
      return readRefuse(reader);
    case types.attach:
      return { kind: "attach", session: reader.bytes(idBytes) };
    case types.attached:
      return { kind: "attached", session: reader.bytes(idBytes) };
    case types.request:
      return readRequest(reader);
    case types.fragment:
      return {
        kind: "fragment",
        sequence: reader.u32(),
        last: reader.u8() === 1,
        bytes: reader.bytes(reader.remaining),
      };
    case types.ack:
      return { kind: "ack", next: reader.u32() };
    case types.tick:
      return readTick(reader);
    case types.cover:
      return readCover(reader);
    case types.bye:
      return { kind: "bye" };
    case types.puzzle:
      return { kind: "puzzle", challenge: reader.bytes(challengeBytes), bits: reader.u8() };
    case types.solution:
      return { kind: "solution", nonce: reader.bytes(nonceBytes) };
    default:
      return undefined;
  }
}

function readRequest(reader: ByteReader): Frame | undefined {
  const voiceId = reader.u32();
  const layer = (["normal", "low"] as const)[reader.u8()];
  const count = reader.u8();
  if (layer === undefined || count === 0 || count > requestSequencesMax) return undefined;
  const sequences: number[] = [];
  for (let index = 0; index < count; index++) sequences.push(reader.u32());
  return { kind: "request", voiceId, layer, sequences };
}

function readTick(reader: ByteReader): Frame | undefined {
  const nextMs = reader.u8() * tickUnitMs;
  const flags = reader.u8();
  return flags > 3 ? undefined : { kind: "tick", nextMs, stalled: (flags & 1) !== 0, passing: (flags & 2) !== 0 };
}

function readCover(reader: ByteReader): Frame | undefined {
  const bits = reader.u8();
  const wish = wishOf(bits);
  const have = readHave(reader);
  return (bits & 2) !== 0 ? undefined : wish && have && { kind: "cover", on: (bits & 1) !== 0, wish, have };
}

function writeHello(writer: ByteWriter, hello: Hello): void {
  writer.u8(hello.version).bytes(hello.session).bytes(fromHex(hello.tag));
  writer.u8(roles.indexOf(hello.role));
  const doors = hello.doors ?? [];
  const flags = (hello.lends === true ? lendsFlag : 0) | (doors.length > 0 ? doorsFlag : 0);
  writer.u8((hello.feed ? 1 : 0) | (hello.proof ? 2 : 0) | wishBits(hello.wish) | flags);
  writeHave(writer, hello.have);
  if (doors.length > 0) writer.u8(doors.length | (hello.pass ? passFlag : 0));
  for (const { key, signature } of doors) writer.bytes(key).bytes(signature);
  if (doors.length > 0 && hello.pass) writePass(writer, hello.pass);
  if (hello.proof) writeProof(writer, hello.proof);
}

/** Writes a proof; shared with the paper of an heir. */
export function writeProof(writer: ByteWriter, proof: HostProof): void {
  writer.bytes(proof.sessionKey).u32(proof.sessionExpires).u8(proof.sessionRank).bytes(proof.carriageSignature);
  writer.bytes(proof.signature).bytes(proof.cardSecret);
}

function readHello(reader: ByteReader): Hello | undefined {
  const version = reader.u8();
  const session = reader.bytes(idBytes);
  // Only the session id of a hello from another version is read: enough to refuse it by name.
  if (version !== sessionVersion) {
    reader.bytes(reader.remaining);
    return {
      kind: "hello",
      version,
      session,
      tag: "" as RoomTag,
      role: "member",
      feed: false,
      wish: plainWish,
      have: [],
      proof: undefined,
    };
  }
  const tag = toHex(reader.bytes(32)) as RoomTag;
  const role = roles[reader.u8()];
  const flags = reader.u8();
  const have = readHave(reader);
  const wish = wishOf(flags & ~(lendsFlag | doorsFlag));
  const shown = (flags & doorsFlag) === 0 ? noDoors : readDoors(reader);
  if (shown === undefined || role === undefined || have === undefined || wish === undefined) return undefined;
  const proof = (flags & 2) === 0 ? undefined : readProof(reader);
  const hello: Hello = { kind: "hello", version, session, tag, role, feed: (flags & 1) === 1, wish, have, proof };
  const lends = (flags & lendsFlag) === 0 ? {} : { lends: true };
  return { ...hello, ...lends, ...shown };
}

type ShownDoors = Pick<Hello, "doors" | "pass">;
const noDoors: ShownDoors = {};

function readDoors(reader: ByteReader): ShownDoors | undefined {
  const bits = reader.u8();
  const count = bits & ~passFlag;
  if (count < 1 || count > helloDoorsMax) return undefined;
  const doors = Array.from({ length: count }, () => ({ key: reader.bytes(32), signature: reader.bytes(64) }));
  return (bits & passFlag) === 0 ? { doors } : { doors, pass: readPass(reader) };
}

/** Reads what `writeProof` wrote. */
export function readProof(reader: ByteReader): HostProof {
  return {
    sessionKey: reader.bytes(32),
    sessionExpires: reader.u32(),
    sessionRank: reader.u8(),
    carriageSignature: reader.bytes(64),
    signature: reader.bytes(64),
    cardSecret: reader.bytes(16),
  };
}

function readRefuse(reader: ByteReader): Frame | undefined {
  const session = reader.bytes(idBytes);
  const time = reader.u48();
  const reason = refusals[reader.u8()];
  const alternatives = readAlternatives(reader);
  return reason && alternatives && { kind: "refuse", session, time, reason, alternatives };
}

/** A wish in the four bits above the two lowest; shared with the feed paper. */
export function wishBits({ layers, prompt, lossy }: Wish): number {
  return (layersOnWire.indexOf(layers) << 2) | (prompt ? 16 : 0) | (lossy ? 32 : 0);
}

/** What `wishBits` wrote; undefined for what means nothing. */
export function wishOf(bits: number): Wish | undefined {
  const layers = layersOnWire[(bits >> 2) & 3];
  if (layers === undefined || bits > 63) return undefined;
  return { layers, prompt: (bits & 16) !== 0, lossy: (bits & 32) !== 0 };
}

/** Writes relays to try instead. */
export function writeAlternatives(writer: ByteWriter, alternatives: readonly RelayAddress[]): void {
  writer.u8(alternatives.length);
  for (const relay of alternatives) writeRelayAddress(writer, relay);
}

/** Reads what `writeAlternatives` wrote; undefined when it breaks a limit. */
export function readAlternatives(reader: ByteReader): RelayAddress[] | undefined {
  const count = reader.u8();
  if (count > alternativesMax) return undefined;
  const alternatives: RelayAddress[] = [];
  for (let index = 0; index < count; index++) {
    const relay = readRelayAddress(reader);
    if (relay === undefined) return undefined;
    alternatives.push(relay);
  }
  return alternatives;
}

/** Writes the last packet of each voice; shared with the feed message. */
export function writeHave(writer: ByteWriter, have: readonly Have[]): void {
  const some = have.slice(0, haveMax);
  writer.u8(some.length);
  for (const entry of some) writer.u32(entry.voice).u32(entry.sequence);
}

/** Reads what `writeHave` wrote; undefined when it names more voices than a stage holds. */
export function readHave(reader: ByteReader): Have[] | undefined {
  const count = reader.u8();
  if (count > haveMax) return undefined;
  const have: Have[] = [];
  for (let index = 0; index < count; index++) have.push({ voice: reader.u32(), sequence: reader.u32() });
  return reader.failed ? undefined : have;
}

/** A relay's identity from its address. */
export function peerOf(address: RelayAddress): PeerId {
  return toHex(address.key) as PeerId;
}
