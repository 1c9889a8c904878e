import { type Millis, millis, type PeerId } from "../../../api/ids.ts";
import type { RelayAddress } from "../../../api/link.ts";
import type { Deadline } from "../../machine.ts";
import { slotsFree } from "../door/admission.ts";
import { type Advert, advertised, type AdvertNews, newsOf, renewed } from "./advert.ts";
import { nowhere, stepBetween } from "../place/coordinate.ts";
import { advertsKept, advertsOfOneMax, Directory } from "./directory.ts";
import type { Edge, Edges } from "../edge.ts";
import { encodePaper, type Paper } from "../news/papers.ts";
import { parentOn, type ShortId, shortIdOf } from "../place/path.ts";
import { advertsMax, goneMax, newsMax } from "./place-papers.ts";
import type { Standing } from "../place/standing.ts";

/**
 * An advert is said again this often though nothing changed; when it can be chosen now or can no more, not more often than
 * `turnedMs`; when it is only a better or worse choice, not more often than `changedMs`.
 */
const renewMs = 30_000;
const turnedMs = 4000;
const changedMs = 12_000;
/**
 * Relays of the room, where everybody comes in, keep slots for whoever comes next: as many as came within the time that a
 * newcomer takes to find its place, an eighth of them at the least and half at the most. Where nobody comes they are as good
 * as any, and better than most, for they are near the core.
 */
const guestShareMin = 1 / 8;
const guestShareMax = 1 / 2;
const guestStayMs = 10_000;
/** More than this no relay keeps slots for. */
const arrivalsKept = 256;
/** Whoever has been here so long stays longer than most who come (Sripanidkulchai et al. 2004): others may hang below it. */
const newcomerMs = 30_000;
/** While nobody is to hang below us yet, this is looked at again after so long. */
const waitMs = 5000;
/** Every so many versions an advert goes out whole again. */
const wholeEvery = 12;
/** What was heard is passed on in batches. */
const batchMs = 500;
/** A leaf tells where it is when it has moved so far: its parent chooses by that whom to hand on. */
const aboutChangeMs = 15;
/** Adverts one neighbour may bring at once, when it comes over with all that hangs below it, and a second. */
const bringBurst = advertsOfOneMax + 64;
const bringPerSecond = 20;

/** What adverts need of their room. */
export interface AdvertWires {
  readonly self: PeerId;
  /** How others dial this node; undefined when they cannot. */
  readonly address: RelayAddress | undefined;
  slots(): { readonly used: number; readonly max: number } | undefined;
  /** Whether this node is a relay that the view names: they know all who lend. And whether it is of the core. */
  isRanked(): boolean;
  isCore(): boolean;
  /** Whether the room has few slots left: then whoever lends is hung below at once. */
  isShort(): boolean;
  /** What papers of the room are held here, as a number that differs when they do. */
  holds(): number;
  /** A neighbour says that this one lends no more, which may mean that it is gone. */
  gone(id: ShortId, now: Millis): void;
  reject(reason: string): void;
}

interface Purse {
  tokens: number;
  at: Millis;
}

/** Tells who lends, and learns it ([OV19]): up every edge to the core, across the core, and down to the room's other relays. */
export class Adverts {
  readonly directory = new Directory();
  readonly #edges: Edges;
  readonly #standing: Standing;
  readonly #wires: AdvertWires;
  readonly #bornAt: Millis;
  readonly #purses = new Map<Edge, Purse>();
  /** The adverts that each neighbour was told, as it has them. */
  readonly #told = new WeakMap<Edge, Map<ShortId, Advert>>();
  /** What waits to be passed on, and whom it came from. */
  readonly #news = new Map<ShortId, { readonly advert: Advert; readonly from: Edge | undefined }>();
  readonly #gone = new Map<ShortId, Edge | undefined>();
  #batchAt: Millis | undefined;
  #own: Advert | undefined;
  #ownAt: Millis | undefined;
  #version = 0;
  /** When newcomers came, as far as they may still be guests. */
  readonly #arrivals: Millis[] = [];
  /** To whom our advert, or only our coordinate, was told last. */
  #toldTo: Edge | undefined;
  #toldCoordinate = nowhere;

  constructor(edges: Edges, standing: Standing, wires: AdvertWires, now: Millis) {
    this.#edges = edges;
    this.#standing = standing;
    this.#wires = wires;
    this.#bornAt = now;
  }

  /** Whether others can hang below this node. */
  get lends(): boolean {
    const slots = this.#wires.slots();
    return slots !== undefined && slots.max > 0 && this.#wires.address !== undefined;
  }

  /** Adverts that the neighbour told most of them is remembered to have. */
  get remembered(): number {
    return Math.max(0, ...this.#edges.all.map((edge) => this.#told.get(edge)?.size ?? 0));
  }

  /** Slots that are kept for whoever comes in next. */
  get guests(): number {
    const max = this.#wires.isRanked() ? (this.#wires.slots()?.max ?? 0) : 0;
    if (max === 0) return 0;
    const least = Math.max(1, Math.floor(max * guestShareMin));
    return Math.min(Math.max(least, this.#arrivals.length), Math.max(1, Math.floor(max * guestShareMax)));
  }

  /** Somebody came in who has no place yet. */
  arrived(now: Millis): void {
    this.#arrivals.push(now);
    if (this.#arrivals.length > arrivalsKept) this.#arrivals.shift();
  }

  /** A child told where it is, and what it lends. */
  handleAbout(edge: Edge, paper: Extract<Paper, { kind: "about" }>, now: Millis): void {
    edge.coordinate = paper.coordinate;
    const { advert } = paper;
    if (!advert) return this.#withdrawn(edge, now);
    // Nobody lends in another's name: the link proved who it is.
    if (advert.peer !== edge.peer) return this.#wires.reject("advert");
    edge.advert = advert;
    // One that hangs here only in reserve is known by its parent.
    if (edge.feed) this.#learn(advert, edge, now);
  }

  /** A neighbour passed on what it knows. */
  handleAdverts(edge: Edge, paper: Extract<Paper, { kind: "adverts" }>, now: Millis): void {
    if (!this.#takes(edge)) return this.#wires.reject("advert");
    for (const id of paper.gone) {
      if (!this.directory.forget(id, edge.peer)) continue;
      this.#forgotten(id, edge, now);
      this.#wires.gone(id, now);
    }
    const renewed = paper.news.map((news) => this.directory.complete(news));
    for (const advert of [...paper.adverts, ...renewed]) {
      if (!advert || advert.peer === this.#wires.self) continue;
      if (!this.#mayBring(edge, now)) return this.#wires.reject("advert-rate");
      this.#learn(advert, edge, now);
    }
  }

  /** A neighbour is gone, and all that it brought. */
  lost(edge: Edge, now: Millis): void {
    this.#purses.delete(edge);
    if (this.#edges.all.some((other) => other !== edge && other.peer === edge.peer)) return;
    for (const id of this.directory.forgetAllOf(edge.peer)) this.#forgotten(id, edge, now);
  }

  /** A child that lends gets media now, or no more: by that it is this node's to tell of, or not. */
  feedChanged(edge: Edge, now: Millis): void {
    if (!edge.advert) return;
    if (edge.feed) this.#learn(edge.advert, edge, now);
    else for (const id of this.directory.forgetAllOf(edge.peer)) this.#forgotten(id, edge, now);
  }

  /** Tells a new neighbour who it may come from. A candidate for a parent must know before it is asked for media. */
  introduce(edge: Edge, now: Millis): void {
    if (edge.direction === "up" && !this.#wires.isRanked()) this.#sendAbout(edge, now);
    else if (this.#spreadsTo(edge)) this.#sendAll(edge, now);
  }

  /** Called after every change: a new parent is told everything, others what changed, when it is time. */
  review(now: Millis): void {
    while (this.#arrivals[0] !== undefined && this.#arrivals[0] + guestStayMs <= now) this.#arrivals.shift();
    const { parent } = this.#edges;
    if (parent && parent !== this.#toldTo) {
      this.#toldTo = parent;
      this.#ownAt = undefined;
      // While we hung elsewhere it forgot what it was told before, so that news alone would be of nobody.
      this.#told.delete(parent);
      if (!this.#wires.isRanked()) this.#sendAll(parent, now);
    }
    if (this.lends) this.#renew(now);
    else {
      this.#withdraw(now);
      if (parent && stepBetween(this.#standing.whereabouts.own, this.#toldCoordinate) > aboutChangeMs)
        this.#sendAbout(parent, now);
    }
    this.#flush(now);
  }

  handleTimeout(now: Millis): void {
    const due = this.deadline();
    if (!due || due.at > now) return;
    this.directory.expire(now);
    this.review(now);
  }

  deadline(): Deadline | undefined {
    const renewAt = this.#ownAt !== undefined ? millis(this.#ownAt + renewMs) : undefined;
    if (this.#batchAt === undefined) return renewAt && { at: renewAt, reason: "renew the advert" };
    const at = millis(Math.min(this.#batchAt, renewAt ?? Infinity));
    return { at, reason: "pass adverts on" };
  }

  /** Our advert as it is now; undefined while nobody is to hang below this node. */
  #advert(now: Millis): Advert | undefined {
    const { address, self } = this.#wires;
    const slots = this.#wires.slots();
    const short = address && advertised(address);
    if (!slots || !short || !this.#mayCarry(now)) return undefined;
    const { rootDelayMs, path } = this.#standing.own;
    if (path.length === 0) return undefined;
    const children = this.#edges.downs.filter((edge) => edge.feed && edge.role === "member" && !edge.authority);
    return {
      peer: self,
      address: short,
      rootDelayMs,
      coordinate: this.#standing.whereabouts.own,
      free: Math.max(0, slotsFree(slots.used, slots.max) - this.guests),
      leaves: children.filter((edge) => !edge.advert && edge.session.keepsPlace).length,
      depth: path.length - 1,
      parent: parentOn(path) ?? shortIdOf(self),
      version: 0,
    };
  }

  /** Whether others may hang below this node as yet ([OV25]). */
  #mayCarry(now: Millis): boolean {
    return this.#wires.isRanked() || now >= this.#bornAt + newcomerMs || this.#wires.isShort();
  }

  #renew(now: Millis): void {
    const advert = this.#advert(now);
    if (!advert) {
      this.#ownAt = undefined;
      this.#batchAt ??= millis(now + waitMs);
      return;
    }
    const sinceMs = now - (this.#ownAt ?? -Infinity);
    const pauseMs = this.#own ? pauseBetween(advert, this.#own) : 0;
    if (sinceMs < pauseMs) {
      if (pauseMs < renewMs)
        this.#batchAt = millis(Math.min(this.#batchAt ?? Infinity, (this.#ownAt ?? now) + pauseMs));
      return;
    }
    this.#own = { ...advert, version: ++this.#version };
    this.#ownAt = now;
    const { parent } = this.#edges;
    this.directory.learn(this.#own, this.#wires.self, now);
    if (this.#wires.isRanked()) this.#pass(this.#own, undefined, now);
    else if (parent) this.#sendAbout(parent, now);
  }

  /** Lending was paused or is over: nobody is to be sent here for the minute that the last advert would still hold. */
  #withdraw(now: Millis): void {
    if (!this.#own) return;
    this.#own = this.#ownAt = undefined;
    const id = shortIdOf(this.#wires.self);
    if (this.directory.forget(id, this.#wires.self)) this.#forgotten(id, undefined, now);
    const { parent } = this.#edges;
    if (parent && !this.#wires.isRanked()) this.#sendAbout(parent, now);
  }

  /** A child that lent does so no more; who hangs below it stays there, so it is no leaf. */
  #withdrawn(edge: Edge, now: Millis): void {
    if (!edge.advert) return;
    edge.advert = { ...edge.advert, free: 0, leaves: 0 };
    const id = shortIdOf(edge.peer);
    if (this.directory.forget(id, edge.peer)) this.#forgotten(id, edge, now);
  }

  #learn(advert: Advert, from: Edge, now: Millis): void {
    if (this.directory.learn(advert, from.peer, now)) this.#pass(advert, from, now);
  }

  #pass(advert: Advert, from: Edge | undefined, now: Millis): void {
    const id = shortIdOf(advert.peer);
    this.#gone.delete(id);
    this.#news.set(id, { advert, from });
    this.#batchAt ??= millis(now + batchMs);
  }

  #forgotten(id: ShortId, from: Edge | undefined, now: Millis): void {
    this.#news.delete(id);
    this.#gone.set(id, from);
    this.#batchAt ??= millis(now + batchMs);
  }

  #flush(now: Millis): void {
    if (this.#batchAt === undefined || now < this.#batchAt) return;
    this.#batchAt = undefined;
    const news = [...this.#news.values()];
    const gone = [...this.#gone];
    this.#news.clear();
    this.#gone.clear();
    for (const edge of this.#edges.all) {
      const adverts = news.filter(({ from }) => this.#goesTo(edge, from)).map(({ advert }) => advert);
      const ids = gone.filter(([, from]) => this.#goesTo(edge, from)).map(([id]) => id);
      this.#send(edge, adverts, ids, now);
    }
  }

  /** From below up and across; from beside and from above down to the room's other relays. */
  #goesTo(edge: Edge, from: Edge | undefined): boolean {
    if (edge === from || !edge.welcomed) return false;
    if (this.#spreadsTo(edge)) return edge.direction === "down" || from === undefined || from.direction === "down";
    return edge === this.#edges.parent && from?.direction !== "up";
  }

  /** Other relays of the room, who answer whoever looks for a place. */
  #spreadsTo(edge: Edge): boolean {
    return edge.direction === "mesh" || (edge.direction === "down" && edge.role === "relay");
  }

  #takes(edge: Edge): boolean {
    if (edge.direction === "down") return edge.role === "relay" || (edge.feed && edge.advert !== undefined);
    return edge.direction === "mesh" || this.#wires.isRanked();
  }

  #sendAll(edge: Edge, now: Millis): void {
    if (this.#wires.isRanked()) this.#send(edge, this.directory.all(), [], now);
    else {
      this.#sendAbout(edge, now);
      this.#send(
        edge,
        this.directory.all().filter(({ peer }) => peer !== this.#wires.self),
        [],
        now,
      );
    }
  }

  #sendAbout(edge: Edge, now: Millis): void {
    const coordinate = this.#standing.whereabouts.own;
    if (edge === this.#edges.parent) this.#toldCoordinate = coordinate;
    const advert = this.#own ?? (this.lends ? this.#firstAdvert(now) : undefined);
    edge.session.sendReliable(encodePaper({ kind: "about", coordinate, holds: this.#wires.holds(), advert }), now);
  }

  /** Before there is a way to the core: it tells that we lend. */
  #firstAdvert(now: Millis): Advert | undefined {
    const advert = this.#advert(now);
    if (advert) this.#own = { ...advert, version: ++this.#version };
    return this.#own;
  }

  /** Sends adverts, or of those that the neighbour was told before only what is new. */
  #send(edge: Edge, all: readonly Advert[], gone: readonly ShortId[], now: Millis): void {
    const told = this.#told.get(edge) ?? new Map<ShortId, Advert>();
    this.#told.set(edge, told);
    for (const id of gone) told.delete(id);
    const adverts: Advert[] = [];
    const news: AdvertNews[] = [];
    for (const advert of all) {
      const id = shortIdOf(advert.peer);
      const known = told.get(id);
      // It may have forgotten meanwhile, and what differs by more than half of what a byte counts cannot be said in short.
      const short = known && advert.version % wholeEvery !== 0 && (advert.version - known.version) >>> 0 < 0x80;
      const change = short ? newsOf(advert, known) : undefined;
      if (known && change) news.push(change);
      else adverts.push(advert);
      told.set(id, known && change ? renewed(known, change) : advert);
    }
    // Who is here no more was forgotten there too.
    if (told.size > advertsKept) for (const id of told.keys()) if (!this.directory.holds(id)) told.delete(id);
    const lists = [adverts.length / advertsMax, news.length / newsMax, gone.length / goneMax];
    for (let index = 0; index < Math.max(...lists); index++) {
      const part = <Item>(list: readonly Item[], most: number): Item[] => list.slice(index * most, (index + 1) * most);
      const paper = { adverts: part(adverts, advertsMax), news: part(news, newsMax), gone: part(gone, goneMax) };
      edge.session.sendReliable(encodePaper({ kind: "adverts", ...paper }), now);
    }
  }

  #mayBring(edge: Edge, now: Millis): boolean {
    const purse = this.#purses.get(edge) ?? { tokens: bringBurst, at: now };
    purse.tokens = Math.min(bringBurst, purse.tokens + ((now - purse.at) / 1000) * bringPerSecond) - 1;
    purse.at = now;
    if (purse.tokens < 0) purse.tokens = 0;
    this.#purses.set(edge, purse);
    return purse.tokens > 0;
  }
}

/** How long after the last advert this one is worth saying. */
function pauseBetween(a: Advert, b: Advert): number {
  const lends = ({ free, leaves }: Advert): boolean => free > 0 || leaves > 0;
  if (a.free > 0 !== b.free > 0 || lends(a) !== lends(b) || a.parent !== b.parent) return turnedMs;
  const moved = Math.abs(a.rootDelayMs - b.rootDelayMs) > 10 || stepBetween(a.coordinate, b.coordinate) > 20;
  return moved || Math.abs(a.free - b.free) > Math.max(2, b.free / 3) ? changedMs : renewMs;
}
