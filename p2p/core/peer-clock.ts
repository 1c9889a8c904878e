import { type LinkId, type Millis, millis } from "../api/ids.ts";
import type { LinkKind } from "../api/link.ts";
import type { Solver } from "./defence/puzzle.ts";
import type { Stranger, Strangers } from "./defence/strangers.ts";
import { type Deadline, never, sooner } from "./machine.ts";
import type { Edge } from "./overlay/edge.ts";
import type { RoomNode } from "./overlay/room-node.ts";
import type { Frame } from "./session/frames.ts";
import type { Resident } from "./room/member/resident.ts";

/** A room without a single edge is forgotten after this long. */
const idleRoomMs = 10 * 60_000;

/** Whose a link is. */
export interface LinkOwner {
  readonly node: RoomNode;
  readonly edge: Edge;
}

/** A link that is open. */
export interface OpenLink extends Stranger {
  readonly kind: LinkKind;
  owner: LinkOwner | undefined;
  bytes: number;
  messages: number;
  /** An attach on it named no session: it may still say hello, and nothing else. */
  strayed: boolean;
}

/** What a peer waits for beside media. */
export interface PeerParts {
  readonly resident: () => Resident | undefined;
  readonly nodes: ReadonlyMap<unknown, RoomNode>;
  readonly links: ReadonlyMap<LinkId, OpenLink>;
  readonly strangers: Strangers;
  readonly solver: Solver;
}

/** When a room without edges or member is forgotten; infinite while it is in use. */
export function idleAt(node: RoomNode): number {
  return node.edges.all.length === 0 && !node.resident ? node.usedAt + idleRoomMs : Infinity;
}

/**
 * Knows when a peer is due, without looking at everything after every packet: media is asked each time, sessions when
 * anything but media came, all else when something changed.
 */
export class PeerClock {
  readonly #parts: PeerParts;
  /** What is due next beside media and sessions, and of sessions alone; undefined when that is to be found out again. */
  #bound: Deadline | undefined;
  #sessionsAt: number | undefined;

  constructor(parts: PeerParts) {
    this.#parts = parts;
  }

  deadline(now: Millis): Deadline | undefined {
    let first = (this.#bound ??= boundOf(this.#parts, now));
    this.#sessionsAt ??= sessionsAt(this.#parts.nodes);
    if (this.#sessionsAt < first.at) first = { at: millis(this.#sessionsAt), reason: "a session" };
    // Nearly every input is a packet, and nearly nothing is due by it.
    for (const { wakes } of this.#parts.nodes.values()) {
      if (wakes.mediaAt < first.at) first = wakes.deadlineOfMedia();
    }
    return first.at === Infinity ? undefined : first;
  }

  /** Anything may have changed. */
  reset(): void {
    this.#bound = this.#sessionsAt = undefined;
  }

  /** What was put off meanwhile is found out, of sessions. */
  lookAgain(now: Millis): void {
    for (const { edges } of this.#parts.nodes.values()) edges.lookAgain(now);
    this.#sessionsAt = undefined;
  }

  /** Takes what comes all the time: it brings nothing forward but what its room says by itself. */
  pass({ node, edge }: LinkOwner, link: LinkId, frame: Frame, now: Millis): void {
    const { changes } = node.wakes;
    node.handleFrame(edge, link, frame, now);
    if (node.wakes.changes !== changes) this.reset();
    // A packet puts off what its session has to do; anything else may bring it forward.
    else if (frame.kind !== "media" && frame.kind !== "bundle" && this.#sessionsAt !== undefined)
      this.#sessionsAt = Math.min(this.#sessionsAt, edge.session.bound.at);
  }

  /** Wakes sessions and media, where they alone are due; false when there is more to do, or has become by it. */
  tick(now: Millis): boolean {
    this.#sessionsAt = undefined;
    if (this.#bound === undefined || this.#bound.at <= now) return false;
    let same = true;
    for (const node of this.#parts.nodes.values()) {
      const { changes } = node.wakes;
      node.tick(now);
      if (node.wakes.changes !== changes) same = false;
    }
    return same;
  }
}

/** When the first session has something to do; infinite without any. */
function sessionsAt(nodes: PeerParts["nodes"]): number {
  let at = Infinity;
  for (const node of nodes.values()) at = Math.min(at, node.edges.bound?.at ?? Infinity);
  return at;
}

/** The soonest of everything that neither packets nor ticks bring forward. */
function boundOf({ resident, nodes, links, strangers, solver }: PeerParts, now: Millis): Deadline {
  let first: Deadline = resident()?.deadline() ?? never;
  for (const node of nodes.values()) {
    first = sooner(first, node.wakes.deadline()) ?? first;
    const at = idleAt(node);
    if (at < first.at) first = { at: millis(at), reason: "an idle room" };
  }
  for (const link of links.values()) {
    const endsAt = link.owner ? Infinity : strangers.endsAt(link);
    if (endsAt < first.at) first = { at: millis(endsAt), reason: "a link that says nothing" };
  }
  return solver.isBusy && now < first.at ? { at: now, reason: "a puzzle" } : first;
}
