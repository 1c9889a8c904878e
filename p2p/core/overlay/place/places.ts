import type { Millis, PeerId } from "../../../api/ids.ts";
import type { RelayAddress } from "../../../api/link.ts";
import type { Deadline } from "../../machine.ts";
import type { Advert } from "../directory/advert.ts";
import { Adverts } from "../directory/adverts.ts";
import type { Edge, Edges } from "../edge.ts";
import type { Datagrams } from "../media/datagrams.ts";
import type { Feeds } from "../media/feeds.ts";
import type { Upkeep } from "./upkeep.ts";
import { HandOffs } from "../door/hand-off.ts";
import type { Paper } from "../news/papers.ts";
import { type Coordinate, nowhere } from "./coordinate.ts";
import { depthMax, type ShortId, shortIdOf } from "./path.ts";
import { PlaceDesk } from "../directory/place-desk.ts";
import { anyMs, type PlacePaper } from "../directory/place-papers.ts";
import { rankedPlaces } from "./ranked-places.ts";
import type { RelayView } from "../../room/state/view.ts";
import { Promises } from "../heal/promises.ts";
import { Seeker } from "./seeker.ts";
import { Standing } from "./standing.ts";

/** Of the relays below the core so many, the first in rank, look whether one of the core is gone. */
const probersMax = 2;

/** What places need of their room. */
export interface PlaceWires {
  readonly self: PeerId;
  readonly address: RelayAddress | undefined;
  slots(): { readonly used: number; readonly max: number } | undefined;
  /** The view in force, once there is one, and the relays that it names. */
  view(): RelayView | undefined;
  relays(): readonly PeerId[];
  /** Whether this node is one of them, at which place, and whether it is of the core now. */
  isRanked(): boolean;
  rank(): number | undefined;
  isCore(): boolean;
  /** Whether this node may choose its parent: not to speak, not without media, with a room to be in. */
  isFree(): boolean;
  /** Whether the room has few slots left. */
  isShort(): boolean;
  /** The way to the core by this edge leads through this node itself. */
  looped(edge: Edge, now: Millis): void;
  /** What papers of the room are held here, as a number that differs when they do; and gives them to a neighbour. */
  holds(): number;
  show(edge: Edge, now: Millis): void;
  end(edge: Edge): void;
  random(): number;
  reject(reason: string): void;
}

/** The parts of a room that places work with. */
export interface PlaceParts {
  readonly edges: Edges;
  readonly upkeep: Upkeep;
  readonly feeds: Feeds;
  readonly datagrams: Datagrams;
}

/** Where everybody hangs, beyond the relays that the view ranks ([OV18]–[OV24]): the parts that find it, joined. */
export class Places {
  readonly seeker: Seeker;
  readonly handOffs: HandOffs;
  readonly #promises: Promises;
  readonly #standing: Standing;
  readonly #adverts: Adverts;
  readonly #desk: PlaceDesk;
  readonly #edges: Edges;
  readonly #parts: PlaceParts;
  readonly #wires: PlaceWires;
  /** Who is told of the room's papers as they come, and so lacks none. */
  readonly #told = new WeakSet<Edge>();

  constructor(parts: PlaceParts, wires: PlaceWires, now: Millis) {
    const { edges } = parts;
    this.#edges = edges;
    this.#parts = parts;
    this.#wires = wires;
    this.#standing = new Standing(edges, wires);
    const advertWires = { ...wires, gone: (id: ShortId, at: Millis) => this.#probe(id, at) };
    this.#adverts = new Adverts(edges, this.#standing, advertWires, now);
    const { directory } = this.#adverts;
    const here = (): Coordinate => this.#standing.whereabouts.own;
    this.#desk = new PlaceDesk(directory, edges, { ...wires, here });
    this.seeker = new Seeker(edges, this.#standing, {
      self: wires.self,
      isFree: () => wires.isFree(),
      lends: () => this.#adverts.lends,
      offersHere: (parent) => this.#rankedPlaces(parent),
      tryOut: (advert, at) => this.#tryOut(advert, at),
      feed: (edge, on, at) => this.#feed(edge, on, at),
      end: (edge) => wires.end(edge),
      takeId: () => this.#desk.takeId(),
      random: () => wires.random(),
    });
    this.#promises = new Promises(edges, wires);
    this.handOffs = new HandOffs(edges, {
      slots: () => wires.slots(),
      guests: () => this.#adverts.guests,
      placeFor: (leaf, at) => this.#placeFor(leaf, at),
      random: () => wires.random(),
      reject: (reason) => wires.reject(reason),
    });
  }

  /** Whether others can hang below this node. */
  get lends(): boolean {
    return this.#adverts.lends;
  }

  /** Somebody is let in, or let us in: both sides tell what the other must know to choose. */
  met(edge: Edge, now: Millis): void {
    if (edge.direction !== "up") this.#standing.show(edge, now);
    if (edge.direction === "down" && edge.feed) this.#told.add(edge);
    if (edge.direction === "down" && edge.feed && edge.role === "member") this.#adverts.arrived(now);
    this.#adverts.introduce(edge, now);
  }

  /** An edge is gone. */
  lost(edge: Edge, now: Millis): void {
    this.#adverts.lost(edge, now);
    if (edge.direction === "up") this.seeker.lost(edge.peer, now);
  }

  handle(edge: Edge, paper: PlacePaper, now: Millis): void {
    switch (paper.kind) {
      case "about":
        if (edge.direction !== "down") break;
        this.#adverts.handleAbout(edge, paper, now);
        this.#compare(edge, paper.holds, now);
        break;
      case "adverts":
        this.#adverts.handleAdverts(edge, paper, now);
        break;
      case "standing":
        this.#standing.handle(edge, paper, now);
        this.seeker.stood(edge, now);
        break;
      case "place":
        if (edge.direction === "down") this.#desk.handlePlace(edge, paper, now);
        break;
      case "offers":
        if (!this.#desk.handleOffers(edge, paper, now)) this.#offered(edge, paper, now);
        break;
      case "hand-off":
        this.#handedOff(edge, paper.advert, now);
        break;
      case "expect":
        this.handOffs.expect(edge, paper.peer, now);
        break;
      case "reserve":
        this.#promises.handleReserve(edge, paper, now);
        break;
      case "promise":
        this.#promises.handlePromise(edge, paper);
        this.seeker.promised(edge, now);
        break;
      default:
        paper satisfies never;
    }
  }

  /** Places for somebody who is refused here. */
  elsewhere(now: Millis): RelayAddress[] {
    const here = this.#standing.whereabouts.own;
    return this.#adverts.directory.draw(here, () => this.#wires.random(), now).map((advert) => advert.address);
  }

  /**
   * Whether somebody may have a slot that is kept: our parent said that it comes, or there is none for it elsewhere, or leaves
   * are on their way from here and give theirs back.
   */
  favours(peer: PeerId, now: Millis): boolean {
    const { directory } = this.#adverts;
    if (this.handOffs.redeem(peer, now)) return true;
    return this.#wires.isRanked() && (this.handOffs.isBusy || directory.isFullBut(this.#wires.self));
  }

  /** Whether somebody may be fed here: not one that we hang below ourselves, and not while there is nothing to feed. */
  mayFeed(peer: PeerId): boolean {
    const { path } = this.#standing.own;
    if (this.#wires.isRanked() || !this.#wires.view()) return true;
    return path.length > 0 && path.length < depthMax && !path.includes(shortIdOf(peer));
  }

  /** A neighbour above has no slot for us: it may have one later. */
  refused(edge: Edge, now: Millis): void {
    edge.feed = edge.session.feeds = false;
    edge.waits = true;
    this.#parts.upkeep.noFeed(edge.peer, now);
    this.seeker.refused(edge, now);
  }

  /** Whether one that had none has one now: it said so. */
  isServed(edge: Edge): boolean {
    const waited = edge.waits;
    edge.waits = false;
    return waited;
  }

  /** A child gets media now, or no more. */
  feedChanged(edge: Edge, now: Millis): void {
    if (!edge.feed) this.#told.delete(edge);
    this.#adverts.feedChanged(edge, now);
    this.review(now);
  }

  /** Called after every change. */
  review(now: Millis): void {
    this.#standing.review(now);
    this.#adverts.review(now);
    this.handOffs.review(now);
    this.#promises.review(now);
    this.seeker.review(now);
  }

  handleTimeout(now: Millis): void {
    this.#standing.handleTimeout(now);
    this.#adverts.handleTimeout(now);
    this.handOffs.review(now);
    this.#promises.review(now);
    this.seeker.handleTimeout(now);
  }

  deadline(): Deadline | undefined {
    let soonest: Deadline | undefined;
    for (const part of [this.#standing, this.#adverts, this.handOffs, this.#promises, this.seeker]) {
      const deadline = part.deadline();
      if (deadline && (!soonest || deadline.at < soonest.at)) soonest = deadline;
    }
    return soonest;
  }

  /** Who waits in reserve is shown only what it lacks, and who is fed once that it does, when it was not told meanwhile. */
  #compare(edge: Edge, holds: number, now: Millis): void {
    const isTold = edge.feed && this.#told.has(edge);
    if (edge.feed) this.#told.add(edge);
    else this.#told.delete(edge);
    if (!isTold && holds !== this.#wires.holds()) this.#wires.show(edge, now);
  }

  #rankedPlaces({ peer }: Edge): Advert[] | undefined {
    const [view, rank, relays] = [this.#wires.view(), this.#wires.rank(), this.#wires.relays()];
    if (!view || rank === undefined) return undefined;
    const ranking = { relays, rank, fanout: view.relayFanout };
    return rankedPlaces(this.#adverts.directory.all(), ranking, peer, this.#standing.whereabouts.own);
  }

  /** A relay of better rank is said to be gone: who would take its place in the core finds out ([OV3]). */
  #probe(id: ShortId, now: Millis): void {
    const [view, rank] = [this.#wires.view(), this.#wires.rank()];
    if (!view || rank === undefined || this.#wires.isCore()) return;
    const { upkeep } = this.#parts;
    const better = this.#wires.relays().slice(0, rank);
    const gone = better.find((peer) => shortIdOf(peer) === id);
    const living = better.filter((peer) => !upkeep.isDead(peer, now)).length;
    if (gone !== undefined && living < view.coreSize + probersMax) upkeep.probe(gone, now);
  }

  /** A parent hands us on. Whoever was it a moment ago, or is about to be, may say so as well: that is too late, or too soon. */
  #handedOff(edge: Edge, advert: Advert, now: Millis): void {
    if (edge !== this.#edges.parent) this.#wires.reject(edge.direction === "up" ? "hand-off-late" : "hand-off");
    // While a backup covers for it, or we speak, it asks somebody else when we do not come.
    else if (this.#wires.isFree()) this.seeker.handOff(advert, now);
  }

  /** Dials a candidate for a parent. */
  #tryOut({ peer, address }: Advert, now: Millis): void {
    const role = this.#wires.isRanked() ? "relay" : "member";
    if (!this.#parts.upkeep.tryOut(address, role, now)) this.seeker.lost(peer, now);
  }

  #feed(edge: Edge, on: boolean, now: Millis): void {
    this.#parts.feeds.ask(edge, on, now);
    if (on) this.#parts.datagrams.start(edge);
  }

  #offered(edge: Edge, paper: Extract<Paper, { kind: "offers" }>, now: Millis): void {
    this.seeker.handleOffers(edge, paper.id, paper.adverts, now);
  }

  #placeFor(leaf: Edge, now: Millis): Advert | undefined {
    const parent = shortIdOf(this.#wires.self);
    const request = { id: 0, passed: 0, lends: false, purpose: "parent", parent, belowMs: anyMs, avoids: [] } as const;
    const asked = { ...request, self: shortIdOf(leaf.peer), coordinate: leaf.coordinate };
    return this.#adverts.directory
      .offer(asked, nowhere, () => this.#wires.random(), now)
      .find((advert) => advert.free > 0);
  }
}
