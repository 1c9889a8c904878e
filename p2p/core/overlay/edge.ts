import { type LinkId, type Millis, millis, type PeerId } from "../../api/ids.ts";
import type { EdgeRole } from "../session/frames.ts";
import type { Deadline } from "../machine.ts";
import type { Session } from "../session/session.ts";
import type { Advert } from "./directory/advert.ts";
import { type Coordinate, nowhere } from "./place/coordinate.ts";
import { type Layers, plainWish, type Wish } from "./media/layers.ts";
import type { Census } from "./news/papers.ts";
import type { Path, ShortId } from "./place/path.ts";

/** One neighbour in one room's tree. */
export interface Edge {
  readonly session: Session;
  readonly peer: PeerId;
  /** What the dialing side wanted to be. */
  readonly role: EdgeRole;
  /** `up`: we hang below it; `down`: it hangs below us; `mesh`: both are of the core. */
  readonly direction: "up" | "down" | "mesh";
  /** Whether media flows down this edge now. Always true for `mesh`. */
  feed: boolean;
  /** Down only: until then it is fed although it is not ours, because its parent fell silent. */
  coverUntil: Millis | undefined;
  /** Down: what it asked to be sent; up: what we asked for; both layers for `mesh`. */
  wish: Wish;
  /** Down only: whatever a leaf asks for, it is sent the low layer, because there is not room for more. */
  lowOnly: boolean;
  /** Down only: it proved to be the host session, so petitions go to it. */
  readonly authority: boolean;
  /** It proved that it may speak for the room: what is for whoever acts goes to it too. */
  holdsOffice: boolean;
  /** When the member below may send its next text, by the room's slow mode. */
  textAt: Millis;
  /** Its `welcome` arrived; at once for edges that the neighbour dialed. */
  welcomed: boolean;
  /** It lost its links, and the far end has not answered on a new one yet ([SS10]). */
  away: boolean;
  /** Up only: links from the core to the parent. */
  hops: number;
  /** The side below wanted media when there was no slot: it gets some only when it is told so ([OV8]). */
  waits: boolean;
  /** Down only: below whom it hangs while it is in reserve here; undefined before it says so. */
  fallsWith: ShortId | undefined;
  /** Of who is in reserve: whether a slot is kept for it when its parent dies ([OV52]); undefined before that was said. */
  kept: boolean | undefined;
  /** When the hello went out or came in. */
  readonly since: Millis;
  /** Up only: it lends without being one of the view's relays, and was named by one who knows. */
  offered: boolean;
  /** Up and mesh: ms from the core to the neighbour, as it says; undefined before it has a way there. */
  rootDelayMs: number | undefined;
  /** Up and mesh: the way from the core to the neighbour, itself last; empty before it is known. */
  path: Path;
  /** Where the neighbour says that it is. */
  coordinate: Coordinate;
  /** Down only: what it lends, when it does. */
  advert: Advert | undefined;
  census: Census;
  /** The census it was told last, encoded. */
  censusSent: Uint8Array | undefined;
  /** When it was replayed a hole last. */
  replayedAt: Millis | undefined;
  /** Holes that it may still be replayed: a bucket. */
  replaysLeft: number;
  /** Single packets that it may still ask for: a bucket. */
  answersLeft: number;
  answersAt: Millis;
  /** Petitions it may still send: a bucket. */
  petitionTokens: number;
  petitionAt: Millis;
}

/** Makes an edge as it starts. */
export function newEdge(
  session: Session,
  role: EdgeRole,
  direction: Edge["direction"],
  feed: boolean,
  authority: boolean,
  now: Millis,
): Edge {
  return {
    session,
    peer: session.remote,
    role,
    direction,
    feed,
    coverUntil: undefined,
    wish: direction === "mesh" ? { layers: "both", prompt: true, lossy: false } : plainWish,
    lowOnly: false,
    authority,
    holdsOffice: false,
    textAt: now,
    welcomed: !session.dialed,
    away: false,
    hops: 0,
    waits: false,
    fallsWith: undefined,
    kept: undefined,
    since: now,
    offered: false,
    rootDelayMs: undefined,
    path: [],
    coordinate: nowhere,
    advert: undefined,
    census: { listeners: 0, relays: 0, lossy: 0, narrow: 0, free: 0, kept: direction !== "down", room: [] },
    censusSent: undefined,
    replayedAt: undefined,
    replaysLeft: replaysBurst,
    answersLeft: 0,
    answersAt: millis(0),
    petitionTokens: petitionBurst,
    petitionAt: now,
  };
}

/** Whether media goes down this edge now. */
export function isFed(edge: Edge, now: Millis): boolean {
  return edge.direction === "down" && (edge.feed || (edge.coverUntil !== undefined && now < edge.coverUntil));
}

/** Whether it counts among those that are fed: those that are covered for do, until that is over. */
export function takesSlot(edge: Edge): boolean {
  return edge.feed || edge.coverUntil !== undefined;
}

/** What goes down an edge of each voice. */
export function layersOf(edge: Edge): Layers {
  return edge.lowOnly && edge.role === "member" ? "low" : edge.wish.layers;
}

/** Holes that one neighbour is replayed at once, and a second: a path that flaps makes some, and each is up to two seconds of all voices. */
const replaysBurst = 8;
const replaysPerSecond = 1;

/** Takes one replay from the edge's bucket; false when it is empty. */
export function takeReplay(edge: Edge, now: Millis): boolean {
  const earned = ((now - (edge.replayedAt ?? now)) / 1000) * replaysPerSecond;
  edge.replaysLeft = Math.min(replaysBurst, edge.replaysLeft + earned);
  edge.replayedAt = now;
  if (edge.replaysLeft < 1) return false;
  edge.replaysLeft--;
  return true;
}

/** Petitions one neighbour may pass on at once, and a second: a listener has one hand, a relay has many below it. */
const petitionBurst = 20;
const petitionsPerSecond = 10;

/** Takes one petition from the edge's bucket; false when it is empty. */
export function takePetition(edge: Edge, now: Millis): boolean {
  const earned = ((now - edge.petitionAt) / 1000) * petitionsPerSecond;
  edge.petitionTokens = Math.min(petitionBurst, edge.petitionTokens + earned);
  edge.petitionAt = now;
  if (edge.petitionTokens < 1) return false;
  edge.petitionTokens--;
  return true;
}

/** What of an edge decides who else is dialed: a bit each. */
function marksOf({ feed, welcomed, away, waits, session }: Edge): number {
  const own = (feed ? 1 : 0) | (welcomed ? 2 : 0) | (away ? 4 : 0) | (waits ? 8 : 0);
  const links = (session.isSevered ? 1 : 0) | (session.hasDatagrams ? 2 : 0) | (session.hasStream ? 4 : 0);
  return own | (links << 4) | (session.isDoubtful ? 0x180 : 0x100);
}

/** The edges of one room, by their links and by their direction. */
export class Edges {
  readonly #list: Edge[] = [];
  #endedControlBytes = 0;

  get all(): readonly Edge[] {
    return this.#list;
  }

  add(edge: Edge): void {
    this.#list.push(edge);
  }

  remove(edge: Edge): void {
    const index = this.#list.indexOf(edge);
    if (index < 0) return;
    this.#list.splice(index, 1);
    this.#endedControlBytes += edge.session.controlBytes;
  }

  /** Bytes of frames that were not media, of those who are gone too. */
  get controlBytes(): number {
    return this.#list.reduce((sum, edge) => sum + edge.session.controlBytes, this.#endedControlBytes);
  }

  ofLink(link: LinkId): Edge | undefined {
    return this.#list.find((edge) => edge.session.linkIds.includes(link));
  }

  ofPeer(peer: PeerId): Edge | undefined {
    return this.#list.find((edge) => edge.peer === peer);
  }

  /** Where media comes from. */
  get parent(): Edge | undefined {
    return this.#list.find(
      (edge) => edge.direction === "up" && edge.feed && edge.welcomed && !edge.away && !edge.waits,
    );
  }

  /** Where words go up: to the parent, or to whoever is there without media, or comes back soon. */
  get above(): Edge | undefined {
    const ups = this.ups.filter((edge) => edge.welcomed);
    return this.parent ?? ups.find((edge) => !edge.away) ?? ups[0];
  }

  /** Whether the room is there: who is asked for no media is no parent, but words pass. */
  get isReached(): boolean {
    const { parent, above } = this;
    return parent !== undefined || (above?.session.quiet === true && !above.away);
  }

  /** How many media flows down to, of every kind. */
  get feeding(): number {
    return this.downs.filter((edge) => takesSlot(edge) && edge.session.keepsPlace).length;
  }

  /** And to members among them, who take slots. */
  get children(): number {
    return this.downs.filter((edge) => takesSlot(edge) && edge.role === "member" && edge.session.keepsPlace).length;
  }

  /** Nothing is due on any of them before this. */
  get bound(): Deadline | undefined {
    let first: Deadline | undefined;
    for (const { session } of this.#list) if (!first || session.bound.at < first.at) first = session.bound;
    return first;
  }

  /** When that has come: finds out what was put off meanwhile. */
  lookAgain(now: Millis): void {
    for (const { session } of this.#list) session.lookAgain(now);
  }

  /** A number that is another one when somebody came or went, is away or back, feeds or does no more. */
  get marks(): number {
    let marks = 0;
    for (const edge of this.#list) marks = (Math.imul(marks, 31) + marksOf(edge)) | 0;
    return marks;
  }

  get ups(): Edge[] {
    return this.#list.filter((edge) => edge.direction === "up");
  }

  get downs(): Edge[] {
    return this.#list.filter((edge) => edge.direction === "down");
  }

  get meshes(): Edge[] {
    return this.#list.filter((edge) => edge.direction === "mesh");
  }
}
