import { type Millis, millis, type PeerId } from "../../../api/ids.ts";
import { equal } from "../../bytes.ts";
import type { Deadline } from "../../machine.ts";
import { slotsFree } from "../door/admission.ts";
import type { Edge, Edges } from "../edge.ts";
import { type Census, encodePaper, type RelayRoom } from "./papers.ts";

/** Changes are told at most this often, up, down and across; in a big room, where one more or less matters to nobody, less. */
const tellMs = 1000;
const tellMsBig = 5000;
const bigListeners = 50;
const tellMsHuge = 10_000;
const hugeListeners = 300;
/** Free slots are told to an eighth: they come and go with every move, and others act on whether there are few. */
const freeSteps = 8;

/** More than this nobody who is not one of the view's relays has below it, whatever it says. */
const belowMax = 5000;

/** Fewer free slots than this share of the listeners are few: a relay of many children may die, and a crowd may come. */
const shortShare = 1 / 4;

/** What the census is made from. */
export interface CensusFacts {
  /** Children over all rooms and the volunteer's limit; undefined where nothing is lent. */
  readonly slots: { readonly used: number; readonly max: number } | undefined;
  /** Relays in rank order, and this node among them. */
  readonly relays: readonly PeerId[];
  readonly self: PeerId;
  /** The member on this very node, if there is one, and whether it loses much. */
  readonly resident: { readonly lossy: boolean } | undefined;
  /** Whether the member here may act for the room. */
  readonly mayAct: boolean;
}

/**
 * Counts a room without anybody knowing all of it ([OV9]): sums go up, totals come down, and every relay learns which
 * others have room, for those whom it must send on.
 */
export class CensusTaker {
  readonly #edges: Edges;
  readonly #room = new Map<PeerId, RelayRoom>();
  /** Of whose room others do not hear but by this node. */
  readonly #told = new Set<PeerId>();
  #fromAbove: Census = { listeners: 0, relays: 0, lossy: 0, narrow: 0, free: 0, kept: true, room: [] };
  #toldAt: Millis;
  /** The room, as it was told last. */
  #known: Census | undefined;
  #version = 0;
  /** Whether anything may have changed since it was last told: encoding it all to see is dear. */
  #stale = true;

  constructor(edges: Edges, now: Millis) {
    this.#edges = edges;
    this.#toldAt = now;
  }

  /** Something that is counted may have changed. */
  touch(): void {
    this.#stale = true;
  }

  /** A neighbour told its count. True when it is the room's total, from above. */
  learn(edge: Edge, census: Census, facts: CensusFacts): boolean {
    // Members are counted, not asked: only one who lends is believed when it speaks of others, up to what a tree can hold.
    if (edge.direction === "down" && !countsOthers(edge)) return false;
    const listeners = edge.advert ? Math.min(census.listeners, belowMax) : census.listeners;
    const relays = edge.advert ? Math.min(census.relays, belowMax) : census.relays;
    const free = edge.advert ? Math.min(census.free, belowMax) : census.free;
    edge.census = { ...census, listeners, relays, free };
    this.#stale = true;
    if (!edge.advert) for (const entry of census.room) this.#learnRoom(entry, edge, facts);
    if (edge.direction !== "up" || !edge.feed) return false;
    this.#fromAbove = census;
    this.#known = undefined;
    return true;
  }

  /**
   * Relays with room, drawn one after the other with their slots as odds (Efraimidis and Spirakis 2006): were the
   * roomiest always named first, everybody who is refused would meet there. Without chance the roomiest come first.
   */
  withRoom(facts: CensusFacts, random: () => number = () => 0.5): PeerId[] {
    const others = facts.relays.filter((peer) => peer !== facts.self);
    const drawn = others.flatMap((peer) => {
      const slots = this.#room.get(peer)?.slots ?? 0;
      return slots > 0 ? [{ peer, key: random() ** (1 / slots) }] : [];
    });
    return drawn.sort((a, b) => b.key - a.key).map(({ peer }) => peer);
  }

  total(facts: CensusFacts): Census {
    if (this.#edges.parent) return { ...this.#fromAbove, room: this.#entries(facts) };
    const below = this.#below(facts);
    const siblings = this.#edges.meshes.map((edge) => edge.census);
    return sumOf([below, ...siblings], this.#entries(facts));
  }

  /** Whether slots are so few that newcomers could soon find none; also while nobody has counted yet. */
  get isShort(): boolean {
    const { listeners, free } = this.#known ?? this.#fromAbove;
    return free <= listeners * shortShare;
  }

  /** Tells neighbours what changed, when it is time. True when it did. */
  tell(facts: CensusFacts, now: Millis): boolean {
    if (!facts.slots || !this.#stale || now < this.#dueAt) return false;
    this.#toldAt = now;
    this.#stale = false;
    for (const { edge, bytes } of this.#news(facts)) {
      edge.censusSent = bytes;
      edge.session.sendReliable(bytes, now);
    }
    return true;
  }

  /** @param carries whether this node lends at all: asked only when there is something to tell. */
  deadline(carries: () => boolean): Deadline | undefined {
    if (!this.#stale || !carries()) return undefined;
    return { at: this.#dueAt, reason: "census" };
  }

  get #dueAt(): Millis {
    const { listeners } = this.#known ?? this.#fromAbove;
    const pauseMs = listeners > hugeListeners ? tellMsHuge : listeners > bigListeners ? tellMsBig : tellMs;
    return millis(this.#toldAt + pauseMs);
  }

  #news(facts: CensusFacts): { edge: Edge; bytes: Uint8Array }[] {
    this.#noteOwnRoom(facts);
    const total = this.total(facts);
    this.#known = total;
    const down = encodePaper({ kind: "census", census: { ...total, room: [] } });
    const downToRelay = encodePaper({ kind: "census", census: total });
    const up = encodePaper({ kind: "census", census: this.#below(facts) });
    const news: { edge: Edge; bytes: Uint8Array }[] = [];
    for (const edge of this.#edges.all) {
      const bytes = edge.direction !== "down" ? up : edge.role === "relay" ? downToRelay : down;
      if (edge.welcomed && !(edge.censusSent && equal(edge.censusSent, bytes))) news.push({ edge, bytes });
    }
    return news;
  }

  /** What this node and everything below it amount to. */
  #below(facts: CensusFacts): Census {
    // Whoever has been away too long to keep a place is with somebody else by now, or gone.
    const downs = this.#edges.downs.filter((edge) => edge.feed && edge.session.keepsPlace);
    // One who lends is a member among others until it has told who hangs below it.
    const counts = (edge: Edge): boolean => countsOthers(edge) && (edge.role === "relay" || edge.census.relays > 0);
    const speaksForRoom = ({ authority, holdsOffice, session }: Edge): boolean =>
      (authority || holdsOffice) && session.keepsPlace;
    const relays = downs.filter(counts);
    const members = downs.filter((edge) => !counts(edge));
    const resident = facts.slots && facts.resident;
    const own: Census = {
      listeners: members.length + (resident ? 1 : 0),
      relays: 1,
      lossy: members.filter(({ wish }) => wish.lossy).length + (resident?.lossy ? 1 : 0),
      narrow: members.filter(({ lowOnly }) => lowOnly).length,
      free: facts.slots ? stepped(slotsFree(facts.slots.used, facts.slots.max)) : 0,
      kept: facts.mayAct || this.#edges.downs.some(speaksForRoom),
      room: [],
    };
    // Across the core everybody hears everybody: only what comes from below is news there.
    const room = this.#entries(facts, (peer) => peer === facts.self || this.#told.has(peer));
    const below = sumOf([own, ...relays.map(({ census }) => census)], room);
    const asked = [own, ...relays.filter(({ role }) => role === "relay").map(({ census }) => census)];
    const lenders = relays.filter(({ role }) => role !== "relay").map(({ census }) => census);
    return {
      ...below,
      lossy: believed(asked, lenders, ({ lossy }) => lossy),
      narrow: believed(asked, lenders, ({ narrow }) => narrow),
    };
  }

  #entries(facts: CensusFacts, which: (peer: PeerId) => boolean = () => true): RelayRoom[] {
    return facts.relays
      .map((peer) => (which(peer) ? this.#room.get(peer) : undefined))
      .filter((entry) => entry !== undefined);
  }

  #noteOwnRoom(facts: CensusFacts): void {
    const rank = facts.relays.indexOf(facts.self);
    if (rank < 0 || !facts.slots) return;
    const slots = Math.min(0xffff, slotsFree(facts.slots.used, facts.slots.max));
    const known = this.#room.get(facts.self);
    // Others act on whether there is room, and hardly on how much.
    const same = known && known.slots > 0 === slots > 0 && Math.abs(known.slots - slots) <= slots / 4;
    if (!same || known.rank !== rank) {
      this.#room.set(facts.self, { rank, slots, version: ++this.#version });
    }
  }

  #learnRoom(entry: RelayRoom, from: Edge, facts: CensusFacts): void {
    const peer = facts.relays[entry.rank];
    if (peer === undefined || peer === facts.self) return;
    const known = this.#room.get(peer);
    if (known && entry.version <= known.version) return;
    this.#room.set(peer, entry);
    if (from.direction === "down") this.#told.add(peer);
    else this.#told.delete(peer);
  }
}

/** Counts of several neighbours together. Nobody can claim more who lose than there are who listen. */
function sumOf(several: readonly Census[], room: readonly RelayRoom[]): Census {
  const sum = (count: (census: Census) => number): number =>
    atMost(several.reduce((total, census) => total + count(census), 0));
  return {
    listeners: sum(({ listeners }) => listeners),
    relays: sum(({ relays }) => relays),
    lossy: sum(({ listeners, lossy }) => Math.min(listeners, lossy)),
    narrow: sum(({ listeners, narrow }) => Math.min(listeners, narrow)),
    free: sum(({ free }) => free),
    kept: several.some(({ kept }) => kept),
    room,
  };
}

/**
 * How many suffer, of what relays that the room asked say and of what members say who lend. Of each of these no more are believed
 * than of the middle one of the others, or than all who were asked for it report, or one: what troubles a single lender's children
 * is its own way here, and no reason for the whole room; and one that makes numbers up moves nothing.
 */
function believed(asked: readonly Census[], lenders: readonly Census[], claim: (census: Census) => number): number {
  const bounded = (census: Census): number => Math.min(census.listeners, claim(census));
  const sure = asked.reduce((sum, census) => sum + bounded(census), 0);
  const claims = lenders.map(bounded).sort((a, b) => a - b);
  const middle = (claims.length - 2) >> 1;
  const sum = claims.reduce((total, each, index) => {
    const others = claims.length < 2 ? 0 : claims[middle < index ? middle : middle + 1]!;
    return total + Math.min(each, Math.max(1, sure, others));
  }, sure);
  return atMost(sum);
}

/** Free slots to within a step, rounded down. */
function stepped(free: number): number {
  const step = 2 ** Math.max(0, Math.floor(Math.log2(Math.max(1, free) / freeSteps)) + 1);
  return free < freeSteps ? free : free - (free % step);
}

/** Whether it tells of others beside itself. */
function countsOthers(edge: Edge): boolean {
  return edge.role !== "member" || edge.advert !== undefined;
}

/** A sum as its field holds it: what neighbours claim may add up to more. */
function atMost(sum: number): number {
  return Math.min(0xffff_ffff, sum);
}
