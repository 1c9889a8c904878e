import { type LinkId, type Millis, millis } from "../api/ids.ts";
import type { LinkKind } from "../api/link.ts";
import type { Solver } from "./defence/puzzle.ts";
import type { Stranger, Strangers } from "./defence/strangers.ts";
import { type Deadline, never, sooner } from "./machine.ts";
import type { Edge } from "./overlay/edge.ts";
import type { RoomNode } from "./overlay/room-node.ts";
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
  readonly resident: Resident | undefined;
  readonly nodes: ReadonlyMap<unknown, RoomNode>;
  readonly links: ReadonlyMap<LinkId, OpenLink>;
  readonly strangers: Strangers;
  readonly solver: Solver;
}

/** When a room without edges or member is forgotten; infinite while it is in use. */
export function idleAt(node: RoomNode): number {
  return node.edges.all.length === 0 && !node.resident ? node.usedAt + idleRoomMs : Infinity;
}

/** The soonest of everything that packets do not bring forward. */
export function boundOf({ resident, nodes, links, strangers, solver }: PeerParts, now: Millis): Deadline {
  let first: Deadline = resident?.deadline() ?? never;
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
