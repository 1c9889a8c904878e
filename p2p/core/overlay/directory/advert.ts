import type { PeerId } from "../../../api/ids.ts";
import type { RelayAddress } from "../../../api/link.ts";
import type { ByteReader, ByteWriter } from "../../bytes.ts";
import { readRelayAddress, writeRelayAddress } from "../../room/invite/card.ts";
import { peerOf } from "../../session/frames.ts";
import { type Coordinate, readCoordinate, writeCoordinate } from "../place/coordinate.ts";
import { depthMax, readShortId, type ShortId, writeShortId } from "../place/path.ts";

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

/** What is new of an advert that the neighbour knows: a third of its bytes. */
export interface AdvertNews extends AdvertState {
  readonly id: ShortId;
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

/** Writes what is new. */
export function writeAdvertNews(writer: ByteWriter, news: AdvertNews): void {
  writeShortId(writer, news.id);
  writeState(writer, news);
}

/** Reads what is new; undefined when it breaks a limit. Underrun: see `ByteReader`. */
export function readAdvertNews(reader: ByteReader): AdvertNews | undefined {
  const id = readShortId(reader);
  const state = readState(reader);
  return state && { id, ...state };
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
