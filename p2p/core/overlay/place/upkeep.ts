import { type DialId, type Millis, millis, type PeerId } from "../../../api/ids.ts";
import type { RelayAddress } from "../../../api/link.ts";
import type { Deadline } from "../../machine.ts";
import type { EdgeRole } from "../../session/frames.ts";
import type { Edge, Edges } from "../edge.ts";
import { AddressBook } from "./address-book.ts";
import { RelayHealth } from "./health.ts";
import { heirOf, reservesMax } from "../heal/reserves.ts";
import { planMember, planRelay } from "./plan.ts";

/**
 * Dials to new relays at once while there is no parent: they race, as Happy Eyeballs has it (RFC 8305), and who answers first is
 * near. Three, for of two somebody chosen by chance both are often across an ocean.
 */
const dialsAtOnce = 3;
/** A dial that has taken this long no longer keeps the next from starting: the least but one that RFC 8305 (section 5) recommends, for each of six round trips counts. */
const raceMs = 150;
/** A relay's place is by rank, and a backup is not in haste: for these a dial may take its six round trips. */
const patientMs = 1000;
/** Who let us in says within this long after its welcome when it has no slot; until then the others run on. */
const sureMs = 100;
/** Dials in the air, late ones included. */
const dialsMax = 8;
/** A stream that was lost is dialed again at once, unless so many dials went to this relay within `paceMs` (DESIGN.md, Transports). */
const paceDials = 3;
const paceMs = 60_000;
/** A stream that froze beside a data channel that does its work is not missed soon. */
const frozenBesideMs = 20_000;

/** What a dial in flight is for. */
export interface Errand {
  readonly peer: PeerId;
  readonly role: EdgeRole;
  readonly feed: boolean;
  /** The edge whose session the new link is to continue ([SS10]); undefined for a new one. */
  readonly resumes: Edge | undefined;
  /** Whether it is only a candidate for a parent, to be measured ([OV21]). */
  readonly trial: boolean;
  /** Whether it is none of the view's relays, but was offered by one. */
  readonly offered: boolean;
}

interface Flight extends Errand {
  /** Until then it keeps the next from starting; undefined once that is over. */
  raceUntil: Millis | undefined;
}

/** What upkeep asks of its room. */
export interface UpkeepWires {
  /** `fresh`: what connection there is to it is not to be used. */
  dial(target: RelayAddress, fresh: boolean): DialId;
  cancel(dial: DialId): void;
  /** Turns a standby edge into the parent. */
  promote(edge: Edge, now: Millis): void;
  end(edge: Edge): void;
  random(): number;
}

/** What the room knows when upkeep runs. */
export interface UpkeepFacts {
  /** Relays in rank order: from the view, or hints before there is one. */
  readonly relays: readonly PeerId[];
  /** This node's place in the order, when it is one of the relays. */
  readonly rank: number | undefined;
  readonly coreSize: number;
  readonly fanout: number;
  /** Whether our own microphone is or may be open. */
  readonly speaks: boolean;
  /** Relays that edges are kept to whatever the plan says: those that a host asked to carry. */
  readonly wanted: readonly PeerId[];
  /** Candidates are being tried: no backup need be dialed for meanwhile. */
  readonly placing: boolean;
  /** Who covers for a silent parent, the first to take its place when it is gone; or that nobody who is there does ([OV53]). */
  readonly cover: { readonly by: Edge | undefined; readonly isAlone: boolean };
  /** Media is not asked for: one edge without it is all that is kept ([OV16]). */
  readonly muted: boolean;
  /** Whether the last stream to a relay froze: it is tried after the others. */
  froze(peer: PeerId): boolean;
}

/**
 * Keeps one node of a room connected as it should be ([OV1]–[OV4], [OV7]): a parent and a standby below the core, or
 * siblings within it. Who does not answer is left alone for a while and counts as dead meanwhile.
 */
export class Upkeep {
  readonly #edges: Edges;
  readonly #wires: UpkeepWires;
  readonly #book: AddressBook;
  readonly #health: RelayHealth;
  readonly #errands = new Map<DialId, Flight>();
  readonly #draws = new Map<PeerId, number>();
  /** When edges that lack a stream are to be given one. */
  readonly #resumeAt = new Map<Edge, Millis>();
  #ranked: readonly PeerId[] = [];
  #wanted: readonly PeerId[] = [];
  /** When it is sure that who welcomed us feeds us too; undefined before there is somebody, and after that. */
  #sureAt: Millis | undefined;
  #isSure = false;
  #isCore = false;
  /** Relays to which something is open, perhaps, on which nothing comes any more: dialed anew, or one waits on it in vain ([SS12]). */
  readonly #mute = new Set<PeerId>();
  /** When each relay was dialed last, newest last. */
  readonly #dialedAt = new Map<PeerId, readonly Millis[]>();

  constructor(edges: Edges, wires: UpkeepWires) {
    this.#edges = edges;
    this.#wires = wires;
    const isNeeded = (peer: PeerId): boolean =>
      this.#ranked.includes(peer) || this.#wanted.includes(peer) || edges.ofPeer(peer) !== undefined;
    this.#book = new AddressBook(isNeeded, (peer) => this.#forgetAddress(peer));
    this.#health = new RelayHealth(() => wires.random());
  }

  /** Learns addresses; returns the peers in the order given. */
  learn(relays: readonly RelayAddress[]): PeerId[] {
    return this.#book.learn(relays);
  }

  /** Learns of somebody who lends though the view does not name it. */
  learnLender(address: RelayAddress): PeerId {
    return this.#book.learnLender(address, (peer) => this.#ranked.includes(peer));
  }

  /** The view names these no more: they are not hung below again because somebody had offered them too. */
  dismiss(peers: readonly PeerId[]): void {
    this.#book.dismiss(peers);
    for (const edge of this.#edges.ups) if (peers.includes(edge.peer)) edge.offered = false;
  }

  /** Dials a candidate for a parent ([OV21]). False when it cannot be tried now. */
  tryOut(address: RelayAddress, role: EdgeRole, now: Millis): boolean {
    const peer = this.learnLender(address);
    if (this.isDead(peer, now) || this.#edges.ofPeer(peer) || this.#errands.size >= dialsMax) return false;
    return this.#dial(peer, role, false, now, undefined, true);
  }

  /** Finds out whether a relay of the room lives: one that does not answer counts as dead. */
  probe(peer: PeerId, now: Millis): void {
    if (!this.isDead(peer, now) && !this.#edges.ofPeer(peer)) this.#dial(peer, "relay", false, now, undefined, true);
  }

  /** Whether this node is of the core, by the last plan. */
  get isCore(): boolean {
    return this.#isCore;
  }

  /** Addresses remembered. */
  get addressesKnown(): number {
    return this.#book.size;
  }

  get dialing(): number {
    return this.#errands.size;
  }

  /** Whether every relay named has failed or refused twice, or once for good, and none is being tried. */
  exhausted(relays: readonly PeerId[]): boolean {
    return this.#errands.size === 0 && relays.every((peer) => this.#health.isGivenUp(peer));
  }

  /** Takes what a dial was for, when it ends either way. */
  takeErrand(dial: DialId): Errand | undefined {
    const errand = this.#errands.get(dial);
    this.#errands.delete(dial);
    return errand;
  }

  /** Nobody answered, or it was too soon to ask: then `afterMs` says when it may be. */
  failed(peer: PeerId, now: Millis, afterMs = 0): void {
    if (afterMs > 0) return this.#health.postponed(peer, afterMs, now);
    this.#mute.add(peer);
    this.#health.failed(peer, now);
  }

  /** It answered, but not with yes. `final`: another try will not change that. */
  refused(peer: PeerId, final: boolean, now: Millis): void {
    this.#health.refused(peer, final, now);
  }

  /** An edge of ours lost its stream: another is dialed, at once if that was not done too often ([SS10], [SS11]). */
  streamLost(edge: Edge, now: Millis): void {
    this.#resumeAt.set(edge, this.#paced(edge.peer, now));
  }

  /** The same, because it froze. A data channel that goes on makes it no haste. */
  streamFroze(edge: Edge, now: Millis): void {
    const beside = edge.session.hasDatagrams ? now + frozenBesideMs : now;
    this.#resumeAt.set(edge, millis(Math.max(beside, this.#paced(edge.peer, now))));
  }

  /** On what is open to it nothing comes any more. */
  silent(peer: PeerId): void {
    this.#mute.add(peer);
  }

  /** It may be gone: it counts as dead for a moment, which says nothing about when to dial it. */
  suspect(peer: PeerId, now: Millis): void {
    this.#health.suspect(peer, now);
  }

  /** Dialing for a lost stream failed: it is tried again after the wait of any relay that does not answer. */
  resumeFailed(edge: Edge, now: Millis, afterMs: number): void {
    this.failed(edge.peer, now, afterMs);
    this.#resumeAt.set(edge, this.#health.deadUntil(edge.peer) ?? now);
  }

  /** Nobody is to come back to this edge. */
  forget(edge: Edge): void {
    this.#resumeAt.delete(edge);
    // The link that comes of it may still open a new session.
    for (const [dial, errand] of this.#errands) {
      if (errand.resumes === edge) this.#errands.set(dial, { ...errand, resumes: undefined });
    }
  }

  /** It has no slot for media; it may stay a standby. */
  noFeed(peer: PeerId, now: Millis): void {
    this.#health.noFeed(peer, now);
  }

  /** Whether it said so a moment ago. */
  hasNoSlot(peer: PeerId): boolean {
    return this.#health.hasNoSlot(peer);
  }

  /** Tries these next, in this order: somebody who knows says that they have room. */
  prefer(peers: readonly PeerId[]): void {
    peers.forEach((peer, index) => this.#draws.set(peer, index - peers.length));
  }

  welcomed(peer: PeerId): void {
    // What was preferred once is one among others when it comes to the next time.
    if ((this.#draws.get(peer) ?? 0) < 0) this.#draws.delete(peer);
    this.#mute.delete(peer);
    this.#health.welcomed(peer);
  }

  isDead(peer: PeerId, now: Millis): boolean {
    return (this.#health.deadUntil(peer) ?? 0) > now;
  }

  /** Whether there are a parent and all standbys, beside this one. */
  isSettled(beside?: Edge): boolean {
    const others = this.#edges.ups.filter((edge) => edge !== beside && edge.welcomed && !edge.away);
    return this.#edges.parent !== undefined && others.length > reservesMax;
  }

  /** Brings the edges nearer to the plan. Call after every change, and at the deadline. */
  run(facts: UpkeepFacts, now: Millis): void {
    const dead = (peer: PeerId): boolean => this.isDead(peer, now);
    this.#ranked = facts.relays;
    this.#wanted = facts.wanted;
    this.#isCore = false;
    this.#leaveStrangers(facts);
    this.#resume(facts, now);
    for (const peer of facts.wanted) {
      if (!dead(peer) && !this.#edges.ofPeer(peer)) this.#dial(peer, "member", false, now);
    }
    if (facts.rank === undefined) {
      if (this.#edges.parent) this.#callOff(now);
      // With a parent and a standby there is nothing to choose: to put all known relays in order is dear.
      if (!facts.muted && !facts.cover.isAlone && this.#isHanging(facts)) return;
      const known = [...new Set([...facts.relays, ...this.#book.lenders])];
      const plan = planMember(known, facts.coreSize, facts.speaks, dead, (peer) => this.#turn(peer));
      const order = plan.sort((a, b) => Number(facts.froze(a)) - Number(facts.froze(b)));
      if (facts.muted) this.#hangMuted(order, facts.wanted, now);
      else this.#hangBelow(order, "member", facts, now);
      return;
    }
    // Whoever rose for one that is dead stays in the core until that one answers: by a wait that is over it does not live.
    const absent = (peer: PeerId): boolean => this.#health.isAbsent(peer, now);
    this.#isCore = planRelay(facts.relays, facts.rank, facts.coreSize, facts.fanout, absent).core;
    if (this.#isCore)
      this.#joinCore(
        facts.relays.slice(0, facts.rank).filter((peer) => !dead(peer)),
        now,
      );
    else {
      const plan = planRelay(facts.relays, facts.rank, facts.coreSize, facts.fanout, dead);
      for (const edge of this.#edges.meshes) if (edge.session.dialed) this.#wires.end(edge);
      this.#hangBelow(plan.parents, "relay", facts, now);
    }
  }

  deadline(): Deadline | undefined {
    let { soonest } = this.#health;
    for (const until of this.#resumeAt.values()) if (until < soonest) soonest = until;
    for (const { raceUntil } of this.#errands.values()) {
      if (raceUntil !== undefined && raceUntil < soonest) soonest = raceUntil;
    }
    if (this.#sureAt !== undefined && this.#sureAt < soonest) soonest = this.#sureAt;
    return soonest === Infinity ? undefined : { at: millis(soonest), reason: "try a relay again" };
  }

  handleTimeout(now: Millis): void {
    this.#health.handleTimeout(now);
    if (this.#sureAt !== undefined && this.#sureAt <= now) {
      this.#sureAt = undefined;
      this.#isSure = true;
    }
    for (const errand of this.#errands.values()) {
      if (errand.raceUntil !== undefined && errand.raceUntil <= now) errand.raceUntil = undefined;
    }
  }

  /** Who fell out of the view is fed by nobody any more: what it sends on is only what its own neighbours say. */
  #leaveStrangers({ relays, wanted }: UpkeepFacts): void {
    if (relays.length === 0) return;
    for (const edge of [...this.#edges.ups, ...this.#edges.meshes]) {
      if (!edge.offered && !relays.includes(edge.peer) && !wanted.includes(edge.peer)) this.#wires.end(edge);
    }
  }

  /** Gives edges that lack a stream another, for the same session. */
  #resume({ wanted }: UpkeepFacts, now: Millis): void {
    for (const [edge, at] of this.#resumeAt) {
      if (at > now) continue;
      this.#resumeAt.delete(edge);
      if (edge.session.hasStream) continue;
      // A place that another has taken meanwhile is not taken back.
      const missed = edge.direction !== "up" || !edge.away || wanted.includes(edge.peer);
      if (!missed && this.isSettled(edge)) this.#wires.end(edge);
      else this.#dial(edge.peer, edge.role, edge.feed, now, edge);
    }
  }

  /** When a relay may be dialed out of turn. */
  #paced(peer: PeerId, now: Millis): Millis {
    const first = this.#dialedAt.get(peer)?.at(-paceDials);
    return first === undefined ? now : millis(Math.max(now, first + paceMs));
  }

  /** Dials in the race for this edge, or for new ones. */
  #racing(edge: Edge | undefined): number {
    const flights = [...this.#errands.values()];
    return flights.filter(({ raceUntil, resumes }) => raceUntil !== undefined && resumes === edge).length;
  }

  /** Whether somebody who is away is on the way back. */
  #isComing(edge: Edge): boolean {
    return !edge.session.isSevered || this.#racing(edge) > 0;
  }

  #joinCore(siblings: readonly PeerId[], now: Millis): void {
    for (const edge of this.#edges.ups) this.#wires.end(edge);
    for (const peer of siblings) {
      if (!this.#edges.ofPeer(peer)) this.#dial(peer, "core", true, now);
    }
  }

  /** One edge without media is enough to read and write by, and costs few bytes. */
  #hangMuted(order: readonly PeerId[], wanted: readonly PeerId[], now: Millis): void {
    const ups = this.#edges.ups.toSorted(
      (a, b) => Number(a.away) - Number(b.away) || b.session.lastHeardAt - a.session.lastHeardAt,
    );
    for (const edge of ups.slice(1)) if (!wanted.includes(edge.peer)) this.#wires.end(edge);
    const next = order.find((peer) => !this.#edges.ofPeer(peer));
    const there = ups.some((edge) => !edge.away || this.#isComing(edge));
    if (!there && next !== undefined && this.#racing(undefined) === 0) this.#dial(next, "member", false, now);
  }

  /**
   * Whether it hangs below somebody who feeds it, and has a standby, or looks for one. A relay, on whom many hang, and who
   * speaks, whom all hear, dial for all of them: others find theirs by [OV21].
   */
  #isHanging({ placing, rank, speaks }: UpkeepFacts): boolean {
    const { parent, all } = this.#edges;
    if (!parent || placing) return parent !== undefined;
    const isStandby = (edge: Edge): boolean => edge !== parent && (!edge.away || this.#isComing(edge));
    const standbys = all.filter((edge) => edge.direction === "up" && isStandby(edge)).length;
    return standbys >= (speaks || rank !== undefined ? reservesMax : 1);
  }

  #hangBelow(order: readonly PeerId[], role: EdgeRole, facts: UpkeepFacts, now: Millis): void {
    const { cover } = facts;
    const heir = this.#edges.parent
      ? undefined
      : heirOf(this.#edges, role === "relay" ? order : undefined, cover.by, this);
    if (heir) this.#wires.promote(heir, now);
    const feeding = this.#edges.ups.some((edge) => edge.feed && !edge.away);
    const fresh = order.filter((peer) => !this.#edges.ofPeer(peer));
    if (!feeding || !this.#edges.parent || cover.isAlone) {
      this.#sureAt = undefined;
      this.#isSure = false;
      const able = fresh.filter((peer) => !this.hasNoSlot(peer));
      // A relay's place is fixed by rank ([OV2]): it asks one after the other, where a member takes who answers first.
      const atOnce = role === "relay" && !cover.isAlone ? 1 : dialsAtOnce;
      for (const peer of able) {
        if (this.#racing(undefined) < atOnce && this.#errands.size < dialsMax) this.#dial(peer, role, true, now);
      }
      return;
    }
    // A second dial that lost the race is the standby, also while its answer is on the way.
    if (this.#isHanging(facts)) return;
    const next = fresh[0];
    if (next !== undefined && this.#racing(undefined) === 0) this.#dial(next, role, false, now);
  }

  /** Once a race is won for sure, of those who still run only one need arrive, to become the standby where there is none. */
  #callOff(now: Millis): void {
    const running = [...this.#errands].filter(([, errand]) => races(errand));
    if (running.length === 0) return;
    if (!this.#isSure) {
      this.#sureAt ??= millis(now + sureMs);
      return;
    }
    const { parent, ups } = this.#edges;
    const standby = ups.some((edge) => edge !== parent && !edge.away);
    for (const [dial] of running.slice(standby ? 0 : 1)) {
      this.#errands.delete(dial);
      this.#wires.cancel(dial);
    }
  }

  #dial(peer: PeerId, role: EdgeRole, feed: boolean, now: Millis, resumes?: Edge, trial = false): boolean {
    const target = this.#book.addressOf(peer);
    const pending = [...this.#errands.values()].some((errand) => errand.peer === peer);
    if (!target || pending) return false;
    this.#dialedAt.set(peer, [...(this.#dialedAt.get(peer) ?? []), now].slice(-paceDials));
    const dial = this.#wires.dial(target, resumes !== undefined || this.#mute.has(peer));
    const offered = this.#book.isLender(peer);
    // A trial is in nobody's way.
    const hurries = feed && role === "member" && !resumes;
    const raceUntil = trial ? undefined : millis(now + (hurries ? raceMs : patientMs));
    this.#errands.set(dial, { peer, role, feed, resumes, trial, offered, raceUntil });
    return true;
  }

  #forgetAddress(peer: PeerId): void {
    for (const map of [this.#draws, this.#dialedAt, this.#mute]) map.delete(peer);
    this.#health.forget(peer);
  }

  /** Relays of the room before others who lend: those can be dialed from everywhere, and know who has room. */
  #turn(peer: PeerId): number {
    const draw = this.#draw(peer);
    return draw < 0 || this.#ranked.includes(peer) ? draw : draw + 1;
  }

  #draw(peer: PeerId): number {
    const known = this.#draws.get(peer) ?? this.#wires.random();
    this.#draws.set(peer, known);
    return known;
  }
}

/** Whether a dial is one of those to become a member's parent: who comes first does. */
function races({ feed, role, resumes, trial }: Errand): boolean {
  return feed && role === "member" && !resumes && !trial;
}
