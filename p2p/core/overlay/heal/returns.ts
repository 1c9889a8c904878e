import type { LinkId, Millis, PeerId } from "../../../api/ids.ts";
import type { LinkKind } from "../../../api/link.ts";
import type { Deadline } from "../../machine.ts";
import type { Cover } from "./cover.ts";
import type { Datagrams } from "../media/datagrams.ts";
import type { Edge, Edges } from "../edge.ts";
import type { Feeds } from "../media/feeds.ts";
import { FreezeWatch, type Received } from "./freeze.ts";
import type { RoomResident } from "../room-wires.ts";
import type { Upkeep } from "../place/upkeep.ts";

/** What returns need of their room. */
export interface ReturnWires {
  received(link: LinkId): Received;
  /** The edge is gone for good. */
  lost(edge: Edge, reason: string, now: Millis): void;
  runUpkeep(now: Millis): void;
  end(edge: Edge): void;
  /** A session lost a link of its own accord, or somebody's place has become anybody's. */
  changed(): void;
  resident(): RoomResident | undefined;
  /** Relays that this node may hang below; undefined for one that is a relay of the room itself. */
  relays(): readonly PeerId[] | undefined;
}

/** Until there was a parent to lose. */
const comesIn = "joined";

/** The parts of a room that returns work with. */
export interface ReturnParts {
  readonly edges: Edges;
  readonly upkeep: Upkeep;
  readonly feeds: Feeds;
  readonly datagrams: Datagrams;
  readonly cover: Cover;
}

/**
 * What becomes of an edge whose links are cut or freeze ([SS10]–[SS12], [OV16]): it is kept, dialed for and continued, or
 * another takes its place, or nobody is asked for media any more.
 */
export class Returns {
  readonly #parts: ReturnParts;
  readonly #wires: ReturnWires;
  readonly #freezes = new FreezeWatch();
  #moveReason: string = comesIn;
  /** What the backup brought while it covered, before it became the parent. */
  #coverPackets = 0;
  /** Left because nothing came; its streams may turn out to be frozen. */
  readonly #leftSilent = new WeakSet<Edge>();
  /** Continued on a new link; what it replays now is no move. */
  #cameBack: Edge | undefined;

  constructor(parts: ReturnParts, wires: ReturnWires) {
    this.#parts = parts;
    this.#wires = wires;
  }

  /** Whether media is not asked for now. */
  get muted(): boolean {
    return this.#freezes.muted;
  }

  /** The last stream to this relay froze. */
  froze(peer: PeerId): boolean {
    return this.#freezes.froze(peer);
  }

  /** Continues a session on a new link, and asks for what was missed. */
  attach(edge: Edge, link: LinkId, kind: LinkKind, now: Millis): void {
    edge.session.addLink(link, kind, true, now);
    if (!edge.away || edge.direction !== "up" || !(edge.feed || this.muted)) return;
    this.#parts.feeds.ask(edge, !this.#parts.edges.parent && !this.muted, now, this.muted);
  }

  /** The far end took the new link of an edge that was away. */
  isBack(edge: Edge, now: Millis): void {
    edge.away = false;
    this.#parts.upkeep.welcomed(edge.peer);
    if (this.isSurplus(edge)) return this.#wires.end(edge);
    this.settleFeed(edge, now);
    if (edge.direction === "up" && edge.feed) this.#cameBack = edge;
    this.#parts.datagrams.start(edge);
    this.#wires.runUpkeep(now);
  }

  /** Parent and standby are there without it, and nobody else wants it. */
  isSurplus(edge: Edge): boolean {
    const { edges, cover } = this.#parts;
    // Where nobody covers, whoever comes is asked to.
    if (edge.direction !== "up" || edge === edges.parent || cover.isAlone) return false;
    return this.#parts.upkeep.isSettled(edge) && this.#wires.resident()?.wanted().includes(edge.peer) !== true;
  }

  /** Media comes down one edge only, and down none while it is not asked for. */
  settleFeed(edge: Edge, now: Millis): void {
    if (edge.direction !== "up") return;
    const feeds = (other: Edge): boolean => other.feed && other.welcomed && !other.away;
    const other = this.#parts.edges.ups.some((known) => known !== edge && feeds(known));
    if (this.muted || (edge.feed && other)) this.#parts.feeds.ask(edge, false, now, this.muted);
  }

  /** A standby becomes the parent. */
  promote(edge: Edge, now: Millis): void {
    this.#cameBack = undefined;
    // It feeds us already, whatever it said when it had no slot.
    if (edge === this.#parts.cover.by) edge.waits = false;
    this.#parts.feeds.ask(edge, true, now);
    this.#parts.datagrams.start(edge);
  }

  /** The backup covered so long that it becomes the parent ([OV40]); it feeds already, so nothing is missed. */
  move(from: Edge, to: Edge, reason: string, packets: number, now: Millis): void {
    this.#moveReason = reason;
    this.#coverPackets = packets;
    this.#leftSilent.add(from);
    this.#parts.feeds.ask(from, false, now);
    this.#parts.upkeep.suspect(from.peer, now);
    this.promote(to, now);
    this.#wires.runUpkeep(now);
  }

  /** One link of an edge closed. */
  linkClosed(edge: Edge, link: LinkId, now: Millis): void {
    const { session } = edge;
    const stream = session.hasStream;
    if (!session.removeLink(link, now)) return this.#severed(edge, "its relay is gone", now);
    if (session.dialed && stream && !session.hasStream) this.#parts.upkeep.streamLost(edge, now);
    this.#parts.cover.suspect(edge, now);
  }

  /** Dialing for an edge failed. With a parent, or nothing to lose, who does not answer is not waited for. */
  resumeFailed(edge: Edge, afterMs: number, now: Millis): void {
    const { upkeep, edges } = this.#parts;
    if (!edge.away || (edge.direction === "up" && !edges.parent)) upkeep.resumeFailed(edge, now, afterMs);
    else this.#wires.lost(edge, "its relay is gone", now);
  }

  /** The parent is gone for good, or what it sent was. */
  lost(edge: Edge, reason: string, now: Millis): void {
    if (edge.direction !== "up" || !edge.feed) return;
    if (!edge.away) this.#moveReason = reason;
    this.#coverPackets = this.#parts.cover.lost(now);
    this.#wires.resident()?.lost(now);
  }

  /** A parent told how many packets of the hole it sent again. */
  replayed(edge: Edge, packets: number, now: Millis): void {
    if (edge.direction !== "up") return;
    const all = packets + this.#coverPackets;
    if (edge === this.#cameBack) this.#wires.resident()?.covered("its connection was cut", all, now);
    // Who comes in moves from nowhere.
    else if (this.#moveReason !== comesIn) this.#wires.resident()?.moved(this.#moveReason, all, now);
    this.#coverPackets = 0;
    this.#cameBack = undefined;
  }

  /** A session gave up a stream on which nothing came any more. Called before the link is closed. */
  noteSilence(link: LinkId): void {
    const edge = this.#parts.edges.ofLink(link);
    if (edge?.direction !== "up" || !edge.welcomed) return;
    this.#parts.upkeep.silent(edge.peer);
    const fed = edge.feed || this.#leftSilent.has(edge);
    this.#freezes.silent(edge.peer, this.#wires.received(link), fed && !edge.session.hasDatagrams);
    edge.session.prefersDatagrams = this.#freezes.isFrozen(edge.peer);
  }

  /** Media is asked for again, wherever it froze. */
  tryAgain(now: Millis): void {
    this.#freezes.forget();
    this.#wires.runUpkeep(now);
  }

  handleTimeout(now: Millis): void {
    for (const edge of this.#parts.edges.all.slice()) if (edge.session.bound.at <= now) this.#watch(edge, now);
    if (this.#freezes.isDue(now)) this.#freezes.tryAgain();
    if (!this.#freezes.suspects) return;
    for (const edge of this.#parts.edges.ups) {
      for (const link of edge.session.linkIds) this.#freezes.alive(edge.peer, this.#wires.received(link));
    }
  }

  deadline(): Deadline | undefined {
    return this.#freezes.deadline();
  }

  /** Wakes a session, and gives up a far end that fell silent or did not come back. */
  #watch(edge: Edge, now: Millis): void {
    const { session } = edge;
    const { hasStream: stream, hasDatagrams: datagrams, keepsPlace: place } = session;
    session.handleTimeout(now);
    if (stream !== session.hasStream || datagrams !== session.hasDatagrams || place !== session.keepsPlace)
      this.#wires.changed();
    if (session.isOver(now)) {
      session.end();
      this.#wires.lost(edge, "its relay is gone", now);
    } else if (session.isSilent(now)) {
      session.sever(now);
      // First, so that no standby is asked for what it cannot give.
      const mutes = this.#judge(now);
      if (!this.#leaveFrozen(edge, now)) this.#severed(edge, "its relay fell silent", now);
      if (mutes) this.#mute(now);
    } else if (session.dialed && stream && !session.hasStream) this.#parts.upkeep.streamFroze(edge, now);
  }

  /** A relay to which streams freeze is left for one to which none did yet. True when it was. */
  #leaveFrozen(edge: Edge, now: Millis): boolean {
    // Who is asked for no media stays: what was said meanwhile is still on its lane.
    if (this.muted || !this.froze(edge.peer)) return false;
    const { edges, upkeep } = this.#parts;
    const better = (peer: PeerId): boolean => !this.froze(peer) && !edges.ofPeer(peer) && !upkeep.isDead(peer, now);
    if (!this.#wires.relays()?.some(better)) return false;
    this.#wires.lost(edge, "its relay fell silent", now);
    return true;
  }

  #judge(now: Millis): boolean {
    const relays = this.#wires.relays()?.filter((peer) => !this.#parts.upkeep.isDead(peer, now) || this.froze(peer));
    return relays !== undefined && this.#freezes.judge(relays, now);
  }

  #mute(now: Millis): void {
    for (const edge of this.#parts.edges.ups) if (edge.welcomed && !edge.away) this.settleFeed(edge, now);
    this.#wires.resident()?.muted();
    this.#wires.runUpkeep(now);
  }

  /** An edge lost its last link. Who was let in is waited for; whoever dialed dials again; the standby feeds us meanwhile. */
  #severed(edge: Edge, reason: string, now: Millis): void {
    if (!edge.welcomed) return this.#wires.lost(edge, reason, now);
    this.lost(edge, reason, now);
    edge.away = true;
    if (!edge.session.dialed) return;
    this.#parts.upkeep.suspect(edge.peer, now);
    this.#parts.upkeep.streamLost(edge, now);
    this.#wires.runUpkeep(now);
  }
}
