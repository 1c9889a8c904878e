import type { DialId, LinkId, Millis, PeerId, RoomTag } from "../../api/ids.ts";
import type { LinkKind, RelayAddress } from "../../api/link.ts";
import type { Crypto } from "../crypto.ts";
import type { Deadline } from "../machine.ts";
import type { RelayView } from "../room/view.ts";
import { type Frame, type Hello, peerOf, type Refusal, sessionVersion } from "../session/frames.ts";
import { Session, type SessionSignal, type SessionWires } from "../session/session.ts";
import { alternativesOf } from "./admission.ts";
import { type Caller, Door } from "./door.ts";
import type { RoomResident, RoomWires } from "./room-wires.ts";
import { CensusTaker, type CensusFacts } from "./census.ts";
import { Datagrams } from "./datagrams.ts";
import { type Edge, Edges, newEdge } from "./edge.ts";
import { Feeds } from "./feeds.ts";
import { Grudges } from "./grudges.ts";
import { Returns } from "./returns.ts";
import { Notices } from "./notices.ts";
import { provesOffice } from "./offices.ts";
import { type Paper, parsePaper } from "./papers.ts";
import { Spread } from "./spread.ts";
import { waysUp, wishOfAll } from "./upward.ts";
import { type Errand, Upkeep, type UpkeepFacts } from "./upkeep.ts";

/** Refusals that a second try does not change. A room may still be on its way to a relay, and a slot may come free. */
const finalRefusals: ReadonlySet<Refusal> = new Set(["version", "only-own", "banned", "not-carrying", "protocol"]);
/** What a dial says that was not tried, for there were too many before it: it tells nothing of the relay. */
const tooSoon = "too soon";

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
  #relays: PeerId[] = [];
  #endedControlBytes = 0;
  readonly #census: CensusTaker;
  readonly #datagrams: Datagrams;
  readonly #feeds: Feeds;
  readonly #grudges = new Grudges();
  readonly #returns: Returns;
  readonly #door: Door;
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
    };
    this.usedAt = now;
    this.#census = new CensusTaker(this.edges, now);
    this.#datagrams = new Datagrams(wires.upgrade);
    this.spread = new Spread(crypto, this.edges, (edge, at) => this.#blame(edge, at));
    this.#feeds = new Feeds(this.spread, {
      slots: () => wires.slots(),
      alternatives: () => this.alternatives(),
      wish: () => wishOfAll(this.edges, this.resident),
    });
    this.notices = new Notices(tag, crypto, this.edges, {
      viewTaken: (view, at) => this.#takeView(view, at),
      stateTaken: (bytes, at) => this.resident?.state(bytes, at),
      petitionSeen: (bytes, at) => {
        if (this.resident?.authority) this.resident.petition(bytes, at);
      },
      time: (at) => this.resident?.time(at) ?? at,
      eventSeen: (bytes, at) => this.resident?.event(bytes, at),
      forkSeen: (at) => this.resident?.forked(at),
      noteSeen: (bytes, at) => this.resident?.note(bytes, at),
      fault: (reason, from, at) => {
        this.spread.reject(reason);
        this.#blame(from, at);
      },
      reject: (reason) => this.spread.reject(reason),
      end: (edge) => this.end(edge),
    });
    this.upkeep = new Upkeep(this.edges, {
      dial: (target, fresh) => wires.dial(target, fresh),
      cancel: (dial) => wires.cancel(dial),
      promote: (edge, at) => this.#returns.promote(edge, at),
      end: (edge) => this.end(edge),
      random: () => (crypto.randomBytes(1)[0] ?? 0) / 256,
    });
    this.#door = new Door(this.edges, this.#feeds, {
      session: this.#sessionWires,
      slots: () => wires.slots(),
      relays: () => this.#relays,
      show: (edge, at) => this.notices.show(edge, at),
      end: (edge) => this.end(edge),
    });
    const { edges, upkeep } = this;
    const parts = { edges, upkeep, feeds: this.#feeds, datagrams: this.#datagrams };
    this.#returns = new Returns(parts, {
      received: (link) => wires.received(link),
      lost: (edge, reason, at) => this.#lost(edge, reason, at),
      runUpkeep: (at) => this.runUpkeep(at),
      end: (edge) => this.end(edge),
      placeFree: () => this.#census.touch(),
      resident: () => this.resident,
      relays: () => (this.#rank === undefined ? this.#relays : undefined),
    });
  }

  /** The view in force, once there is one. */
  get view(): RelayView | undefined {
    return this.notices.view;
  }

  get relays(): readonly PeerId[] {
    return this.#relays;
  }

  /** Relays of the room that have a slot, for somebody who finds none here; few enough for one frame. */
  alternatives(): RelayAddress[] {
    const relays = this.view?.relays ?? [];
    const random = (): number => (this.#crypto.randomBytes(1)[0] ?? 0) / 256;
    const drawn = this.#census.withRoom(this.#censusFacts, random);
    return alternativesOf(drawn.map((peer) => relays[this.#relays.indexOf(peer)]));
  }

  /** Bytes of frames that were not media. */
  get controlBytes(): number {
    return this.edges.all.reduce((sum, edge) => sum + edge.session.controlBytes, this.#endedControlBytes);
  }

  /** Edges that media flows down to, of every kind. */
  get feeding(): number {
    return this.edges.downs.filter((edge) => edge.feed && edge.session.keepsPlace).length;
  }

  get children(): number {
    return this.edges.downs.filter((edge) => edge.feed && edge.role === "member" && edge.session.keepsPlace).length;
  }

  /** Relays to try before there is a view: from an invite, a record, or a refusal. */
  learnHints(relays: readonly RelayAddress[]): void {
    const peers = this.upkeep.learn(relays).filter((peer) => peer !== this.#wires.self);
    if (!this.view) this.#relays = [...new Set([...this.#relays, ...peers])];
  }

  /** Sends one tick of our own voice, a packet for each layer: to two of the core, or to the parent. False when it was not accepted. */
  originate(packets: readonly Uint8Array[], now: Millis): boolean {
    const coreSize = this.view?.coreSize ?? 1;
    const ways = waysUp(this.edges, this.#relays, coreSize, (peer) => this.upkeep.isDead(peer, now));
    return packets.every((packet) => this.spread.originate(packet, ways, now));
  }

  /** A link that we dialed for this room is open. */
  handleDialed(dial: DialId, link: LinkId, kind: LinkKind, remote: PeerId, now: Millis): void {
    const upgraded = this.#datagrams.take(dial);
    const errand = upgraded ? undefined : this.upkeep.takeErrand(dial);
    const attaches = upgraded ?? errand?.resumes;
    // A link to somebody else than was dialed continues nothing ([SS5]).
    const meant = attaches ? this.edges.all.includes(attaches) && attaches.peer === remote : errand?.peer === remote;
    const late =
      errand?.role === "member" && !attaches && !this.resident?.wanted().includes(remote) && this.upkeep.isSettled();
    if (!meant || late) return this.#wires.close(link);
    if (attaches) this.#returns.attach(attaches, link, kind, now);
    else if (errand) this.#greet(errand, link, kind, remote, now);
  }

  /** Opens a session on a new link. */
  #greet(errand: Errand, link: LinkId, kind: LinkKind, remote: PeerId, now: Millis): void {
    const session = new Session(this.#crypto.randomBytes(16), remote, true, this.#sessionWires, now);
    session.addLink(link, kind, false, now);
    const direction = errand.role === "core" ? "mesh" : "up";
    const feed = errand.feed && !(direction === "up" && this.edges.parent);
    const edge = newEdge(session, errand.role, direction, feed, false, now);
    this.edges.add(edge);
    const proof = this.resident?.proof(remote, session.id);
    const have = feed ? this.spread.ring.have(now) : [];
    const wish = wishOfAll(this.edges, this.resident);
    if (direction === "up") edge.wish = wish;
    const hello: Hello = {
      kind: "hello",
      version: sessionVersion,
      session: session.id,
      tag: this.tag,
      role: errand.role,
      feed,
      wish,
      have,
      proof,
    };
    session.sendFrame(hello);
  }

  /** A dial of ours led nowhere. One that was not even tried, because it came too soon, says nothing of the relay. */
  handleDialFailed(dial: DialId, reason: string, afterMs: number, now: Millis): void {
    const upgraded = this.#datagrams.take(dial);
    if (upgraded) this.#datagrams.failed(upgraded, now);
    const errand = this.upkeep.takeErrand(dial);
    if (errand?.resumes) this.#returns.resumeFailed(errand.resumes, afterMs, now);
    else if (errand) {
      this.upkeep.failed(errand.peer, now, afterMs);
      if (reason !== tooSoon) this.resident?.unreachable(errand.peer, now);
    }
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
    if (refusal) return refusal;
    this.#census.touch();
    this.usedAt = now;
    return undefined;
  }

  /** A neighbour attaches another link to its session. False when there is no such session of this peer, or no place. */
  handleAttach(id: Uint8Array, caller: Caller, now: Millis): boolean {
    const known = this.#door.attach(id, caller, now);
    if (known) this.#census.touch();
    return known;
  }

  handleFrame(edge: Edge, link: LinkId, frame: Frame, now: Millis): void {
    this.usedAt = now;
    if (edge.away && frame.kind === "refuse") return this.#beginAnew(edge, link, now);
    if (!edge.welcomed && (frame.kind === "welcome" || frame.kind === "refuse")) {
      this.#handleAnswer(edge, frame, now);
      return;
    }
    for (const signal of edge.session.handleFrame(link, frame, now)) this.#handleSignal(edge, signal, now);
  }

  handleLinkClosed(edge: Edge, link: LinkId, now: Millis): void {
    this.#returns.linkClosed(edge, link, now);
  }

  /** A link was closed because what came on it broke the protocol: nobody is waited for who does that on the last one. */
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
    for (const edge of this.edges.all.slice()) this.end(edge);
  }

  /** This node's own process stood still for `ms`: neighbours are not to blame for what was not heard meanwhile. */
  forgive(ms: number, now: Millis): void {
    for (const edge of this.edges.all) edge.session.forgive(ms, now);
  }

  handleTimeout(now: Millis): void {
    this.#returns.handleTimeout(now);
    this.#datagrams.handleTimeout(this.edges.ups, now);
    this.upkeep.handleTimeout(now);
    this.runUpkeep(now);
    this.#tellCensus(now);
  }

  deadline(): Deadline | undefined {
    let soonest = this.upkeep.deadline();
    const consider = (other: Deadline | undefined): void => {
      if (other && (!soonest || other.at < soonest.at)) soonest = other;
    };
    for (const edge of this.edges.all) consider(edge.session.deadline());
    consider(this.#returns.deadline());
    consider(this.#datagrams.deadline());
    consider(this.#census.deadline(this.#censusFacts));
    return soonest;
  }

  runUpkeep(now: Millis): void {
    const facts: UpkeepFacts = {
      relays: this.#relays,
      rank: this.#rank,
      coreSize: this.view?.coreSize ?? 1,
      fanout: this.view?.relayFanout ?? 1,
      speaks: this.resident?.speaks() ?? false,
      wanted: this.resident?.wanted() ?? [],
      muted: this.#returns.muted,
      froze: (peer) => this.#returns.froze(peer),
    };
    // A relay without a member of its own waits for the view before it knows where it belongs.
    if (facts.rank !== undefined || this.resident) this.upkeep.run(facts, now);
    const { parent } = this.edges;
    if (parent) this.#feeds.settleWish(parent, now);
  }

  #takeView(view: RelayView, now: Millis): void {
    this.#relays = this.upkeep.learn(view.relays);
    this.#census.touch();
    this.spread.setView(view, now);
    this.resident?.view(view, now);
    this.runUpkeep(now);
  }

  #handleAnswer(edge: Edge, frame: Extract<Frame, { kind: "welcome" | "refuse" }>, now: Millis): void {
    if (frame.kind === "refuse") {
      this.end(edge);
      this.upkeep.refused(edge.peer, finalRefusals.has(frame.reason), now);
      this.#prefer(frame.alternatives);
      this.resident?.refused(edge.peer, frame.reason, now);
      this.runUpkeep(now);
      return;
    }
    edge.welcomed = true;
    this.#census.touch();
    edge.hops = frame.hops;
    this.upkeep.welcomed(edge.peer);
    if (this.#returns.isSurplus(edge)) return this.end(edge);
    this.#returns.settleFeed(edge, now);
    // What we hold may be newer: after a partition, or because we are the host.
    if (this.#wires.slots() || this.resident?.authority) this.notices.show(edge, now);
    this.#datagrams.start(edge);
    this.resident?.welcomed(edge, frame.time, now);
    this.runUpkeep(now);
  }

  #handleSignal(edge: Edge, signal: SessionSignal, now: Millis): void {
    switch (signal.kind) {
      case "media": {
        const passed = this.spread.receive(edge, signal.packet, signal.hops, now);
        if (passed && this.spread.wants(this.resident?.layer, passed, now)) this.resident?.packet(passed, now);
        break;
      }
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
        edge.session.end();
        this.#lost(edge, "its relay left", now);
        break;
      case "broken":
        this.spread.reject("session");
        edge.session.end();
        this.#lost(edge, "its relay broke the protocol", now);
        break;
      default:
        signal satisfies never;
    }
  }

  #handlePaper(edge: Edge, paper: Paper, now: Millis): void {
    switch (paper.kind) {
      case "view":
      case "state":
      case "petition":
      case "note":
      case "act":
        this.notices.handle(edge, paper, now);
        break;
      case "office":
        edge.holdsOffice = provesOffice(this.#crypto, edge, paper.proof, this.#asRelay);
        if (!edge.holdsOffice) this.spread.reject("office");
        break;
      case "census":
        if (this.#census.learn(edge, paper.census, this.#censusFacts)) this.resident?.census(paper.census);
        this.#tellCensus(now);
        break;
      case "feed":
        this.#census.touch();
        if (edge.direction === "down") this.#feeds.change(edge, paper, now);
        break;
      case "no-feed":
        if (edge.direction !== "up") break;
        edge.feed = false;
        this.upkeep.noFeed(edge.peer, now);
        this.#prefer(paper.alternatives);
        this.runUpkeep(now);
        break;
      case "replayed":
        this.#returns.replayed(edge, paper.packets, now);
        break;
      default:
        paper satisfies never;
    }
  }

  /** A relay that has no slot named others that do. */
  #prefer(relays: readonly RelayAddress[]): void {
    // Once there is a view, it alone says who the relays are and where.
    if (!this.view) this.learnHints(relays);
    this.upkeep.prefer(relays.map(peerOf).filter((peer) => this.#relays.includes(peer)));
  }

  #forget(edge: Edge): void {
    if (!this.edges.all.includes(edge)) return;
    this.#endedControlBytes += edge.session.controlBytes;
    this.edges.remove(edge);
    this.#census.touch();
    this.#datagrams.forget(edge);
    this.upkeep.forget(edge);
  }

  #blame(edge: Edge, now: Millis): void {
    if (!this.#grudges.charge(edge.peer, now) || !this.edges.all.includes(edge)) return;
    edge.session.end();
    this.#lost(edge, "its relay broke the protocol", now);
  }

  /** The far end knows the session no more: another begins on the same link. */
  #beginAnew(edge: Edge, link: LinkId, now: Millis): void {
    const { role, feed, peer } = edge;
    const kind = edge.session.release(link);
    this.end(edge);
    if (kind) this.#greet({ peer, role, feed, resumes: undefined }, link, kind, peer, now);
  }

  #lost(edge: Edge, reason: string, now: Millis): void {
    this.#forget(edge);
    if (edge.session.dialed && !edge.away) this.upkeep.failed(edge.peer, now);
    this.#returns.lost(edge, reason, now);
    this.runUpkeep(now);
  }

  /** This node's place among the room's relays, when it is one that lends. */
  get #rank(): number | undefined {
    const rank = this.view === undefined ? -1 : this.#relays.indexOf(this.#wires.self);
    return rank < 0 || !this.#wires.slots() ? undefined : rank;
  }

  get #asRelay(): { tag: RoomTag; self: PeerId; view: RelayView | undefined } {
    return { tag: this.tag, self: this.#wires.self, view: this.view };
  }

  get #censusFacts(): CensusFacts {
    const { self } = this.#wires;
    return { slots: this.#wires.slots(), relays: this.#relays, self, resident: this.resident !== undefined };
  }

  #tellCensus(now: Millis): void {
    if (!this.#census.tell(this.#censusFacts, now)) return;
    if (!this.edges.parent) this.resident?.census(this.#census.total(this.#censusFacts));
  }
}
