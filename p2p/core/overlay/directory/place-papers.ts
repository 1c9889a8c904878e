import type { PeerId } from "../../../api/ids.ts";
import { type ByteReader, type ByteWriter, fromHex, toHex } from "../../bytes.ts";
import { type Advert, type AdvertNews, readAdvert, readAdvertNews, writeAdvert, writeAdvertNews } from "./advert.ts";
import { type Coordinate, readCoordinate, writeCoordinate } from "../place/coordinate.ts";
import { type Path, readPath, readShortId, type ShortId, writePath, writeShortId } from "../place/path.ts";

/** Adverts in one paper: a frame. */
export const advertsMax = 8;
/** And those of which only what is new is said: another. */
export const newsMax = 32;
/** Short ids of those who are gone, in one paper. */
export const goneMax = 32;
/** Places that an answer offers; the joiner dials two of them at most. */
export const offersMax = 3;
/** Those that a question asks not to be offered again. */
export const avoidedMax = 4;
/** Whatever a place costs. */
export const anyMs = 0xffff;

/** What neighbours tell each other so that everybody finds a place. Layouts: SPEC.md, "Papers". */
export type PlacePaper =
  /** A child tells where it is, and its advert when it lends. */
  | {
      readonly kind: "about";
      readonly coordinate: Coordinate;
      /** What papers of the room it holds, as `Notices.mark` says. */
      readonly holds: number;
      readonly advert: Advert | undefined;
    }
  /** Who lends, on the way up and across the core; and who does no more. */
  | {
      readonly kind: "adverts";
      readonly adverts: readonly Advert[];
      readonly news: readonly AdvertNews[];
      readonly gone: readonly ShortId[];
    }
  /** A parent tells how far it is from the core, and by whom. */
  | {
      readonly kind: "standing";
      readonly rootDelayMs: number;
      readonly coordinate: Coordinate;
      readonly path: Path;
    }
  | ({ readonly kind: "place" } & PlaceRequest)
  | { readonly kind: "offers"; readonly id: number; readonly adverts: readonly Advert[] }
  /** A parent asks a child who lends nothing to hang below this one instead, which expects it. */
  | { readonly kind: "hand-off"; readonly advert: Advert }
  /** A parent tells a child who lends that this peer is about to come, with its word for it. */
  | { readonly kind: "expect"; readonly peer: PeerId }
  /** Who is in reserve says below whom it hangs, with whom it would come; and is told whether a slot is kept for it. */
  | { readonly kind: "reserve"; readonly parent: ShortId }
  | { readonly kind: "promise"; readonly kept: boolean };

/** What somebody who looks for a place says of itself. */
export interface PlaceRequest {
  /** Names the answer. */
  readonly id: number;
  /** Times it was passed on. */
  readonly passed: number;
  readonly self: ShortId;
  readonly coordinate: Coordinate;
  /** Whether it lends, and so may take the place of somebody who does not. */
  readonly lends: boolean;
  /** A parent, or only a second one: then not one that shares the fate of the first. */
  readonly purpose: "parent" | "backup";
  /** Whom it hangs below now. */
  readonly parent: ShortId;
  /** Only what costs less is worth an answer: root delay and way, ms; `anyMs` for whatever there is. */
  readonly belowMs: number;
  /** Who was offered lately and could not be dialed; at most `avoidedMax`. */
  readonly avoids: readonly ShortId[];
}

/** Their numbers on the wire. */
export const placeTypes = {
  about: 9,
  adverts: 10,
  standing: 11,
  place: 12,
  offers: 13,
  "hand-off": 14,
  expect: 15,
  reserve: 16,
  promise: 17,
} as const;

/** Writes one, after its number. */
export function writePlacePaper(writer: ByteWriter, paper: PlacePaper): void {
  switch (paper.kind) {
    case "about":
      writeCoordinate(writer, paper.coordinate);
      writer.u32(paper.holds).u8(paper.advert ? 1 : 0);
      if (paper.advert) writeAdvert(writer, paper.advert);
      break;
    case "adverts":
      writer.u8(paper.adverts.length);
      for (const advert of paper.adverts) writeAdvert(writer, advert);
      writer.u8(paper.news.length);
      for (const news of paper.news) writeAdvertNews(writer, news);
      writer.u8(paper.gone.length);
      for (const id of paper.gone) writeShortId(writer, id);
      break;
    case "standing":
      writer.u16(Math.min(0xffff, Math.max(0, Math.round(paper.rootDelayMs))));
      writeCoordinate(writer, paper.coordinate);
      writePath(writer, paper.path);
      break;
    case "place":
      writer.u32(paper.id).u8(paper.passed);
      writeShortId(writer, paper.self);
      writeCoordinate(writer, paper.coordinate);
      writer.u8((paper.lends ? 1 : 0) | (paper.purpose === "backup" ? 2 : 0));
      writeShortId(writer, paper.parent);
      writer.u16(Math.min(anyMs, Math.max(0, Math.round(paper.belowMs)))).u8(paper.avoids.length);
      for (const id of paper.avoids) writeShortId(writer, id);
      break;
    case "offers":
      writer.u32(paper.id).u8(paper.adverts.length);
      for (const advert of paper.adverts) writeAdvert(writer, advert);
      break;
    case "hand-off":
      writeAdvert(writer, paper.advert);
      break;
    case "expect":
      writer.bytes(fromHex(paper.peer));
      break;
    case "reserve":
      writeShortId(writer, paper.parent);
      break;
    case "promise":
      writer.u8(paper.kept ? 1 : 0);
      break;
    default:
      paper satisfies never;
  }
}

/** Reads one of this number; undefined when it is none of them or breaks a limit. Underrun: see `ByteReader`. */
export function readPlacePaper(type: number, reader: ByteReader): PlacePaper | undefined {
  switch (type) {
    case placeTypes.about:
      return readAbout(reader);
    case placeTypes.adverts:
      return readAdverts(reader);
    case placeTypes.standing: {
      const standing = { rootDelayMs: reader.u16(), coordinate: readCoordinate(reader) };
      const path = readPath(reader);
      return path && { kind: "standing", ...standing, path };
    }
    case placeTypes.place:
      return readPlace(reader);
    case placeTypes.offers: {
      const id = reader.u32();
      const adverts = readList(reader, offersMax, readAdvert);
      return adverts && { kind: "offers", id, adverts };
    }
    case placeTypes["hand-off"]: {
      const advert = readAdvert(reader);
      return advert && { kind: "hand-off", advert };
    }
    case placeTypes.expect:
      return { kind: "expect", peer: toHex(reader.bytes(32)) as PeerId };
    case placeTypes.reserve:
      return { kind: "reserve", parent: readShortId(reader) };
    case placeTypes.promise: {
      const kept = reader.u8();
      return kept > 1 ? undefined : { kind: "promise", kept: kept === 1 };
    }
    default:
      return undefined;
  }
}

function readAbout(reader: ByteReader): PlacePaper | undefined {
  const coordinate = readCoordinate(reader);
  const holds = reader.u32();
  const lends = reader.u8();
  const advert = lends === 1 ? readAdvert(reader) : undefined;
  return lends > 1 || (lends === 1 && !advert) ? undefined : { kind: "about", coordinate, holds, advert };
}

function readAdverts(reader: ByteReader): PlacePaper | undefined {
  const adverts = readList(reader, advertsMax, readAdvert);
  const news = adverts && readList(reader, newsMax, readAdvertNews);
  const gone = news && readList(reader, goneMax, readShortId);
  return gone && { kind: "adverts", adverts, news, gone };
}

function readPlace(reader: ByteReader): PlacePaper | undefined {
  const head = { id: reader.u32(), passed: reader.u8(), self: readShortId(reader), coordinate: readCoordinate(reader) };
  const flags = reader.u8();
  const parent = readShortId(reader);
  const belowMs = reader.u16();
  const avoids = readList(reader, avoidedMax, readShortId);
  if (flags > 3 || !avoids) return undefined;
  const purpose = (flags & 2) === 0 ? "parent" : "backup";
  return { kind: "place", ...head, lends: (flags & 1) === 1, purpose, parent, belowMs, avoids };
}

function readList<Item>(
  reader: ByteReader,
  most: number,
  read: (reader: ByteReader) => Item | undefined,
): Item[] | undefined {
  const count = reader.u8();
  if (count > most) return undefined;
  const items: Item[] = [];
  for (let index = 0; index < count && !reader.failed; index++) {
    const item = read(reader);
    if (item === undefined) return undefined;
    items.push(item);
  }
  return items;
}
