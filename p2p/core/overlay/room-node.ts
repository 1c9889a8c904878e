import type { DialId, LinkId, Millis, PeerId, RoomTag } from "../../api/ids.ts";
import type { LinkKind, RelayAddress } from "../../api/link.ts";
import { chance, type Crypto } from "../crypto.ts";
import type { RelayView } from "../room/state/view.ts";
import { type Frame, type Hello, type Refusal } from "../session/frames.ts";
import type { SessionSignal, SessionWires } from "../session/signals.ts";
import { alternativesOf, finalRefusals } from "./door/admission.ts";
import { shutFrom } from "../room/rights/doors.ts";
import { type Caller, Door } from "./door/door.ts";
import type { RoomResident, RoomWires } from "./room-wires.ts";
import { CensusTaker, type CensusFacts } from "./news/census.ts";
import { Datagrams } from "./media/datagrams.ts";
import { type Edge, Edges } from "./edge.ts";
import { MediaFlow } from "./media/flow.ts";
import { Grudges } from "./place/grudges.ts";
import { Returns } from "./heal/returns.ts";
import { Notices, type NoticeWires } from "./news/notices.ts";
import { takeOffice } from "./news/offices.ts";
import { type Paper, parsePaper } from "./news/papers.ts";
import type { Spread } from "./media/spread.ts";
import { Dialing } from "./place/dialing.ts";
import { KnownRelays } from "./place/known-relays.ts";
import { Places, type PlaceWires } from "./place/places.ts";
import { waysUp } from "./place/upward.ts";
import { Upkeep, type UpkeepFacts } from "./place/upkeep.ts";
import { Wakes } from "./wakes.ts";

/**
 * One room on one node: its edges, its papers and its media. The same code is a relay that knows nothing and a member
 * that listens; a member adds a resident.
 */
export class RoomNode {
  readonly tag: RoomTag;
  readonly edges = new Edges();
  readonly spread: Spread;
  readonly upkeep: Upkeep;
  readonly notices: Notices;
  resident: RoomResident | undefined;
  /** The last time any edge was there: an abandoned room is forgotten. */
  usedAt: Millis;
  readonly wakes: Wakes;
  readonly #census: CensusTaker;
  readonly #datagrams: Datagrams;
  readonly #flow: MediaFlow;
  readonly #grudges = new Grudges();
  readonly #returns: Returns;
  readonly #door: Door;
  readonly #known: KnownRelays;
  readonly #dialing: Dialing;
  readonly places: Places;
  readonly #sessionWires: SessionWires;
  readonly #crypto: Crypto;
  readonly #wires: RoomWires;

  constructor(tag: RoomTag, crypto: Crypto, wires: RoomWires, now: Millis) {
    this.tag = tag;
    this.#crypto = crypto;
    this.#wires = wires;
    this.#sessionWires = {
      send: (link, bytes) => wires.send(link, bytes),
      close: (link) => wires.close(link),
      froze: (link) => this.#returns.noteSilence(link),
      condition: (at) => this.#flow.condition(at),
    };
    this.usedAt = now;
    this.#census = new CensusTaker(this.edges, now);
    this.#datagrams = new Datagrams(wires.upgrade);
    this.#flow = new MediaFlow(crypto, this.edges, {
      slots: () => wires.slots(),
      alternatives: (at) => this.alternatives(at),
      mayFeed: (edge) => this.places.mayFeed(edge.peer),
      resident: () => this.resident,
      blame: (edge, at) => this.#blame(edge, at),
      move: (from, to, reason, packets, at) => this.#returns.move(from, to, reason, packets, at),
      refuses: (edge) => this.upkeep.hasNoSlot(edge.peer),
      isRetired: (voice) => this.notices.retired.has(voice),
      lost: (edge, reason, at) => this.#lost(edge, reason, at),
      alone: (at) => this.#runPlan(at),
      cameFromAbove: (edge, fresh, at) => {
        this.wakes.changes += this.places.seeker.heard(edge, fresh, at) ? 1 : 0;
      },
    });
    this.spread = this.#flow.spread;
    this.notices = new Notices(tag, crypto, this.edges, this.#noticeWires());
    this.upkeep = new Upkeep(this.edges, {
      dial: (target, fresh) => wires.dial(target, fresh),
      cancel: (dial) => wires.cancel(dial),
      promote: (edge, at) => this.#returns.promote(edge, at),
      end: (edge) => this.end(edge),
      random: () => chance(this.#crypto),
    });
    this.#known = new KnownRelays(this.upkeep, wires.self);
    this.#door = new Door(this.edges, this.#flow.feeds, {
      session: this.#sessionWires,
      slots: () => wires.slots(),
      shutFrom: (hello, host) => shutFrom(crypto, this.view, hello, wires.self, host),
      relays: () => this.relays,
      show: (edge, at) => {
        if (edge.feed || edge.authority || edge.role !== "member") this.notices.show(edge, at);
        this.places.met(edge, at);
      },
      mayFeed: (peer) => this.places.mayFeed(peer),
      favours: (peer, at) => this.places.favours(peer, at),
      end: (edge) => this.end(edge),
    });
    const { edges, upkeep } = this;
    const parts = { edges, upkeep, datagrams: this.#datagrams, feeds: this.#flow.feeds, cover: this.#flow.cover };
    this.#returns = new Returns(parts, {
      received: (link) => wires.received(link),
      lost: (edge, reason, at) => this.#lost(edge, reason, at),
      runUpkeep: (at) => this.runUpkeep(at),
      end: (edge) => this.end(edge),
      changed: () => this.wakes.changed(),
      resident: () => this.resident,
      relays: () => (this.#rank === undefined ? this.relays : undefined),
    });
    this.places = new Places(parts, this.#placeWires(), now);
    this.wakes = this.#newWakes(now);
    const dialingParts = { ...parts, returns: this.#returns, spread: this.spread, places: this.places };
    const [session, resident] = [this.#sessionWires, (): RoomResident | undefined => this.resident];
    const [close, end] = [(link: LinkId): void => wires.close(link), (edge: Edge): void => this.end(edge)];
    this.#dialing = new Dialing(dialingParts, crypto, { tag, session, resident, close, end });
  }

  #newWakes(now: Millis): Wakes {
    const [edges, upkeep, datagrams, returns] = [this.edges, this.upkeep, this.#datagrams, this.#returns];
    const parts = { edges, upkeep, datagrams, returns, flow: this.#flow, places: this.places, census: this.#census };
    const lends = (): boolean => this.#wires.slots() !== undefined;
    return new Wakes(parts, { lends, speaks: () => this.resident?.speaks() ?? false }, now);
  }

  #noticeWires(): NoticeWires {
    return {
      viewTaken: (view, at) => this.#takeView(view, at),
      time: (at) => this.resident?.time(at) ?? at,
      resident: () => this.resident,
      keys: () => this.resident?.keys,
      fault: (reason, from, at) => {
        this.spread.reject(reason);
        this.#blame(from, at);
      },
      reject: (reason) => this.spread.reject(reason),
      end: (edge) => this.end(edge),
    };
  }

  #placeWires(): PlaceWires {
    const { self, address } = this.#wires;
    return {
      self,
      address,
      slots: () => this.#wires.slots(),
      view: () => this.view,
      relays: () => this.relays,
      isRanked: () => this.#rank !== undefined,
      rank: () => this.#rank,
      isCore: () => this.#rank !== undefined && this.upkeep.isCore,
      isFree: () => this.#isFree,
      isShort: () => this.#census.isShort,
      holds: () => this.notices.mark,
      show: (edge, at) => this.notices.showAgain(edge, at),
      looped: (edge, at) => this.#lost(edge, "its relay hangs below us", at),
      end: (edge) => this.end(edge),
      random: () => chance(this.#crypto),
      reject: (reason) => this.spread.reject(reason),
    };
  }

  /** The view in force, once there is one. */
  get view(): RelayView | undefined {
    return this.notices.view;
  }

  get relays(): readonly PeerId[] {
    return this.#known.list;
  }

  /** Relays of the room that have a slot, for somebody who finds none here; few enough for one frame. */
  alternatives(now: Millis): RelayAddress[] {
    const drawn = this.#census.withRoom(this.#censusFacts, () => chance(this.#crypto));
    const ranked = drawn.map((peer) => this.view?.relays[this.relays.indexOf(peer)]);
    return alternativesOf([...this.places.elsewhere(now), ...ranked]);
  }

  /** Relays to try before there is a view: from an invite, a record, or a refusal. */
  learnHints(relays: readonly RelayAddress[]): void {
    this.#known.learnHints(relays);
  }

  /** Sends one tick of our own voice, a packet for each layer: to two of the core, or to the parent. False when it was not accepted. */
  originate(packets: readonly Uint8Array[], now: Millis): boolean {
    const coreSize = this.view?.coreSize ?? 1;
    const ways = waysUp(this.edges, this.relays, coreSize, (peer) => this.upkeep.isDead(peer, now));
    return this.#flow.originate(packets, ways, now);
  }

  /** A link that we dialed for this room is open. */
  handleDialed(dial: DialId, link: LinkId, kind: LinkKind, remote: PeerId, now: Millis): void {
    this.#dialing.opened(dial, link, kind, remote, now);
  }

  /** A dial of ours led nowhere; it makes no sense to dial there again before `afterMs`. */
  handleDialFailed(dial: DialId, reason: string, afterMs: number, now: Millis): void {
    this.#dialing.failed(dial, reason, afterMs, now);
    this.runUpkeep(now);
  }

  /** Media is asked for again, wherever it froze ([OV16]). */
  tryAgain(now: Millis): void {
    this.#returns.tryAgain(now);
  }

  /** Somebody wants in. Returns a refusal, or undefined when it is now an edge. */
  handleHello(hello: Hello, caller: Caller, proved: boolean, now: Millis): Refusal | undefined {
    if (this.#grudges.isShunned(caller.remote, now)) return "protocol";
    const refusal = this.#door.enter(hello, caller, proved, now);
    this.#census.touch();
    if (!refusal) this.usedAt = now;
    return refusal;
  }

  /** A neighbour attaches another link to its session. False when there is no such session of this peer, or no place. */
  handleAttach(id: Uint8Array, caller: Caller, now: Millis): boolean {
    this.#census.touch();
    return this.#door.attach(id, caller, now);
  }

  handleFrame(edge: Edge, link: LinkId, frame: Frame, now: Millis): void {
    this.usedAt = now;
    if (edge.away && frame.kind === "refuse") return this.#dialing.beginAnew(edge, link, now);
    if (!edge.welcomed && (frame.kind === "welcome" || frame.kind === "refuse"))
      return this.#handleAnswer(edge, frame, now);
    this.#flow.heard(edge, frame, now);
    for (const signal of edge.session.handleFrame(link, frame, now)) this.#handleSignal(edge, signal, now);
  }

  handleLinkClosed(edge: Edge, link: LinkId, now: Millis): void {
    this.#returns.linkClosed(edge, link, now);
  }

  /** A link was closed because what came on it broke the protocol: who does that on the last one is not waited for. */
  handleLinkBroken(edge: Edge, link: LinkId, now: Millis): void {
    if (edge.session.linkIds.length > 1) return this.#returns.linkClosed(edge, link, now);
    edge.session.release(link);
    this.#lost(edge, "its relay broke the protocol", now);
  }

  /** Ends an edge with a goodbye. */
  end(edge: Edge): void {
    this.#forget(edge);
    edge.session.end();
  }

  /** Ends everything; the room goes on without this node. */
  close(): void {
    this.edges.all.slice().forEach((edge) => this.end(edge));
  }

  /** This node's own process stood still for `ms`: neighbours are not to blame for what was not heard meanwhile. */
  forgive(ms: number, now: Millis): void {
    for (const edge of this.edges.all) edge.session.forgive(ms, now);
  }

  /** Wakes sessions and media. */
  tick(now: Millis): void {
    this.#returns.handleTimeout(now);
    this.#flow.handleTimeout(now);
  }

  handleTimeout(now: Millis): void {
    this.tick(now);
    this.#tellCensus(now);
    if (this.wakes.isQuiet(now)) return;
    this.#datagrams.handleTimeout(this.edges.ups, now);
    this.upkeep.handleTimeout(now);
    this.places.handleTimeout(now);
    this.runUpkeep(now);
  }

  runUpkeep(now: Millis): void {
    this.#runPlan(now);
    this.places.review(now);
    this.#flow.settle(now);
    this.wakes.looked(now);
  }

  #runPlan(now: Millis): void {
    this.wakes.changes++;
    const facts: UpkeepFacts = {
      relays: this.relays,
      rank: this.#rank,
      coreSize: this.view?.coreSize ?? 1,
      fanout: this.view?.relayFanout ?? 1,
      speaks: this.resident?.speaks() ?? false,
      wanted: this.resident?.wanted() ?? [],
      placing: this.places.seeker.isBusy,
      cover: this.#flow.cover,
      muted: this.#returns.muted,
      froze: (peer) => this.#returns.froze(peer),
    };
    // A relay without a member of its own waits for the view before it knows where it belongs.
    if (facts.rank !== undefined || this.resident || (this.view && this.#wires.slots())) this.upkeep.run(facts, now);
  }

  #takeView(view: RelayView, now: Millis): void {
    this.#known.takeView(view.relays);
    this.#census.touch();
    this.#flow.setView(view, now);
    this.resident?.view(view, now);
    this.runUpkeep(now);
  }

  #handleAnswer(edge: Edge, frame: Extract<Frame, { kind: "welcome" | "refuse" }>, now: Millis): void {
    if (frame.kind === "refuse") {
      this.end(edge);
      this.upkeep.refused(edge.peer, finalRefusals.has(frame.reason), now);
      this.#known.prefer(frame.alternatives);
      this.resident?.refused(edge.peer, frame.reason, now);
      this.runUpkeep(now);
      return;
    }
    edge.welcomed = true;
    this.#census.touch();
    edge.hops = frame.hops;
    edge.session.roundTrip.learn(now - edge.since);
    this.upkeep.welcomed(edge.peer);
    if (this.#returns.isSurplus(edge) && !this.places.seeker.needs(edge)) return this.end(edge);
    this.#returns.settleFeed(edge, now);
    // What we hold may be newer: after a partition, or because we are the host.
    if (this.resident?.authority || (edge.feed && this.#wires.slots())) this.notices.show(edge, now);
    this.#datagrams.start(edge);
    this.places.met(edge, now);
    this.resident?.welcomed(edge, frame.time, now);
    this.runUpkeep(now);
  }

  #handleSignal(edge: Edge, signal: SessionSignal, now: Millis): void {
    switch (signal.kind) {
      case "message": {
        const paper = parsePaper(signal.message);
        if (paper) this.#handlePaper(edge, paper, now);
        else this.spread.reject("paper");
        break;
      }
      case "attached":
        if (edge.away) this.#returns.isBack(edge, now);
        break;
      case "bye":
      case "broken":
        if (signal.kind === "broken") this.spread.reject("session");
        edge.session.end();
        this.#lost(edge, signal.kind === "bye" ? "its relay left" : "its relay broke the protocol", now);
        break;
      default:
        this.#flow.handle(edge, signal, now);
    }
  }

  #handlePaper(edge: Edge, paper: Paper, now: Millis): void {
    switch (paper.kind) {
      case "view":
      case "state":
      case "petition":
      case "note":
      case "act":
      case "retired":
      case "keys":
      case "enrol":
      case "grant":
        this.notices.handle(edge, paper, now);
        break;
      case "office":
        takeOffice(this.#crypto, edge, paper.proof, this.#wires.self, this, now);
        break;
      case "census":
        if (this.#census.learn(edge, paper.census, this.#censusFacts)) this.resident?.census(paper.census);
        this.#tellCensus(now);
        break;
      case "feed":
        this.#census.touch();
        if (edge.direction !== "down") break;
        this.#flow.feeds.change(edge, paper, now);
        this.places.feedChanged(edge, now);
        break;
      case "no-feed":
        if (edge.direction !== "up") break;
        this.places.refused(edge, now);
        if (!this.edges.parent) this.resident?.refused(edge.peer, "full", now);
        this.#known.prefer(paper.alternatives);
        this.runUpkeep(now);
        break;
      case "replayed":
        // Who moves of its own choice has missed nothing.
        if (!this.places.seeker.takeReplay(edge)) this.#returns.replayed(edge, paper.packets, now);
        if (!this.places.isServed(edge)) break;
        this.runUpkeep(now);
        this.resident?.handleTimeout(now);
        break;
      default:
        this.places.handle(edge, paper, now);
    }
  }

  #forget(edge: Edge): void {
    if (!this.edges.all.includes(edge)) return;
    this.wakes.changes++;
    this.edges.remove(edge);
    this.#census.touch();
    this.#datagrams.forget(edge);
    this.upkeep.forget(edge);
    this.places.lost(edge, this.usedAt);
  }

  #blame(edge: Edge, now: Millis): void {
    if (!this.#grudges.charge(edge.peer, now) || !this.edges.all.includes(edge)) return;
    edge.session.end();
    this.#lost(edge, "its relay broke the protocol", now);
  }

  #lost(edge: Edge, reason: string, now: Millis): void {
    this.#forget(edge);
    if (edge.session.dialed && !edge.away) this.upkeep.failed(edge.peer, now);
    this.#returns.lost(edge, reason, now);
    this.runUpkeep(now);
  }

  /** Whether it hangs where it likes: neither of the core, nor near it to speak, nor without media, nor by a cover. */
  get #isFree(): boolean {
    if (!this.view || this.#returns.muted || this.#flow.cover.active) return false;
    if (this.#rank !== undefined && this.upkeep.isCore) return false;
    return this.resident ? !this.resident.speaks() : this.#wires.slots() !== undefined;
  }

  /** This node's place among the room's relays, when it is one that lends. */
  get #rank(): number | undefined {
    return this.#wires.slots() ? this.#known.rank : undefined;
  }

  get #censusFacts(): CensusFacts {
    const { self } = this.#wires;
    const mayAct = this.resident?.authority === true;
    return { slots: this.#wires.slots(), relays: this.relays, self, resident: this.resident?.hearing.losses, mayAct };
  }

  #tellCensus(now: Millis): void {
    if (!this.#census.tell(this.#censusFacts, now)) return;
    if (!this.edges.parent) this.resident?.census(this.#census.total(this.#censusFacts));
  }
}
