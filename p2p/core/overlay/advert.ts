import type { PeerId } from "../../api/ids.ts";
import type { RelayAddress } from "../../api/link.ts";
import type { ByteReader, ByteWriter } from "../bytes.ts";
import { readRelayAddress, writeRelayAddress } from "../room/card.ts";
import { peerOf } from "../session/frames.ts";
import { type Coordinate, readCoordinate, writeCoordinate } from "./coordinate.ts";
import { depthMax, readShortId, type ShortId, writeShortId } from "./path.ts";

/** Root delay of somebody who hangs below nobody. */
export const noWayMs = 0xffff;
/** The longest address an advert carries, so that ten fit into one frame. */
const advertAddressBytesMax = 64;

/** What somebody who lends says of itself, so that others can hang below it ([OV19]). */
export interface Advert {
  readonly peer: PeerId;
  /** How it is dialed; one address only. */
  readonly address: RelayAddress;
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
  /** Seconds that it has been in the room. */
  readonly ageSeconds: number;
  /** Counts what it said; the newest holds. */
  readonly version: number;
}

/** The address as adverts carry it, or undefined for one that is too long for them. */
export function advertised(address: RelayAddress): RelayAddress | undefined {
  const short = address.addresses.find((each) => each.length <= advertAddressBytesMax);
  return short && { ...address, addresses: [short] };
}

/** Writes an advert. */
export function writeAdvert(writer: ByteWriter, advert: Advert): void {
  writeRelayAddress(writer, advert.address);
  writer.u16(atMost(advert.rootDelayMs, noWayMs));
  writeCoordinate(writer, advert.coordinate);
  writer.u16(atMost(advert.free, 0xffff)).u16(atMost(advert.leaves, 0xffff)).u8(atMost(advert.depth, 0xff));
  writeShortId(writer, advert.parent);
  writer.u16(atMost(advert.ageSeconds, 0xffff)).u32(advert.version);
}

/** Reads an advert; undefined when it breaks a limit. Underrun: see `ByteReader`. */
export function readAdvert(reader: ByteReader): Advert | undefined {
  const address = readRelayAddress(reader);
  const rootDelayMs = reader.u16();
  const coordinate = readCoordinate(reader);
  const [free, leaves, depth] = [reader.u16(), reader.u16(), reader.u8()];
  const parent = readShortId(reader);
  const [ageSeconds, version] = [reader.u16(), reader.u32()];
  const one = address?.addresses[0];
  if (!address || !one || address.addresses.length > 1 || one.length > advertAddressBytesMax) return undefined;
  if (depth > depthMax) return undefined;
  return {
    peer: peerOf(address),
    address,
    rootDelayMs,
    coordinate,
    free,
    leaves,
    depth,
    parent,
    ageSeconds,
    version,
  };
}

function atMost(value: number, most: number): number {
  return Math.min(most, Math.max(0, Math.round(value)));
}
