import type { LinkId, Millis, PeerId } from "../../../api/ids.ts";
import type { LinkKind } from "../../../api/link.ts";
import { equal } from "../../bytes.ts";
import { encodeFrame, type Hello, type Refusal } from "../../session/frames.ts";
import { Session } from "../../session/session.ts";
import type { SessionWires } from "../../session/signals.ts";
import { refusalOf } from "./admission.ts";
import { type Edge, type Edges, newEdge } from "../edge.ts";
import type { Feeds } from "../media/feeds.ts";

/** A link that somebody else opened. */
export interface Caller {
  readonly link: LinkId;
  readonly kind: LinkKind;
  /** Who it is, as the link proved. */
  readonly remote: PeerId;
}

/** What the door needs of its room. */
export interface DoorWires {
  readonly session: SessionWires;
  slots(): { readonly used: number; readonly max: number; readonly feeding: number } | undefined;
  /** Why a member is not let in whatever room there is, by the doors that the view names. */
  shutFrom(hello: Hello, remote: PeerId): Refusal | undefined;
  /** Relays of the room, by the view. */
  relays(): readonly PeerId[];
  /** Whether somebody may be fed here as the tree stands. */
  mayFeed(peer: PeerId): boolean;
  /** Whether it may have a slot that is kept: our parent said that it comes, or there is none elsewhere. */
  favours(peer: PeerId, now: Millis): boolean;
  /** Gives a new neighbour what is held. */
  show(edge: Edge, now: Millis): void;
  end(edge: Edge): void;
}

/** Where others come in: with a hello for the first time ([OV8]), or back to a session that is kept for them ([SS10]). */
export class Door {
  readonly #edges: Edges;
  readonly #feeds: Feeds;
  readonly #wires: DoorWires;

  constructor(edges: Edges, feeds: Feeds, wires: DoorWires) {
    this.#edges = edges;
    this.#feeds = feeds;
    this.#wires = wires;
  }

  /** Somebody wants in. Returns a refusal, or undefined when it is now an edge. */
  enter(hello: Hello, { link, kind, remote }: Caller, proved: boolean, now: Millis): Refusal | undefined {
    const shut = proved ? undefined : this.#wires.shutFrom(hello, remote);
    if (shut) return shut;
    // Whoever comes again takes the place of its old self.
    for (const edge of this.#edges.all.slice()) {
      if (edge.peer === remote && !edge.session.dialed && edge.session.isSevered) this.#wires.end(edge);
    }
    const fed = hello.feed && this.#mayBeFed(hello, remote, proved, now);
    // Who finds no slot may wait here: it is shown the room, and told who has one.
    const refusal = this.#refusalOf({ ...hello, feed: fed }, remote, proved, now);
    if (refusal) return refusal;
    // What it said on its old edge may still be under way: it is not to be fed there as well.
    for (const former of this.#formerOf(remote, hello)) this.#wires.end(former);
    const session = new Session(hello.session, remote, false, this.#wires.session, now);
    session.addLink(link, kind, false, now);
    const edge = newEdge(session, hello.role, hello.role === "core" ? "mesh" : "down", fed, proved, now);
    session.feeds = fed;
    if (edge.direction === "down") edge.wish = hello.wish;
    this.#edges.add(edge);
    const hops = (this.#edges.parent?.hops ?? 0) + 1;
    session.sendFrame({ kind: "welcome", session: session.id, time: now, hops });
    this.#wires.show(edge, now);
    if (fed) this.#feeds.answer(edge, hello.have, now);
    else if (hello.feed) this.#feeds.refuse(edge, now);
    return undefined;
  }

  /** A neighbour attaches another link to its session. False when there is no such session of this peer, or no place. */
  attach(id: Uint8Array, { link, kind, remote }: Caller, now: Millis): boolean {
    const edge = this.#edges.all.find((known) => known.peer === remote && equal(known.session.id, id));
    if (!edge) return false;
    if (!this.#hasPlaceFor(edge)) {
      this.#wires.end(edge);
      return false;
    }
    edge.away = false;
    if (!edge.session.linkIds.includes(link)) edge.session.addLink(link, kind, false, now);
    this.#wires.session.send(link, encodeFrame({ kind: "attached", session: id }));
    return true;
  }

  /** Edges that the new one takes the place of; also those of a relay that rises into the core, or falls out of it. */
  #formerOf(remote: PeerId, { role, feed }: Hello): Edge[] {
    const those = this.#edges.all.filter((edge) => edge.peer === remote && edge.direction !== "up");
    if (role === "member") return those.filter((edge) => edge.role === "member");
    return feed ? those.filter((edge) => edge.role !== "member" && (edge.direction === "mesh" || edge.feed)) : [];
  }

  #mayBeFed(hello: Hello, remote: PeerId, proved: boolean, now: Millis): boolean {
    const unfit = hello.role === "member" && !proved && !this.#wires.mayFeed(remote);
    return !unfit && this.#refusalOf(hello, remote, proved, now) === undefined;
  }

  #refusalOf(hello: Hello, remote: PeerId, proved: boolean, now: Millis): Refusal | undefined {
    const slots = this.#wires.slots();
    return refusalOf(hello, remote, {
      edges: this.#edges,
      carries: slots !== undefined,
      children: slots?.used ?? 0,
      childrenMax: slots?.max ?? 0,
      feeding: slots?.feeding ?? 0,
      relays: this.#wires.relays(),
      proved,
      favoured: hello.lends === true || this.#wires.favours(remote, now),
    });
  }

  /** Whether who comes back late still finds a place: the slots that newcomers may not take are for such as these. */
  #hasPlaceFor(edge: Edge): boolean {
    const slots = this.#wires.slots();
    return edge.session.keepsPlace || !edge.feed || edge.role !== "member" || !slots || slots.used < slots.max;
  }
}
