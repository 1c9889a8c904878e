import { limits } from "../../../api/limits.ts";
import type { RelayAddress } from "../../../api/link.ts";
import { enrolmentBytesMax, enrolmentIdBytes, grantBytesMax } from "../../room/epoch/enrolment.ts";
import { noteBytesMax } from "../../room/asking/note.ts";
import { ByteReader, ByteWriter } from "../../bytes.ts";
import { eventBytesMax } from "../../room/chain/chain.ts";
import {
  type HostProof,
  readAlternatives,
  readHave,
  readProof,
  wishBits,
  wishOf,
  writeAlternatives,
  writeHave,
  writeProof,
} from "../../session/frames.ts";
import type { Wish } from "../media/layers.ts";
import { type PlacePaper, placeTypes, readPlacePaper, writePlacePaper } from "../directory/place-papers.ts";
import type { Have } from "../media/ring.ts";

/** How many take part, as far as one side of an edge knows: below it on the way up, in the whole room on the way down. */
export interface Census {
  readonly listeners: number;
  readonly relays: number;
  /** Listeners of them who lose more than one packet in a hundred for good, and who are sent the low layer for want of room. */
  readonly lossy: number;
  readonly narrow: number;
  /** Slots that who lends has for anybody. */
  readonly free: number;
  /** Whether somebody who may act for the room is connected to it. */
  readonly kept: boolean;
  /** Between relays only: who has room. */
  readonly room: readonly RelayRoom[];
}

/** What one relay said last of its free slots. */
export interface RelayRoom {
  /** The relay's place in the view. */
  readonly rank: number;
  readonly slots: number;
  /** Counts what it said; the newest counts, whichever way it came. */
  readonly version: number;
}

/** A petition is a hand, not a letter: this much is enough for a name and a capability chain. */
export const petitionBytesMax = 1024;
/** Of an Ed25519 key. */
const seedBytes = 32;

/** What neighbours tell each other on the reliable lane. Layouts: SPEC.md, "Papers". */
export type Paper =
  /** The encoded relay view, whole. */
  | { readonly kind: "view"; readonly bytes: Uint8Array }
  /** The room's sealed state, whole, signed by the host session. */
  | { readonly kind: "state"; readonly bytes: Uint8Array }
  /** A member's sealed petition, on its way to an authority. */
  | { readonly kind: "petition"; readonly bytes: Uint8Array }
  /** Something typed to the room, sealed. */
  | { readonly kind: "note"; readonly bytes: Uint8Array }
  /** What somebody in charge did: a link of their chain, signed, what it says sealed. */
  | { readonly kind: "act"; readonly bytes: Uint8Array }
  /** Somebody below may speak for the room: what is for whoever acts goes to them too. */
  | { readonly kind: "office"; readonly proof: HostProof }
  /** What the acting authority says of the room's keys, signed by it. */
  | { readonly kind: "keys"; readonly bytes: Uint8Array }
  /** A member's sealed wish for keys, on its way to the authority. */
  | { readonly kind: "enrol"; readonly bytes: Uint8Array }
  /** The sealed answer, on its way back. */
  | { readonly kind: "grant"; readonly bytes: Uint8Array }
  /** Voice keys that were let go, as seeds: everybody may sign by them. */
  | { readonly kind: "retired"; readonly seeds: readonly Uint8Array[] }
  | { readonly kind: "census"; readonly census: Census }
  /**
   * Asks the parent for media, or to stop it; with the last packets we have, so that the hole is replayed. `quiet`: no
   * media, and no more ticks than must be.
   */
  | {
      readonly kind: "feed";
      readonly on: boolean;
      readonly quiet: boolean;
      readonly wish: Wish;
      readonly have: readonly Have[];
    }
  /** The answer to `feed` when there is no slot, with relays that have one. */
  | { readonly kind: "no-feed"; readonly alternatives: readonly RelayAddress[] }
  /** The other answer: how many packets of the hole were sent again. */
  | { readonly kind: "replayed"; readonly packets: number }
  | PlacePaper;

const types = {
  view: 1,
  state: 2,
  petition: 3,
  census: 4,
  feed: 5,
  "no-feed": 6,
  replayed: 7,
  note: 8,
  act: 24,
  office: 25,
  keys: 20,
  enrol: 21,
  grant: 22,
  retired: 26,
  ...placeTypes,
} as const;

/** Encodes a paper; the lane carries it whole. */
export function encodePaper(paper: Paper): Uint8Array {
  const writer = new ByteWriter().u8(types[paper.kind]);
  switch (paper.kind) {
    case "view":
    case "state":
    case "petition":
    case "note":
    case "act":
    case "keys":
    case "enrol":
    case "grant":
      writer.bytes(paper.bytes);
      break;
    case "office":
      writeProof(writer, paper.proof);
      break;
    case "retired":
      writer.u8(paper.seeds.length);
      for (const seed of paper.seeds) writer.bytes(seed);
      break;
    case "census":
      writeCensus(writer, paper.census);
      break;
    case "feed":
      writer.u8((paper.on ? 1 : paper.quiet ? 2 : 0) | wishBits(paper.wish));
      writeHave(writer, paper.have);
      break;
    case "no-feed":
      writeAlternatives(writer, paper.alternatives);
      break;
    case "replayed":
      writer.u16(paper.packets);
      break;
    default:
      writePlacePaper(writer, paper);
  }
  return writer.finish();
}

/** Reads a paper; undefined for anything that does not parse to the last byte. */
export function parsePaper(bytes: Uint8Array): Paper | undefined {
  const reader = new ByteReader(bytes);
  const paper = readBody(reader.u8(), reader);
  return paper !== undefined && reader.ended ? paper : undefined;
}

function readBody(type: number, reader: ByteReader): Paper | undefined {
  switch (type) {
    case types.view:
      return { kind: "view", bytes: reader.bytes(reader.remaining) };
    case types.state:
      return { kind: "state", bytes: reader.bytes(reader.remaining) };
    case types.petition:
      return reader.remaining > petitionBytesMax
        ? undefined
        : { kind: "petition", bytes: reader.bytes(reader.remaining) };
    case types.note:
      return reader.remaining > noteBytesMax ? undefined : { kind: "note", bytes: reader.bytes(reader.remaining) };
    case types.act:
      return reader.remaining > eventBytesMax ? undefined : { kind: "act", bytes: reader.bytes(reader.remaining) };
    case types.office:
      return { kind: "office", proof: readProof(reader) };
    case types.keys:
      return { kind: "keys", bytes: reader.bytes(reader.remaining) };
    case types.enrol:
      return readSized("enrol", reader, enrolmentBytesMax);
    case types.grant:
      return readSized("grant", reader, grantBytesMax);
    case types.retired:
      return readRetired(reader);
    case types.census:
      return readCensus(reader);
    case types.feed: {
      const bits = reader.u8();
      const wish = wishOf(bits);
      const have = readHave(reader);
      if ((bits & 3) === 3 || !wish || !have) return undefined;
      return { kind: "feed", on: (bits & 1) !== 0, quiet: (bits & 2) !== 0, wish, have };
    }
    case types["no-feed"]:
      return readNoFeed(reader);
    case types.replayed:
      return { kind: "replayed", packets: reader.u16() };
    default:
      return readPlacePaper(type, reader);
  }
}

/** Behind its id, within its limit. */
function readSized(kind: "enrol" | "grant", reader: ByteReader, bytesMax: number): Paper | undefined {
  const { remaining } = reader;
  return remaining <= enrolmentIdBytes || remaining > bytesMax ? undefined : { kind, bytes: reader.bytes(remaining) };
}

function readRetired(reader: ByteReader): Paper | undefined {
  const count = reader.u8();
  if (count === 0 || count > limits.retiredVoicesMax) return undefined;
  return { kind: "retired", seeds: Array.from({ length: count }, () => reader.bytes(seedBytes)) };
}

function writeCensus(writer: ByteWriter, census: Census): void {
  writer
    .u32(census.listeners)
    .u32(census.relays)
    .u32(census.lossy)
    .u32(census.narrow)
    .u32(census.free)
    .u8(census.kept ? 1 : 0)
    .u8(census.room.length);
  for (const entry of census.room) writer.u8(entry.rank).u16(entry.slots).u32(entry.version);
}

function readCensus(reader: ByteReader): Paper | undefined {
  const counts = {
    listeners: reader.u32(),
    relays: reader.u32(),
    lossy: reader.u32(),
    narrow: reader.u32(),
    free: reader.u32(),
  };
  const kept = reader.u8();
  const count = reader.u8();
  if (count > limits.relaysMax || kept > 1) return undefined;
  const room: RelayRoom[] = [];
  for (let index = 0; index < count; index++) {
    room.push({ rank: reader.u8(), slots: reader.u16(), version: reader.u32() });
  }
  return { kind: "census", census: { ...counts, kept: kept === 1, room } };
}

function readNoFeed(reader: ByteReader): Paper | undefined {
  const alternatives = readAlternatives(reader);
  return alternatives && { kind: "no-feed", alternatives };
}
