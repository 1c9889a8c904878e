import type { Millis, PeerId } from "../../../api/ids.ts";
import { type Advert, type AdvertNews, renewed } from "./advert.ts";
import { type Coordinate, isUseful, roundTripBetween } from "../place/coordinate.ts";
import type { PlaceRequest } from "./place-papers.ts";
import { offersMax } from "./place-papers.ts";
import { type ShortId, shortIdOf } from "../place/path.ts";

/** Adverts kept: a room of 8,000 in which one in four lends. Of more, those heard of longest ago fall; a sample is enough. */
export const advertsKept = 2048;
/** What one neighbour below may bring in: what a subtree of a big room holds, and no more, so that none fills all. */
export const advertsOfOneMax = 512;
/** An advert is renewed every 30 s; after two that were missed it is no more. */
export const advertLifeMs = 75_000;
/** Of so many that are nearest three are drawn, the first among them: else all who ask at one time would meet. */
const nearestMax = 6;
/** Who is refused is named three of so many that are near, or of a quarter of all that have room. */
const drawnFrom = 12;
/** Who knows where it is gets no more than it dials. */
const nearOffersMax = 2;
/** Places whose cost differs by less than coordinates guess wrong, ms. */
const evenMs = 8;
/** What a link costs beside its delay, ms: jitter, and a machine that has to wake. */
export const hopCostMs = 4;
/** A backup that has no slot for anybody now is worth so much less than one that has, ms. */
const fullBackupMs = 60;
/** Somebody who was offered a slot has so long to take it; until then it counts as taken, so that not all are sent to one. */
const offeredMs = 4000;

interface Entry {
  advert: Advert;
  at: Millis;
  /** The neighbour that brought it: only it may take it back. */
  from: PeerId;
  /** When slots were offered lately. */
  offered: Millis[];
}

/** A place, and what hanging there costs. */
interface Ranked {
  readonly entry: Entry;
  readonly costMs: number;
}

/** Who lends in this room, as far as this relay was told ([OV19]): bounded, versioned, forgotten when not renewed. */
export class Directory {
  readonly #entries = new Map<ShortId, Entry>();
  readonly #broughtBy = new Map<PeerId, number>();

  get size(): number {
    return this.#entries.size;
  }

  /** Takes an advert. True when it is news, to be passed on. */
  learn(advert: Advert, from: PeerId, now: Millis): boolean {
    const id = shortIdOf(advert.peer);
    const known = this.#entries.get(id);
    // The same by another way is news too: it hangs elsewhere now.
    const again = known?.advert.version === advert.version && known.from !== from;
    if (known && !again && !isNewer(advert.version, known.advert.version)) return false;
    if (known?.from !== from && (this.#broughtBy.get(from) ?? 0) >= advertsOfOneMax) return false;
    if (known) this.#remove(id, known);
    this.#entries.set(id, { advert, at: now, from, offered: known?.offered ?? [] });
    this.#broughtBy.set(from, (this.#broughtBy.get(from) ?? 0) + 1);
    for (const [oldest, entry] of this.#entries) {
      if (this.#entries.size <= advertsKept) break;
      this.#remove(oldest, entry);
    }
    return true;
  }

  /** Whether there is an advert of this one. */
  holds(id: ShortId): boolean {
    return this.#entries.has(id);
  }

  /** What is new of an advert, as an advert; undefined when it is not known. */
  complete(news: AdvertNews): Advert | undefined {
    const known = this.#entries.get(news.id)?.advert;
    return known && renewed(known, news);
  }

  /** The neighbour that brought it says that it is gone. True when it was here. */
  forget(id: ShortId, from: PeerId): boolean {
    const known = this.#entries.get(id);
    if (known?.from !== from) return false;
    this.#remove(id, known);
    return true;
  }

  /** Everything that a neighbour brought, when it is gone itself: its ids. */
  forgetAllOf(from: PeerId): ShortId[] {
    const ids = [...this.#entries].filter(([, entry]) => entry.from === from).map(([id]) => id);
    for (const id of ids) this.forget(id, from);
    return ids;
  }

  /** Forgets what was not renewed. */
  expire(now: Millis): void {
    for (const [id, entry] of this.#entries) {
      if (entry.at + advertLifeMs > now) break;
      this.#remove(id, entry);
    }
  }

  /** Everything held, for a neighbour who has nothing yet. */
  all(): Advert[] {
    return [...this.#entries.values()].map((entry) => entry.advert);
  }

  /** Whether others than this one lend, and none of them has a slot that anybody may take. */
  isFullBut(self: PeerId): boolean {
    let others = 0;
    for (const { advert } of this.#entries.values()) {
      if (advert.peer === self) continue;
      if (advert.free > 0) return false;
      others++;
    }
    return others > 0;
  }

  /**
   * Up to three places for somebody ([OV20]), the best first: least root delay and way there, as coordinates guess it. For
   * somebody who does not know where it is, the first is the best for who is `here`, whom it found first of all it knows, and
   * the others are near the core and far from each other, so that it finds out.
   */
  offer(request: PlaceRequest, here: Coordinate, random: () => number, now: Millis): Advert[] {
    const able = [...this.#entries.values()].filter((entry) => hasRoomFor(entry, request, now));
    const chosen = isUseful(request.coordinate)
      ? someOf(nearest(able, request, now), random, now)
      : [...new Set([...nearHere(able, request, here, now), ...scattered(able)])].slice(0, offersMax);
    for (const entry of chosen.slice(0, 2)) entry.offered.push(now);
    return chosen.map(({ advert }) => advert);
  }

  /**
   * Places for somebody who finds none here and of whom nothing is known, but that of several relays this one, which is `here`,
   * answered first: drawn among those that are near here, with their free slots as odds (Efraimidis and Spirakis 2006), for
   * were the best always named, everybody who is refused would meet there.
   */
  draw(here: Coordinate, random: () => number, now: Millis): Advert[] {
    const wayMs = ({ advert }: Entry): number => (isUseful(here) ? roundTripBetween(here, advert.coordinate) : 0);
    const able = [...this.#entries.values()].flatMap((entry) => {
      const left = slotsLeft(entry, now);
      return left > 0 ? [{ entry, left, wayMs: wayMs(entry) }] : [];
    });
    const near = able.sort((a, b) => a.wayMs - b.wayMs).slice(0, Math.max(drawnFrom, able.length / 4));
    const drawn = near.map(({ entry, left }) => ({ entry, key: random() ** (1 / left) }));
    const chosen = drawn.sort((a, b) => b.key - a.key).slice(0, offersMax);
    for (const { entry } of chosen.slice(0, 2)) entry.offered.push(now);
    return chosen.map(({ entry }) => entry.advert);
  }

  #remove(id: ShortId, entry: Entry): void {
    this.#entries.delete(id);
    const left = (this.#broughtBy.get(entry.from) ?? 1) - 1;
    if (left > 0) this.#broughtBy.set(entry.from, left);
    else this.#broughtBy.delete(entry.from);
  }
}

/** Versions wrap as sequence numbers do (RFC 1982): so that one who claims the last of all does not have the last word. */
function isNewer(version: number, known: number): boolean {
  const ahead = (version - known) >>> 0;
  return ahead > 0 && ahead < 0x8000_0000;
}

/** Free slots, less those that were offered a moment ago. */
function slotsLeft({ advert, offered }: Entry, now: Millis): number {
  while (offered[0] !== undefined && offered[0] + offeredMs <= now) offered.shift();
  return advert.free - offered.length;
}

function hasRoomFor(entry: Entry, request: PlaceRequest, now: Millis): boolean {
  const { advert } = entry;
  const id = shortIdOf(advert.peer);
  if (id === request.self || advert.parent === request.self || request.avoids.includes(id)) return false;
  // A backup takes no slot until it is needed.
  if (request.purpose === "backup") return sharesNoFate(advert, request);
  if (id === request.parent) return false;
  return slotsLeft(entry, now) + (request.lends ? advert.leaves : 0) > 0;
}

/** Whether it goes on when the parent of who asks is gone ([OV23]). */
function sharesNoFate(advert: Advert, { parent }: PlaceRequest): boolean {
  return shortIdOf(advert.peer) !== parent && advert.parent !== parent;
}

/** Those with the least delay, as coordinates guess it, best first; all adverts are looked at, for it takes microseconds. */
function nearest(able: readonly Entry[], { coordinate, belowMs, purpose }: PlaceRequest, now: Millis): Ranked[] {
  const best: Ranked[] = [];
  for (const entry of able) {
    const { rootDelayMs, coordinate: there } = entry.advert;
    const wayMs = rootDelayMs + roundTripBetween(coordinate, there) / 2 + hopCostMs;
    if (wayMs >= belowMs) continue;
    const costMs = wayMs + (purpose === "backup" && slotsLeft(entry, now) <= 0 ? fullBackupMs : 0);
    if (best.length === nearestMax && costMs >= best[nearestMax - 1]!.costMs) continue;
    const at = best.findIndex((other) => costMs < other.costMs);
    best.splice(at < 0 ? best.length : at, 0, { entry, costMs });
    if (best.length > nearestMax) best.pop();
  }
  return best;
}

/** The best place for who is here. */
function nearHere(able: readonly Entry[], request: PlaceRequest, here: Coordinate, now: Millis): Entry[] {
  return isUseful(here)
    ? nearest(able, { ...request, coordinate: here }, now)
        .slice(0, 1)
        .map(({ entry }) => entry)
    : [];
}

/**
 * One of the best, drawn with its slots as odds from those that are hardly worse, for every relay of the room offers the same;
 * and another.
 */
function someOf(best: readonly Ranked[], random: () => number, now: Millis): Entry[] {
  const least = best[0]?.costMs ?? 0;
  const even = best.filter(({ costMs }) => costMs <= least + evenMs);
  const keys = even.map(({ entry }) => random() ** (1 / Math.max(1, slotsLeft(entry, now))));
  const first = even[keys.indexOf(Math.max(...keys))];
  const rest = best.filter((each) => each !== first);
  while (rest.length > nearOffersMax - 1) rest.splice(Math.floor(random() * rest.length), 1);
  return [...(first ? [first] : []), ...rest].map(({ entry }) => entry);
}

/** Those near the core, each as far as can be from those chosen before it. */
function scattered(able: readonly Entry[]): Entry[] {
  const pool = able.toSorted((a, b) => a.advert.rootDelayMs - b.advert.rootDelayMs).slice(0, 4 * offersMax);
  const chosen = pool.splice(0, 1);
  while (chosen.length < offersMax && pool.length > 0) {
    const distance = (entry: Entry): number =>
      Math.min(...chosen.map((other) => roundTripBetween(entry.advert.coordinate, other.advert.coordinate)));
    const farthest = pool.reduce((best, entry) => (distance(entry) > distance(best) ? entry : best));
    pool.splice(pool.indexOf(farthest), 1);
    chosen.push(farthest);
  }
  return chosen;
}
