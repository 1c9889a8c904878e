import type { DialId, LinkId, Millis, PeerId, RoomTag } from "../../api/ids.ts";
import type { LinkKind, RelayAddress } from "../../api/link.ts";
import { equal } from "../bytes.ts";
import type { Crypto } from "../crypto.ts";
import type { Deadline } from "../machine.ts";
import type { RelayView } from "../room/view.ts";
import {
  alternativesMax,
  encodeFrame,
  type Frame,
  type Hello,
  peerOf,
  type Refusal,
  sessionVersion,
} from "../session/frames.ts";
import { Session, type SessionSignal } from "../session/session.ts";
import { refusalOf } from "./admission.ts";
import type { RoomResident, RoomWires } from "./room-wires.ts";
import { CensusTaker, type CensusFacts } from "./census.ts";
import { Datagrams } from "./datagrams.ts";
import { type Edge, Edges, newEdge } from "./edge.ts";
import { Feeds } from "./feeds.ts";
import { Grudges } from "./grudges.ts";
import { Notices } from "./notices.ts";
import { type Paper, parsePaper } from "./papers.ts";
import { Spread } from "./spread.ts";
import { coreOf } from "./plan.ts";
import { Upkeep, type UpkeepFacts } from "./upkeep.ts";

/** Refusals that a second try does not change. A room may still be on its way to a relay, and a slot may come free. */
const finalRefusals: ReadonlySet<Refusal> = new Set(["version", "only-own", "banned", "not-carrying", "protocol"]);
/** How long an address may be to be named in a refusal: three of them go into one frame. */
const alternativeBytesMax = 64;
/** Relays of the core that a voice is handed to at once, so that one may die. */
const voiceCopies = 2;

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
  #moveReason = "joined";
  readonly #datagrams: Datagrams;
  readonly #feeds: Feeds;
  readonly #grudges = new Grudges();
  readonly #crypto: Crypto;
  readonly #wires: RoomWires;

  constructor(tag: RoomTag, crypto: Crypto, wires: RoomWires, now: Millis) {
    this.tag = tag;
    this.#crypto = crypto;
    this.#wires = wires;
    this.usedAt = now;
    this.#census = new CensusTaker(this.edges, now);
    this.#datagrams = new Datagrams(wires.upgrade);
    this.spread = new Spread(crypto, this.edges, (edge, at) => this.#blame(edge, at));
    this.#feeds = new Feeds(this.spread, { slots: () => wires.slots(), alternatives: () => this.alternatives() });
    this.notices = new Notices(tag, crypto, this.edges, {
      viewTaken: (view, at) => this.#takeView(view, at),
      stateTaken: (bytes, at) => this.resident?.state(bytes, at),
      petitionSeen: (bytes, at) => {
        if (this.resident?.authority) this.resident.petition(bytes, at);
      },
      time: (at) => this.resident?.time(at) ?? at,
      noteSeen: (bytes, at) => this.resident?.note(bytes, at),
      fault: (reason, from, at) => {
        this.spread.reject(reason);
        this.#blame(from, at);
      },
      reject: (reason) => this.spread.reject(reason),
      end: (edge) => this.end(edge),
    });
    this.upkeep = new Upkeep(this.edges, {
      dial: (target) => wires.dial(target),
      cancel: (dial) => wires.cancel(dial),
      promote: (edge, at) => {
        this.#feeds.ask(edge, true, at);
        this.#datagrams.start(edge);
      },
      end: (edge) => this.end(edge),
      random: () => (crypto.randomBytes(1)[0] ?? 0) / 256,
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
    const found = drawn.map((peer) => relays[this.#relays.indexOf(peer)]);
    const short = found.filter((relay) => (relay?.addresses[0]?.length ?? Infinity) <= alternativeBytesMax);
    const chosen = short.filter((relay) => relay !== undefined).slice(0, alternativesMax);
    return chosen.map((relay) => ({ ...relay, addresses: relay.addresses.slice(0, 1) }));
  }

  /** Bytes of frames that were not media. */
  get controlBytes(): number {
    return this.edges.all.reduce((sum, edge) => sum + edge.session.controlBytes, this.#endedControlBytes);
  }

  /** Edges that media flows down to, of every kind. */
  get feeding(): number {
    return this.edges.downs.filter((edge) => edge.feed).length;
  }

  get children(): number {
    return this.edges.downs.filter((edge) => edge.feed && edge.role === "member").length;
  }

  /** Relays to try before there is a view: from an invite, a record, or a refusal. */
  learnHints(relays: readonly RelayAddress[]): void {
    const peers = this.upkeep.learn(relays).filter((peer) => peer !== this.#wires.self);
    if (!this.view) this.#relays = [...new Set([...this.#relays, ...peers])];
  }

  /** Sends a packet of our own voice: to two of the core, or to the parent. False when it was not accepted. */
  originate(packet: Uint8Array, now: Millis): boolean {
    const able = this.edges.ups.filter((edge) => edge.welcomed);
    const doubtful = new Set(able.filter((edge) => edge.session.isDoubtful).map((edge) => edge.peer));
    const isDead = (peer: PeerId): boolean => this.upkeep.isDead(peer, now) || doubtful.has(peer);
    const core = coreOf(this.#relays, this.view?.coreSize ?? 1, isDead);
    const sure = able.filter((edge) => core.includes(edge.peer)).slice(0, voiceCopies);
    const { parent } = this.edges;
    const ups = sure.length > 0 || !parent ? sure : [parent];
    // Who may be gone is spoken to as well as who would take its place.
    const also = able.filter((edge) => doubtful.has(edge.peer) && !ups.includes(edge)).slice(0, voiceCopies);
    return this.spread.originate(packet, [...ups, ...also], now);
  }

  /** A link that we dialed for this room is open. */
  handleDialed(dial: DialId, link: LinkId, kind: LinkKind, remote: PeerId, now: Millis): void {
    const upgraded = this.#datagrams.take(dial);
    if (upgraded) {
      if (this.edges.all.includes(upgraded)) upgraded.session.addLink(link, kind, true, now);
      else this.#wires.close(link);
      return;
    }
    const errand = this.upkeep.takeErrand(dial);
    if (!errand) {
      this.#wires.close(link);
      return;
    }
    const session = new Session(this.#crypto.randomBytes(16), remote, true, this.#wires, now);
    session.addLink(link, kind, false, now);
    const direction = errand.role === "core" ? "mesh" : "up";
    const feed = errand.feed && !(direction === "up" && this.edges.parent);
    this.edges.add(newEdge(session, errand.role, direction, feed, false, now));
    const proof = this.resident?.proof(remote, session.id);
    const have = feed ? this.spread.ring.have(now) : [];
    const hello: Hello = {
      kind: "hello",
      version: sessionVersion,
      session: session.id,
      tag: this.tag,
      role: errand.role,
      feed,
      have,
      proof,
    };
    session.sendFrame(hello);
  }

  handleDialFailed(dial: DialId, now: Millis): void {
    const upgraded = this.#datagrams.take(dial);
    if (upgraded) this.#datagrams.failed(upgraded, now);
    const errand = this.upkeep.takeErrand(dial);
    if (errand) {
      this.upkeep.failed(errand.peer, now);
      this.resident?.unreachable(errand.peer, now);
    }
    this.runUpkeep(now);
  }

  /** Somebody wants in. Returns a refusal, or undefined when it is now an edge. */
  handleHello(
    hello: Hello,
    link: LinkId,
    kind: LinkKind,
    remote: PeerId,
    proved: boolean,
    now: Millis,
  ): Refusal | undefined {
    if (this.#grudges.isShunned(remote, now)) return "protocol";
    const slots = this.#wires.slots();
    const refusal = refusalOf(hello, remote, {
      edges: this.edges,
      carries: slots !== undefined,
      children: slots?.used ?? 0,
      childrenMax: slots?.max ?? 0,
      feeding: slots?.feeding ?? 0,
      relays: this.#relays,
      proved,
    });
    if (refusal) return refusal;
    // Whoever comes again takes the place of its old self.
    const former = this.edges.downs.find((edge) => edge.peer === remote && edge.feed && edge.role === "member");
    if (former && hello.feed) this.end(former);
    const session = new Session(hello.session, remote, false, this.#wires, now);
    session.addLink(link, kind, false, now);
    const direction = hello.role === "core" ? "mesh" : "down";
    const edge = newEdge(session, hello.role, direction, hello.feed, proved, now);
    this.edges.add(edge);
    this.#census.touch();
    this.usedAt = now;
    const hops = (this.edges.parent?.hops ?? 0) + 1;
    session.sendFrame({ kind: "welcome", session: session.id, time: now, hops });
    this.notices.show(edge, now);
    if (hello.feed) this.#feeds.answer(edge, hello.have, now);
    return undefined;
  }

  /** A neighbour attaches another link to its session. False when there is no such session of this peer. */
  handleAttach(id: Uint8Array, link: LinkId, kind: LinkKind, remote: PeerId, now: Millis): boolean {
    const edge = this.edges.all.find((known) => known.peer === remote && equal(known.session.id, id));
    if (!edge) return false;
    if (!edge.session.linkIds.includes(link)) edge.session.addLink(link, kind, false, now);
    this.#wires.send(link, encodeFrame({ kind: "attached", session: id }));
    return true;
  }

  handleFrame(edge: Edge, link: LinkId, frame: Frame, now: Millis): void {
    this.usedAt = now;
    if (!edge.welcomed && (frame.kind === "welcome" || frame.kind === "refuse")) {
      this.#handleAnswer(edge, frame, now);
      return;
    }
    for (const signal of edge.session.handleFrame(link, frame, now)) this.#handleSignal(edge, signal, now);
  }

  handleLinkClosed(edge: Edge, link: LinkId, now: Millis): void {
    if (!edge.session.removeLink(link, now)) this.#lost(edge, "its relay is gone", now);
    else if (edge === this.edges.parent && this.edges.ups.some((other) => other !== edge && other.welcomed)) {
      this.#swap(edge, now);
    }
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
    for (const edge of this.edges.all.slice()) {
      edge.session.handleTimeout(now);
      if (edge.session.isSilent(now)) {
        edge.session.end();
        this.#lost(edge, "its relay fell silent", now);
      }
    }
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
    consider(this.#datagrams.deadline());
    consider(this.#census.deadline(this.#censusFacts));
    return soonest;
  }

  runUpkeep(now: Millis): void {
    const rank = this.view === undefined ? -1 : this.#relays.indexOf(this.#wires.self);
    const facts: UpkeepFacts = {
      relays: this.#relays,
      rank: rank < 0 || !this.#wires.slots() ? undefined : rank,
      coreSize: this.view?.coreSize ?? 1,
      fanout: this.view?.relayFanout ?? 1,
      speaks: this.resident?.speaks() ?? false,
      wanted: this.resident?.wanted() ?? [],
    };
    // A relay without a member of its own waits for the view before it knows where it belongs.
    if (facts.rank !== undefined || this.resident) this.upkeep.run(facts, now);
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
    const other = this.edges.ups.find((known) => known !== edge && known.feed && known.welcomed);
    if (edge.direction === "up" && edge.feed && other) {
      this.#feeds.ask(edge, false, now);
    }
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
        if (passed) this.resident?.packet(passed, now);
        break;
      }
      case "message": {
        const paper = parsePaper(signal.message);
        if (paper) this.#handlePaper(edge, paper, now);
        else this.spread.reject("paper");
        break;
      }
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
        this.notices.handle(edge, paper, now);
        break;
      case "census":
        if (this.#census.learn(edge, paper.census, this.#censusFacts)) this.resident?.census(paper.census);
        this.#tellCensus(now);
        break;
      case "feed":
        this.#census.touch();
        if (edge.direction === "down") this.#feeds.change(edge, paper.on, paper.have, now);
        break;
      case "no-feed":
        if (edge.direction !== "up") break;
        edge.feed = false;
        this.upkeep.noFeed(edge.peer, now);
        this.#prefer(paper.alternatives);
        this.runUpkeep(now);
        break;
      case "replayed":
        if (edge.direction === "up") this.resident?.moved(this.#moveReason, paper.packets, now);
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
  }

  #blame(edge: Edge, now: Millis): void {
    if (!this.#grudges.charge(edge.peer, now) || !this.edges.all.includes(edge)) return;
    edge.session.end();
    this.#lost(edge, "its relay broke the protocol", now);
  }

  /** A parent that lost a link changes places with the standby before it is known whether it lives ([OV7]). */
  #swap(parent: Edge, now: Millis): void {
    this.#feeds.ask(parent, false, now);
    this.#moveReason = "a link to its relay was lost";
    this.runUpkeep(now);
  }

  #lost(edge: Edge, reason: string, now: Millis): void {
    this.#forget(edge);
    if (edge.session.dialed) this.upkeep.failed(edge.peer, now);
    if (edge.direction === "up" && edge.feed) {
      this.#moveReason = reason;
      this.resident?.lost(now);
    }
    this.runUpkeep(now);
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
