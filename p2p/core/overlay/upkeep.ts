import { type DialId, type Millis, millis, type PeerId } from "../../api/ids.ts";
import type { RelayAddress } from "../../api/link.ts";
import type { Deadline } from "../machine.ts";
import { type EdgeRole, peerOf } from "../session/frames.ts";
import type { Edge, Edges } from "./edge.ts";
import { planMember, planRelay } from "./plan.ts";

/** Dials at once while there is no parent: the second races the first, as Happy Eyeballs does (RFC 8305). */
const dialsAtOnce = 2;
/** A relay that failed once is left alone this long, doubling: at most three dials a minute go to one address. */
const retryMsFirst = 1000;
const retryMsMax = 30_000;
/** A relay that is full or does not know the room yet is asked again after this long. */
const refusedMs = 1500;

/** A way in is given up after so many tries: the first may meet a hiccup. */
const triesMin = 2;

/** What a dial in flight is for. */
export interface Errand {
  readonly peer: PeerId;
  readonly role: EdgeRole;
  readonly feed: boolean;
}

interface Health {
  readonly failures: number;
  /** Failures and refusals together; a refusal for good counts as many. */
  readonly tries: number;
  /** Counts as dead until then; undefined once the wait is over. */
  until: Millis | undefined;
}

/** What upkeep asks of its room. */
export interface UpkeepWires {
  dial(target: RelayAddress): DialId;
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
}

/**
 * Keeps one node of a room connected as it should be ([OV1]–[OV4], [OV7]): a parent and a standby below the core, or
 * siblings within it. Who does not answer is left alone for a while and counts as dead meanwhile.
 */
export class Upkeep {
  readonly #edges: Edges;
  readonly #wires: UpkeepWires;
  readonly #addresses = new Map<PeerId, RelayAddress>();
  readonly #health = new Map<PeerId, Health>();
  readonly #noFeedUntil = new Map<PeerId, Millis>();
  readonly #errands = new Map<DialId, Errand>();
  readonly #draws = new Map<PeerId, number>();

  constructor(edges: Edges, wires: UpkeepWires) {
    this.#edges = edges;
    this.#wires = wires;
  }

  /** Learns addresses; returns the peers in the order given. */
  learn(relays: readonly RelayAddress[]): PeerId[] {
    return relays.map((relay) => {
      const peer = peerOf(relay);
      this.#addresses.set(peer, relay);
      return peer;
    });
  }

  get dialing(): number {
    return this.#errands.size;
  }

  /** Whether every relay named has failed or refused twice, or once for good, and none is being tried. */
  exhausted(relays: readonly PeerId[]): boolean {
    return this.#errands.size === 0 && relays.every((peer) => (this.#health.get(peer)?.tries ?? 0) >= triesMin);
  }

  /** Takes what a dial was for, when it ends either way. */
  takeErrand(dial: DialId): Errand | undefined {
    const errand = this.#errands.get(dial);
    this.#errands.delete(dial);
    return errand;
  }

  failed(peer: PeerId, now: Millis): void {
    const known = this.#health.get(peer);
    const failures = (known?.failures ?? 0) + 1;
    const waitMs = Math.min(retryMsMax, retryMsFirst * 2 ** (failures - 1)) * (0.75 + this.#wires.random() / 2);
    this.#health.set(peer, { failures, tries: (known?.tries ?? 0) + 1, until: millis(now + waitMs) });
  }

  /** It answered, but not with yes. `final`: another try will not change that. */
  refused(peer: PeerId, final: boolean, now: Millis): void {
    const known = this.#health.get(peer);
    const tries = (known?.tries ?? 0) + (final ? triesMin : 1);
    this.#health.set(peer, { failures: known?.failures ?? 0, tries, until: millis(now + refusedMs) });
  }

  /** It has no slot for media; it may stay a standby. */
  noFeed(peer: PeerId, now: Millis): void {
    this.#noFeedUntil.set(peer, millis(now + refusedMs));
  }

  /** Tries these next, in this order: somebody who knows says that they have room. */
  prefer(peers: readonly PeerId[]): void {
    peers.forEach((peer, index) => this.#draws.set(peer, index - peers.length));
  }

  welcomed(peer: PeerId): void {
    // What was preferred once is one among others when it comes to the next time.
    if ((this.#draws.get(peer) ?? 0) < 0) this.#draws.delete(peer);
    this.#health.delete(peer);
  }

  isDead(peer: PeerId, now: Millis): boolean {
    return (this.#health.get(peer)?.until ?? 0) > now;
  }

  /** Brings the edges nearer to the plan. Call after every change, and at the deadline. */
  run(facts: UpkeepFacts, now: Millis): void {
    const dead = (peer: PeerId): boolean => this.isDead(peer, now);
    for (const peer of facts.wanted) {
      if (!dead(peer) && !this.#edges.ofPeer(peer)) this.#dial(peer, "member", false);
    }
    if (facts.rank === undefined) {
      const order = planMember(facts.relays, facts.coreSize, facts.speaks, dead, (peer) => this.#draw(peer));
      this.#hangBelow(order, "member", now);
      return;
    }
    const plan = planRelay(facts.relays, facts.rank, facts.coreSize, facts.fanout, dead);
    if (plan.core) this.#joinCore(plan.siblings);
    else {
      for (const edge of this.#edges.meshes) if (edge.session.dialed) this.#wires.end(edge);
      this.#hangBelow(plan.parents, "relay", now);
    }
  }

  deadline(): Deadline | undefined {
    let soonest: Millis | undefined;
    const waits = [...this.#noFeedUntil.values(), ...[...this.#health.values()].map((health) => health.until)];
    for (const until of waits) {
      if (until !== undefined && (soonest === undefined || until < soonest)) soonest = until;
    }
    return soonest === undefined ? undefined : { at: soonest, reason: "try a relay again" };
  }

  /** Lets waits that are over be forgotten; failures are remembered until a welcome. */
  handleTimeout(now: Millis): void {
    for (const [peer, until] of this.#noFeedUntil) if (until <= now) this.#noFeedUntil.delete(peer);
    for (const health of this.#health.values()) {
      if (health.until !== undefined && health.until <= now) health.until = undefined;
    }
  }

  #joinCore(siblings: readonly PeerId[]): void {
    for (const edge of this.#edges.ups) this.#wires.end(edge);
    for (const peer of siblings) {
      if (!this.#edges.ofPeer(peer)) this.#dial(peer, "core", true);
    }
  }

  #hangBelow(order: readonly PeerId[], role: EdgeRole, now: Millis): void {
    if (!this.#edges.parent) this.#promoteStandby(order, now);
    const feeding = this.#edges.ups.some((edge) => edge.feed);
    const fresh = order.filter((peer) => !this.#edges.ofPeer(peer));
    if (!feeding || !this.#edges.parent) {
      const able = fresh.filter((peer) => !this.#noFeedUntil.has(peer));
      // A relay's place is fixed by rank ([OV2]): it asks one after the other, where a member takes who answers first.
      const atOnce = role === "relay" ? 1 : dialsAtOnce;
      for (const peer of able.slice(0, atOnce)) if (this.#errands.size < atOnce) this.#dial(peer, role, true);
      return;
    }
    // A second dial that lost the race is the standby, also while its answer is on the way.
    const standby = this.#edges.ups.some((edge) => edge !== this.#edges.parent);
    const next = fresh[0];
    if (!standby && next !== undefined && this.#errands.size === 0) this.#dial(next, role, false);
  }

  #promoteStandby(order: readonly PeerId[], now: Millis): void {
    const able = this.#edges.ups.filter((edge) => edge.welcomed && !edge.feed && !this.#noFeedUntil.has(edge.peer));
    const weight = (edge: Edge): number => order.indexOf(edge.peer) + (edge.session.isDoubtful ? order.length + 1 : 0);
    const best = able.sort((a, b) => weight(a) - weight(b))[0];
    if (best) this.#wires.promote(best, now);
  }

  #dial(peer: PeerId, role: EdgeRole, feed: boolean): void {
    const target = this.#addresses.get(peer);
    const pending = [...this.#errands.values()].some((errand) => errand.peer === peer);
    if (target && !pending) this.#errands.set(this.#wires.dial(target), { peer, role, feed });
  }

  #draw(peer: PeerId): number {
    const known = this.#draws.get(peer) ?? this.#wires.random();
    this.#draws.set(peer, known);
    return known;
  }
}
