import { type Millis, millis, type PeerId } from "../../../api/ids.ts";
import type { Deadline } from "../../machine.ts";
import type { Advert } from "../directory/advert.ts";
import { backupSavesMs, Reserves, reservesMax } from "../heal/reserves.ts";
import { isUseful } from "./coordinate.ts";
import type { Edge, Edges } from "../edge.ts";
import { encodePaper } from "../news/papers.ts";
import { type ShortId, shortIdOf } from "./path.ts";
import { anyMs, avoidedMax, type PlaceRequest } from "../directory/place-papers.ts";
import { delayBy, type Standing } from "./standing.ts";

/** Of the places offered, so many are dialed (DESIGN.md, The tree). */
const trialsMax = 2;
/** A dial of six round trips around the world takes 2 s; who has not answered by then is not waited for. */
const trialMs = 3000;
/** An answer that takes longer than this is none. */
const answerMs = 3000;
/**
 * A place is looked for again after this long, and up to as much again, so that not all look at once: soon while it is not
 * known where we are, or when the last look led to a move; after one that led nowhere, half as long again as before, up to the most.
 */
const lookSoonMs = 1000;
const lookMsMin = 2000;
const lookMsMax = 10_000;
const lookGrowth = 1.5;
/** What a move must save: a share of the delay, or so much of it; and at least what jitter could feign. */
const savesShare = 0.15;
const savesMs = 25;
const savesMsMin = 5;
/** Looks until somebody counts as settled: it knows where it is after two, and each brings two candidates. */
const looksToSettle = 10;
/** A backup that is no more than this farther than the parent will do. */
const backupFartherMs = 50;
/** Both parents live until the new one has brought so many packets, or so long where nobody speaks. */
const movePackets = 5;
const moveMs = 1500;
/** One in so many of them must come sooner than by the old parent, when the new one claimed to be so much nearer. */
const soonerShare = 0.2;
const claimMs = 15;
/** So many more packets by the old parent than by the new one are chance; more are withheld. */
const withheldMax = 3;
/** How long somebody whose claims were not so is not believed. */
const disbelievedMs = 300_000;
const disbelievedMax = 64;

interface Move {
  /** Because what the old parent brings is late or lacks much: then it is not gone back to soon. */
  readonly doubts: boolean;
  readonly to: Edge;
  readonly from: Edge;
  readonly savesMs: number;
  readonly until: Millis;
  packets: number;
  sooner: number;
  /** What the old parent brought meanwhile: until the new one brought something, and since then. */
  before: number;
  beside: number;
}

/** What the seeker needs of its room. */
export interface SeekerWires {
  readonly self: PeerId;
  /** Whether this node may look for a place of its own choice: not of the core, not to speak, not without media. */
  isFree(): boolean;
  lends(): boolean;
  /** Places that this node knows of itself, and need not ask for; undefined for all but relays of the room. */
  offersHere(parent: Edge): Advert[] | undefined;
  /** Dials somebody as a candidate. */
  tryOut(advert: Advert, now: Millis): void;
  /** Asks a neighbour above for media, or for no more. */
  feed(edge: Edge, on: boolean, now: Millis): void;
  end(edge: Edge): void;
  takeId(): number;
  random(): number;
}

/**
 * Finds a place in the tree and then slowly better ones ([OV21]): asks for offers, dials two, measures, and moves when that
 * saves enough; the old parent feeds until the new one does. What is left of the candidates becomes the backup.
 */
export class Seeker {
  readonly #edges: Edges;
  readonly #standing: Standing;
  readonly #reserves: Reserves;
  readonly #wires: SeekerWires;
  readonly #trials = new Map<PeerId, Millis>();
  readonly #disbelieved = new Map<PeerId, Millis>();
  #nextAt: Millis | undefined;
  #asked:
    | {
        readonly of: Edge;
        readonly id: number;
        readonly purpose: PlaceRequest["purpose"];
        readonly until: Millis;
      }
    | undefined;
  /** Who had a slot to give by the last answer: nobody moves of its own choice into one that is kept. */
  #withRoom = new Set<PeerId>();
  #move: Move | undefined;
  #looks = 0;
  #lookMs = lookMsMin;
  /** The same while nobody keeps a slot for us. */
  #unsafeMs = lookSoonMs;
  #isSafe = false;
  /** New parents that have not said yet how much they sent again. */
  readonly #replays = new WeakSet<Edge>();
  /** Candidates that could not be dialed, or keep no slot: others are asked for. */
  readonly #unreached = new Set<ShortId>();
  /** Whom our parent handed us to. */
  #ticket: PeerId | undefined;

  constructor(edges: Edges, standing: Standing, wires: SeekerWires) {
    this.#edges = edges;
    this.#standing = standing;
    this.#reserves = new Reserves(edges, (path) => standing.isLoop(path));
    this.#wires = wires;
  }

  /** Whether candidates are being asked for or tried: nobody need dial for a backup meanwhile. */
  get isBusy(): boolean {
    return this.#asked !== undefined || this.#trials.size > 0 || this.#move !== undefined;
  }

  /** Whether this edge is needed for a decision that is not made yet. */
  needs(edge: Edge): boolean {
    return this.#trials.has(edge.peer) || this.#move?.to === edge || this.#move?.from === edge;
  }

  isDisbelieved(peer: PeerId, now: Millis): boolean {
    return (this.#disbelieved.get(peer) ?? 0) > now;
  }

  /** Called after every change. */
  review(now: Millis): void {
    if (!this.#edges.parent || !this.#wires.isFree()) {
      this.#nextAt = undefined;
      return;
    }
    this.#nextAt ??= millis(now + (this.#looks === 0 ? 0 : lookSoonMs * (1 + this.#wires.random())));
    this.#hurry(this.#edges.parent, now);
    if (now >= this.#nextAt) this.#look(now);
  }

  /** Nobody keeps a slot for us any more: others are looked for soon, whatever was planned. */
  #hurry(parent: Edge, now: Millis): void {
    const wasSafe = this.#isSafe;
    this.#isSafe = this.#reserves.delayMs(parent) !== undefined;
    if (wasSafe && !this.#isSafe && this.#nextAt !== undefined)
      this.#nextAt = millis(Math.min(this.#nextAt, now + lookSoonMs * this.#wires.random()));
  }

  /** Places were offered; only who was asked is listened to. */
  handleOffers(from: Edge, id: number, adverts: readonly Advert[], now: Millis): void {
    if (this.#asked?.id !== id || this.#asked.of !== from) return;
    const isParent = this.#asked.purpose === "parent";
    this.#withRoom = new Set(adverts.filter(({ free }) => isParent || free > 0).map(({ peer }) => peer));
    this.#asked = undefined;
    for (const advert of adverts) {
      const useless =
        advert.peer === this.#wires.self ||
        this.#edges.ofPeer(advert.peer) !== undefined ||
        this.isDisbelieved(advert.peer, now);
      if (useless || this.#trials.size >= trialsMax) continue;
      this.#trials.set(advert.peer, millis(now + trialMs));
      this.#wires.tryOut(advert, now);
    }
    if (this.#trials.size === 0) this.#decide(now);
  }

  /** A parent asks us to hang below this one instead. */
  handOff(advert: Advert, now: Millis): void {
    if (this.#move || this.#trials.has(advert.peer) || this.isDisbelieved(advert.peer, now)) return;
    const known = this.#edges.ups.find((edge) => edge.peer === advert.peer && edge.welcomed && !edge.away);
    this.#ticket = advert.peer;
    this.#trials.set(advert.peer, millis(now + trialMs));
    if (known) this.stood(known, now);
    else if (!this.#edges.ofPeer(advert.peer)) this.#wires.tryOut(advert, now);
  }

  /** A candidate told where it stands: all that is to be known of it. */
  stood(edge: Edge, now: Millis): void {
    if (edge.direction !== "up" || !this.#trials.delete(edge.peer)) return;
    if (edge.peer === this.#ticket) {
      this.#ticket = undefined;
      const { parent } = this.#edges;
      if (parent && parent !== edge && this.#reserves.isFit(edge)) this.#begin(edge, parent, 0, now);
      return;
    }
    if (this.#trials.size === 0) this.#decide(now);
  }

  /** Who is in reserve says whether it keeps a slot for us. */
  promised(edge: Edge, now: Millis): void {
    if (edge.kept === false) this.#avoid(edge.peer);
    if (this.#trials.size === 0 && !this.#move) this.#settle(now);
  }

  /** A dial led nowhere, or an edge is gone. */
  lost(peer: PeerId, now: Millis): void {
    if (this.#ticket === peer) this.#ticket = undefined;
    if (this.#move?.to.peer === peer) this.#move = undefined;
    else if (this.#move?.from.peer === peer) this.#complete(this.#move, now);
    if (!this.#trials.delete(peer)) return;
    this.#avoid(peer);
    if (this.#trials.size === 0) this.#decide(now);
  }

  /** Others are asked for next time. */
  #avoid(peer: PeerId): void {
    const id = shortIdOf(peer);
    this.#unreached.delete(id);
    this.#unreached.add(id);
    for (const oldest of this.#unreached) {
      if (this.#unreached.size <= avoidedMax) break;
      this.#unreached.delete(oldest);
    }
  }

  /** A candidate that was asked for media has none to give. */
  refused(edge: Edge, now: Millis): void {
    this.#replays.delete(edge);
    this.#withRoom.delete(edge.peer);
    if (this.#move?.to !== edge) return;
    this.#move = undefined;
    // The other candidate may have one.
    if (this.#trials.size === 0) this.#decide(now);
  }

  /**
   * What the parent brings is late or lacks much: the backup feeds beside it for some packets, and takes its place when it
   * is sooner; else others are looked for ([OV51]).
   */
  doubt(now: Millis): void {
    const { parent } = this.#edges;
    if (!parent || this.#move || !this.#wires.isFree()) return;
    const fits = (edge: Edge): boolean =>
      edge !== parent && this.#reserves.isFit(edge) && !this.isDisbelieved(edge.peer, now);
    const best = this.#reserves.best(fits);
    if (best) this.#begin(best, parent, claimMs, now, true);
    else if (this.#nextAt !== undefined) this.#nextAt = now;
  }

  /** A packet came; `first`: by nobody else before. True when it is one of a move. */
  heard(edge: Edge, first: boolean, now: Millis): boolean {
    const move = this.#move;
    if (move?.from === edge) {
      if (move.packets === 0) move.before++;
      else move.beside++;
    }
    if (move?.to !== edge) return false;
    move.packets++;
    if (first) move.sooner++;
    if (move.packets >= movePackets) this.#judge(move, now);
    return true;
  }

  /** Whether what this edge replays belongs to a move of our own choice; once. */
  takeReplay(edge: Edge): boolean {
    return this.#replays.delete(edge);
  }

  handleTimeout(now: Millis): void {
    if (this.#asked && now >= this.#asked.until) this.#asked = undefined;
    for (const [peer, until] of this.#trials) if (until <= now) this.lost(peer, now);
    if (this.#move && now >= this.#move.until) this.#timeOut(this.#move, now);
    this.review(now);
  }

  /** The new parent brought too little to be judged by that. */
  #timeOut(move: Move, now: Millis): void {
    // Where nobody speaks nothing comes, and nothing is lost; but what the old one brings the new one has to bring too.
    const withholds = move.before + move.beside > withheldMax + 2 * move.packets;
    if (withholds) return this.#reject(move, now);
    if (move.packets > 0 || move.to.session.lastHeardAt > now - moveMs) this.#complete(move, now);
    else this.#move = undefined;
  }

  deadline(): Deadline | undefined {
    let at = this.#nextAt ?? Infinity;
    if (this.#asked) at = Math.min(at, this.#asked.until);
    for (const until of this.#trials.values()) at = Math.min(at, until);
    if (this.#move) at = Math.min(at, this.#move.until);
    return at === Infinity ? undefined : { at: millis(at), reason: "look for a better place" };
  }

  /** Asks for places by way of the parent. */
  #look(now: Millis): void {
    const { parent } = this.#edges;
    if (!parent || this.isBusy) {
      this.#nextAt = millis(now + lookSoonMs);
      return;
    }
    for (const edge of this.#edges.ups) if (edge.welcomed && !edge.away) this.#standing.measure(edge);
    const { own } = this.#standing.whereabouts;
    // Every other time for a backup, once there is a place, unless there is one that will do.
    const isTurn = this.#looks % 2 === 1 || (!this.#isSafe && this.#looks > looksToSettle);
    const purpose = isTurn && isUseful(own) && !this.#hasReserves(parent) ? "backup" : "parent";
    this.#looks++;
    // The first answer only teaches where we are; what is near shows in the next.
    const isNew = this.#looks <= 2 || !isUseful(own);
    const waitMs = isNew ? lookSoonMs : this.#isSafe ? this.#lookMs : this.#unsafeMs;
    this.#lookMs = Math.min(lookMsMax, lookGrowth * this.#lookMs);
    this.#unsafeMs = isNew || this.#isSafe ? lookSoonMs : Math.min(lookMsMax, lookGrowth * this.#unsafeMs);
    this.#nextAt = millis(now + waitMs * (1 + this.#wires.random()));
    const id = this.#wires.takeId();
    this.#asked = { of: parent, id, purpose, until: millis(now + answerMs) };
    const offers = this.#wires.offersHere(parent);
    if (offers) return this.handleOffers(parent, id, offers, now);
    const request: PlaceRequest = {
      id,
      passed: 0,
      self: shortIdOf(this.#wires.self),
      coordinate: own,
      lends: this.#wires.lends(),
      purpose,
      parent: shortIdOf(parent.peer),
      belowMs: this.#worthBelow(purpose, parent),
      avoids: [...this.#unreached],
    };
    parent.session.sendReliable(encodePaper({ kind: "place", ...request }), now);
  }

  /** What a place must cost less than to be worth a dial: what is there, less what jitter could feign. */
  #worthBelow(purpose: PlaceRequest["purpose"], parent: Edge): number {
    const lacks = purpose === "backup" && this.#sureReserves(parent) < reservesMax;
    const hereMs = lacks ? undefined : purpose === "parent" ? delayBy(parent) : this.#reserves.delayMs(parent);
    return hereMs === undefined ? anyMs : hereMs - (purpose === "parent" ? savesMsMin : backupSavesMs);
  }

  /** Whether there are all reserves, and one that is not much farther than the parent. */
  #hasReserves(parent: Edge): boolean {
    const hereMs = delayBy(parent);
    if (hereMs === undefined || this.#sureReserves(parent) < reservesMax) return false;
    return (this.#reserves.delayMs(parent) ?? Infinity) < hereMs + backupFartherMs;
  }

  #sureReserves(parent: Edge): number {
    return this.#reserves.sure(parent).filter((edge) => !this.needs(edge)).length;
  }

  /** All candidates are measured: the best becomes the parent when it saves enough, the next the backup. */
  #decide(now: Millis): void {
    const { parent } = this.#edges;
    // While a backup covers, nothing else moves.
    if (!parent || this.#move || !this.#wires.isFree()) return;
    const hasRoom = (edge: Edge): boolean => edge === parent || this.#withRoom.has(edge.peer);
    const best = this.#reserves.best(
      (edge) => hasRoom(edge) && this.#reserves.isFit(edge) && !this.isDisbelieved(edge.peer, now),
    );
    const [here, there] = [delayBy(parent), best && delayBy(best)];
    // Who has just come takes whatever is better: it is not in its place yet.
    const worth = here !== undefined && there !== undefined && isWorth(here, there, this.#looks <= looksToSettle);
    if (best && best !== parent && worth) return this.#begin(best, parent, here - there, now);
    this.#settle(now);
  }

  /** Chooses who is kept in reserve, and lets go of the other candidates. */
  #settle(now: Millis): void {
    const { parent, ups } = this.#edges;
    if (!parent || !this.#wires.isFree()) return;
    const idle = ups.filter((edge) => edge !== parent && edge.welcomed && !edge.away && !this.needs(edge));
    if (idle.length <= reservesMax) return;
    // Who came last has not said yet whether it has a slot.
    if (idle.some((edge) => edge.role === "member" && edge.kept === undefined && now < edge.since + trialMs)) return;
    const kept = this.#reserves.choose(idle, parent, (edge) => !this.isDisbelieved(edge.peer, now));
    for (const edge of idle) if (!kept.includes(edge)) this.#wires.end(edge);
  }

  #begin(to: Edge, from: Edge, savesMsClaimed: number, now: Millis, doubts = false): void {
    this.#lookMs = lookMsMin;
    this.#move = {
      doubts,
      to,
      from,
      savesMs: savesMsClaimed,
      until: millis(now + moveMs),
      packets: 0,
      sooner: 0,
      before: 0,
      beside: 0,
    };
    this.#replays.add(to);
    this.#wires.feed(to, true, now);
  }

  /** Both parents fed for a while: what the new one claimed shows in which of them was sooner. */
  #judge(move: Move, now: Millis): void {
    const isWhole = move.beside <= move.packets + withheldMax;
    const isTrue = move.savesMs < claimMs || move.sooner >= soonerShare * move.packets;
    if (isWhole && isTrue) return this.#complete(move, now);
    if (!isWhole || !move.doubts) return this.#reject(move, now);
    // It claimed nothing, and is no better.
    this.#move = undefined;
    this.#wires.feed(move.to, false, now);
    this.#nextAt = now;
  }

  /** It is not what it said, or does not bring what it should. */
  #reject(move: Move, now: Millis): void {
    this.#move = undefined;
    this.#disbelieve(move.to.peer, now);
    this.#wires.end(move.to);
  }

  #disbelieve(peer: PeerId, now: Millis): void {
    this.#disbelieved.set(peer, millis(now + disbelievedMs));
    for (const oldest of this.#disbelieved.keys()) {
      if (this.#disbelieved.size <= disbelievedMax) break;
      this.#disbelieved.delete(oldest);
    }
  }

  #complete(move: Move, now: Millis): void {
    this.#move = undefined;
    if (move.doubts) this.#disbelieve(move.from.peer, now);
    if (this.#edges.all.includes(move.from)) this.#wires.feed(move.from, false, now);
    this.#settle(now);
  }
}

function isWorth(hereMs: number, thereMs: number, settling: boolean): boolean {
  const saves = hereMs - thereMs;
  return saves > savesMsMin && (settling || saves > savesMs || saves > savesShare * hereMs);
}
