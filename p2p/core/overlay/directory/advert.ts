import type { PeerId } from "../../../api/ids.ts";
import type { RelayAddress } from "../../../api/link.ts";
import type { ByteReader, ByteWriter } from "../../bytes.ts";
import { readRelayAddress, writeRelayAddress } from "../../room/invite/card.ts";
import { peerOf } from "../../session/frames.ts";
import { type Coordinate, readCoordinate, stepBetween, writeCoordinate } from "../place/coordinate.ts";
import { depthMax, readShortId, type ShortId, shortIdOf, writeShortId } from "../place/path.ts";

/** Root delay of somebody who hangs below nobody. */
export const noWayMs = 0xffff;
/** The longest address an advert carries, so that ten fit into one frame. */
const advertAddressBytesMax = 64;

/** What somebody who lends says of itself and changes ([OV19]). */
export interface AdvertState {
  /** Ms that a packet takes from the core to it, as it reckons; `noWayMs` without a parent. */
  readonly rootDelayMs: number;
  readonly coordinate: Coordinate;
  /** Slots that anybody may take. */
  readonly free: number;
  /** Children who lend nothing: they make room for somebody who lends. */
  readonly leaves: number;
  /** Links from the core. */
  readonly depth: number;
  /** Whom it hangs below: whoever hangs there too shares its fate. */
  readonly parent: ShortId;
  /** Counts what it said; the newest holds. */
  readonly version: number;
}

/** All of it, so that others can hang below it. */
export interface Advert extends AdvertState {
  readonly peer: PeerId;
  /** How it is dialed; one address only. */
  readonly address: RelayAddress;
}

/**
 * What is new of an advert that the neighbour knows: that it was said again, and of the rest only what changed. A tenth of the
 * bytes of all of it, where nothing did.
 */
export interface AdvertNews extends Partial<Omit<AdvertState, "version">> {
  readonly id: ShortId;
  /** The last 8 bits of the version: of two that are nearer than 128, they tell which is newer. */
  readonly versionLow: number;
}

/** Smaller changes of a neighbour's guess than these are told with the next greater one, ms. */
const rootDelayStepMs = 3;
const coordinateStepMs = 6;

/** What changed of an advert since the neighbour was told of it. */
export function newsOf(advert: Advert, told: Advert): AdvertNews {
  const { rootDelayMs, coordinate, free, leaves, depth, parent } = advert;
  return {
    id: shortIdOf(advert.peer),
    versionLow: advert.version & 0xff,
    ...(Math.abs(rootDelayMs - told.rootDelayMs) >= rootDelayStepMs && { rootDelayMs }),
    ...(stepBetween(coordinate, told.coordinate) >= coordinateStepMs && { coordinate }),
    ...((free !== told.free || leaves !== told.leaves) && { free, leaves }),
    ...((depth !== told.depth || parent !== told.parent) && { depth, parent }),
  };
}

/** The advert that news are of, as it is now. */
export function renewed(known: Advert, news: AdvertNews): Advert {
  const {
    rootDelayMs = known.rootDelayMs,
    coordinate = known.coordinate,
    free = known.free,
    leaves = known.leaves,
  } = news;
  const { depth = known.depth, parent = known.parent } = news;
  const version = (known.version + ((news.versionLow - known.version) & 0xff)) >>> 0;
  return { ...known, rootDelayMs, coordinate, free, leaves, depth, parent, version };
}

/** The address as adverts carry it, or undefined for one that is too long for them. */
export function advertised(address: RelayAddress): RelayAddress | undefined {
  const short = address.addresses.find((each) => each.length <= advertAddressBytesMax);
  return short && { ...address, addresses: [short] };
}

/** Writes an advert. */
export function writeAdvert(writer: ByteWriter, advert: Advert): void {
  writeRelayAddress(writer, advert.address);
  writeState(writer, advert);
}

/** Reads an advert; undefined when it breaks a limit. Underrun: see `ByteReader`. */
export function readAdvert(reader: ByteReader): Advert | undefined {
  const address = readRelayAddress(reader);
  const state = readState(reader);
  const one = address?.addresses[0];
  if (!address || !one || address.addresses.length > 1 || one.length > advertAddressBytesMax) return undefined;
  return state && { peer: peerOf(address), address, ...state };
}

/** Which parts news hold. */
const parts = { rootDelay: 1, coordinate: 2, room: 4, place: 8 } as const;

/** Writes what is new. */
export function writeAdvertNews(writer: ByteWriter, news: AdvertNews): void {
  const { id, versionLow, rootDelayMs, coordinate, free, leaves, depth, parent } = news;
  const hasRoom = free !== undefined && leaves !== undefined;
  const hasPlace = depth !== undefined && parent !== undefined;
  writeShortId(writer, id);
  writer.u8(versionLow);
  writer.u8(
    (rootDelayMs === undefined ? 0 : parts.rootDelay) |
      (coordinate ? parts.coordinate : 0) |
      (hasRoom ? parts.room : 0) |
      (hasPlace ? parts.place : 0),
  );
  if (rootDelayMs !== undefined) writer.u16(atMost(rootDelayMs, noWayMs));
  if (coordinate) writeCoordinate(writer, coordinate);
  if (hasRoom) writer.u16(atMost(free, 0xffff)).u16(atMost(leaves, 0xffff));
  if (!hasPlace) return;
  writer.u8(atMost(depth, 0xff));
  writeShortId(writer, parent);
}

/** Reads what is new; undefined when it breaks a limit. Underrun: see `ByteReader`. */
export function readAdvertNews(reader: ByteReader): AdvertNews | undefined {
  const id = readShortId(reader);
  const versionLow = reader.u8();
  const held = reader.u8();
  if (held > 15) return undefined;
  const has = (part: number): boolean => (held & part) !== 0;
  const news = {
    id,
    versionLow,
    ...(has(parts.rootDelay) && { rootDelayMs: reader.u16() }),
    ...(has(parts.coordinate) && { coordinate: readCoordinate(reader) }),
    ...(has(parts.room) && { free: reader.u16(), leaves: reader.u16() }),
    ...(has(parts.place) && { depth: reader.u8(), parent: readShortId(reader) }),
  };
  return "depth" in news && news.depth > depthMax ? undefined : news;
}

function writeState(writer: ByteWriter, state: AdvertState): void {
  writer.u16(atMost(state.rootDelayMs, noWayMs));
  writeCoordinate(writer, state.coordinate);
  writer.u16(atMost(state.free, 0xffff)).u16(atMost(state.leaves, 0xffff)).u8(atMost(state.depth, 0xff));
  writeShortId(writer, state.parent);
  writer.u32(state.version);
}

function readState(reader: ByteReader): AdvertState | undefined {
  const rootDelayMs = reader.u16();
  const coordinate = readCoordinate(reader);
  const [free, leaves, depth] = [reader.u16(), reader.u16(), reader.u8()];
  const parent = readShortId(reader);
  const version = reader.u32();
  return depth > depthMax ? undefined : { rootDelayMs, coordinate, free, leaves, depth, parent, version };
}

function atMost(value: number, most: number): number {
  return Math.min(most, Math.max(0, Math.round(value)));
}
