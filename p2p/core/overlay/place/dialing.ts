import type { DialId, LinkId, Millis, PeerId, RoomTag } from "../../../api/ids.ts";
import type { LinkKind } from "../../../api/link.ts";
import type { Crypto } from "../../crypto.ts";
import { type Hello, sessionVersion } from "../../session/frames.ts";
import { Session } from "../../session/session.ts";
import type { SessionWires } from "../../session/signals.ts";
import type { Datagrams } from "../media/datagrams.ts";
import { type Edge, type Edges, newEdge } from "../edge.ts";
import type { Places } from "./places.ts";
import type { Returns } from "../heal/returns.ts";
import type { RoomResident } from "../room-wires.ts";
import type { Spread } from "../media/spread.ts";
import type { Errand, Upkeep } from "./upkeep.ts";
import { wishOfAll } from "./upward.ts";

/** What a dial says that was not tried, for there were too many before it: it tells nothing of the relay. */
const tooSoon = "too soon";

/** The parts of a room that dialing works with. */
export interface DialingParts {
  readonly edges: Edges;
  readonly upkeep: Upkeep;
  readonly datagrams: Datagrams;
  readonly returns: Returns;
  readonly spread: Spread;
  readonly places: Places;
}

/** What dialing needs of its room. */
export interface DialingWires {
  readonly tag: RoomTag;
  readonly session: SessionWires;
  resident(): RoomResident | undefined;
  close(link: LinkId): void;
  end(edge: Edge): void;
}

/** What becomes of the links that this node dialed for a room: a session continued, or begun with a hello. */
export class Dialing {
  readonly #parts: DialingParts;
  readonly #crypto: Crypto;
  readonly #wires: DialingWires;

  constructor(parts: DialingParts, crypto: Crypto, wires: DialingWires) {
    this.#parts = parts;
    this.#crypto = crypto;
    this.#wires = wires;
  }

  /** A link that we dialed for this room is open. */
  opened(dial: DialId, link: LinkId, kind: LinkKind, remote: PeerId, now: Millis): void {
    const { datagrams, upkeep, edges, returns } = this.#parts;
    const upgraded = datagrams.take(dial);
    const errand = upgraded ? undefined : upkeep.takeErrand(dial);
    const attaches = upgraded ?? errand?.resumes;
    // A link to somebody else than was dialed continues nothing ([SS5]).
    const meant = attaches ? edges.all.includes(attaches) && attaches.peer === remote : errand?.peer === remote;
    const unasked = errand?.role === "member" && !attaches && !errand.trial;
    const late = unasked && !this.#wires.resident()?.wanted().includes(remote) && upkeep.isSettled();
    if (!meant || late) return this.#wires.close(link);
    if (attaches) returns.attach(attaches, link, kind, now);
    else if (errand) this.#greet(errand, link, kind, now);
  }

  /** A dial of ours led nowhere. One that was not even tried, because it came too soon, says nothing of the relay. */
  failed(dial: DialId, reason: string, afterMs: number, now: Millis): void {
    const { datagrams, upkeep, returns, places } = this.#parts;
    const upgraded = datagrams.take(dial);
    if (upgraded) datagrams.failed(upgraded, now);
    const errand = upkeep.takeErrand(dial);
    if (errand?.trial) places.seeker.lost(errand.peer, now);
    if (errand?.resumes) returns.resumeFailed(errand.resumes, afterMs, now);
    else if (errand) {
      upkeep.failed(errand.peer, now, afterMs);
      if (reason !== tooSoon && !errand.trial) this.#wires.resident()?.unreachable(errand.peer, now);
    }
  }

  /** The far end knows the session no more: another begins on the same link. */
  beginAnew(edge: Edge, link: LinkId, now: Millis): void {
    const { role, feed, peer, offered } = edge;
    const kind = edge.session.release(link);
    this.#wires.end(edge);
    if (kind) this.#greet({ peer, role, feed, resumes: undefined, trial: false, offered }, link, kind, now);
  }

  /** Opens a session on a new link. */
  #greet(errand: Errand, link: LinkId, kind: LinkKind, now: Millis): void {
    const { edges, spread, places, returns } = this.#parts;
    const resident = this.#wires.resident();
    const session = new Session(this.#crypto.randomBytes(16), errand.peer, true, this.#wires.session, now);
    session.addLink(link, kind, false, now);
    const direction = errand.role === "core" ? "mesh" : "up";
    // Of what freezes not even the hole is asked for.
    const feed = errand.feed && !(direction === "up" && (edges.parent || returns.muted));
    const edge = newEdge(session, errand.role, direction, feed, false, now);
    edge.offered = errand.offered;
    edges.add(edge);
    const proof = resident?.proof(errand.peer, session.id);
    const have = feed ? spread.ring.have(now) : [];
    const wish = wishOfAll(edges, resident);
    if (direction === "up") edge.wish = wish;
    const hello: Hello = {
      kind: "hello",
      version: sessionVersion,
      session: session.id,
      tag: this.#wires.tag,
      role: errand.role,
      feed,
      wish,
      have,
      proof,
      lends: places.lends,
      ...resident?.keys.doors(errand.peer, session.id, now),
    };
    session.sendFrame(hello);
  }
}
