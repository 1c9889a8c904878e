import { type Millis, millis } from "../../../api/ids.ts";
import type { Frame } from "../../session/frames.ts";
import type { Edge, Edges } from "../edge.ts";
import type { Feeds } from "../media/feeds.ts";
import { ParentWatch } from "./parent-watch.ts";
import { answerMsOf, reservesOf } from "./reserves.ts";

/** A parent that was silent this long is left for the backup: loss and scheduling alone make shorter holes (DESIGN.md). */
const moveMs = 300;
/** A cover is asked for again this often while it lasts: the request may be lost, and what is not renewed ends. */
const renewMs = 150;
/** A backup that was not heard so long after it was asked is gone too: a round trip around the world, and one more request. */
const unansweredMs = 450;
/** With nobody left to ask, it is looked again after this long. */
const nobodyMs = 100;
/** And others are dialed when nothing came for so long: two silent ticks alone may be loss. */
const aloneMs = 200;
/** How long a parent may say that its own parent is silent before its children stop waiting for it to mend that. */
const stalledMsMax = 250;
/** Whoever is covered for because its parent waits stays below it so long: it lives, and its own parent is being replaced. */
const stalledMoveMs = 3000;
/** A parent that lives but gives nothing of what passes at the backup is left after this long. */
const withholdingMs = 1000;
/** What passes there so soon after we spoke may be our own voice, which no parent gives back. */
const ownVoiceMs = 1000;
/** Asked at once when a link of the parent was lost, which loss alone does not do: one of them may be dead as well. */
const atOnceAfterLoss = 2;

/** What a cover needs of its room. */
export interface CoverWires {
  /** It ended because the parent is back: how many packets the backup brought. */
  covered(reason: string, packets: number, now: Millis): void;
  /** The backup becomes the parent, and the parent is asked for no more; `packets` is what the cover brought so far. */
  move(from: Edge, to: Edge, reason: string, packets: number, now: Millis): void;
  /** Our own way up fell silent: those below are told at once. */
  stalled(now: Millis): void;
  /** Whether it has no slot for media now. */
  refuses(edge: Edge): boolean;
  /** A backup did not answer either: it is gone, and another is looked for. */
  lost(edge: Edge, reason: string, now: Millis): void;
  /** Nobody who is there can cover: others are to be dialed at once. */
  alone(now: Millis): void;
}

interface Asked {
  readonly edge: Edge;
  readonly at: Millis;
  /** Whether it answered at all. */
  heard: boolean;
  /** Whether it was asked for the hole a second time. */
  isRepeated: boolean;
}

interface Covering {
  readonly reason: string;
  readonly since: Millis;
  /** The parent lives: those below are not told anything. */
  readonly waits: boolean;
  /** And gives not what it should: only that ends it, where else any media does. */
  readonly mustBring: boolean;
  /** So long after it began the parent is left although it is heard. */
  readonly moveAfterMs: number;
  /** The parent before is gone for good, and this began with the one that took its place. */
  readonly bereft: boolean;
  readonly asked: Asked[];
  /** Who was the first to bring what was missing: the others are asked no more. */
  by: { readonly edge: Edge; readonly watch: ParentWatch } | undefined;
  renewAt: Millis;
  /** When one more is asked, unless somebody brings something before. */
  nextAt: Millis;
  /** Everybody who is there was asked, and has had the time to answer. */
  isAlone: boolean;
  packets: number;
}

/**
 * Two silent ticks from the parent, and a backup is asked to cover: it replays the hole and feeds on, until the parent is
 * back or has been silent so long that the backup takes its place ([OV40]). Whoever is asked may be dead too, or wait itself:
 * then the next is asked without waiting for it ([OV45]). A parent that says that it waits itself is waited for.
 */
export class Cover {
  readonly #edges: Edges;
  readonly #feeds: Feeds;
  readonly #wires: CoverWires;
  #parent: Edge | undefined;
  #watch: ParentWatch | undefined;
  #covering: Covering | undefined;
  /** The parent was lost, and nobody has taken its place yet. */
  #isBereft = false;
  /** Since when the parent says that it is stalled itself. */
  #stalledSince: Millis | undefined;
  #spokeAt: Millis | undefined;
  /** Since when media passes at a backup while the parent, which lives, gives none. */
  #withheldSince: Millis | undefined;

  constructor(edges: Edges, feeds: Feeds, wires: CoverWires) {
    this.#edges = edges;
    this.#feeds = feeds;
    this.#wires = wires;
  }

  /** Whether a backup covers for the parent now: nobody moves of their own will meanwhile. */
  get active(): boolean {
    return this.#covering !== undefined;
  }

  /** Whether those below are to be told to wait: nothing comes from above. */
  get isStalled(): boolean {
    return this.#covering !== undefined && this.#covering.by === undefined;
  }

  /** Whether everybody who could cover was asked, and nobody has brought anything in time. */
  get isAlone(): boolean {
    return this.#covering?.isAlone === true && this.#covering.by === undefined;
  }

  /** Who covers now: it is the first to take the place of a parent that is gone. */
  get by(): Edge | undefined {
    return this.#covering?.by?.edge;
  }

  /** Our own voice goes out. */
  spoke(now: Millis): void {
    this.#spokeAt = now;
    this.#withheldSince = undefined;
  }

  /** A frame came from a neighbour above. */
  heard(edge: Edge, frame: Frame, now: Millis): void {
    this.#follow(now);
    const asked = this.#askedOf(edge);
    if (asked) asked.heard = true;
    if (edge === this.#parent) return this.#heardParent(frame, now);
    if (frame.kind !== "tick") return;
    if (asked) this.#heardAsked(edge, frame.stalled, frame.passing, now);
    else if (frame.passing) this.#compare(now);
  }

  /** Media came from above, so many packets of it that were missing here. */
  heardMedia(edge: Edge, fresh: number, now: Millis): void {
    this.#follow(now);
    const covering = this.#covering;
    const asked = this.#askedOf(edge);
    if (covering && asked) {
      asked.heard = true;
      covering.packets += fresh;
      if (fresh > 0 && !covering.by) this.#take(covering, edge, now);
      if (covering.by?.edge === edge) covering.by.watch.media(fresh > 0, now);
    }
    if (edge !== this.#parent) return;
    this.#watch?.media(fresh > 0, now);
    this.#stalledSince = undefined;
    if (fresh > 0) this.#withheldSince = undefined;
    if (covering && (fresh > 0 || !covering.mustBring)) this.#end(now);
  }

  /** A link of the parent was lost: it may be gone, so two are asked to cover at once. */
  suspect(edge: Edge, now: Millis): void {
    this.#follow(now);
    if (edge !== this.#parent) return;
    if (!this.#covering) this.#begin("a link to its relay was lost", { waits: false, atOnce: atOnceAfterLoss }, now);
    else if (!this.#covering.by) this.#askNext(this.#covering, now);
  }

  /** The parent is gone: whoever covers already goes on as the parent. Packets that it brought. */
  lost(now: Millis): number {
    this.#isBereft = true;
    this.#wires.stalled(now);
    return this.#covering?.packets ?? 0;
  }

  /** Called after every change of who is there: whoever came may cover, and whoever refused does not. */
  review(now: Millis): void {
    this.#follow(now);
    const covering = this.#covering;
    if (!covering) return;
    this.#forgetGone(covering, now);
    if (!covering.by && covering.asked.length === 0) this.#askNext(covering, now);
  }

  handleTimeout(now: Millis): void {
    this.#follow(now);
    const watch = this.#watch;
    if (!watch) return;
    if (this.#covering) return this.#goOn(this.#covering, watch, now);
    if (watch.isSilent(now)) return this.#begin("its relay fell silent", { waits: false, atOnce: 1 }, now);
    const stalledFor = this.#stalledSince === undefined ? 0 : now - this.#stalledSince;
    if (stalledFor >= stalledMsMax)
      return this.#begin("its relay is stalled", { waits: true, atOnce: 1, moveAfterMs: stalledMoveMs }, now);
    const withheldFor = this.#withheldSince === undefined ? 0 : now - this.#withheldSince;
    if (withheldFor >= withholdingMs)
      this.#begin("its relay sends nothing", { waits: true, mustBring: true, atOnce: 1 }, now);
  }

  /** When the parent counts as silent, or a cover is renewed or another asked; infinite without a parent. */
  get dueAt(): number {
    const watch = this.#watch;
    if (!watch) return Infinity;
    const covering = this.#covering;
    if (covering) return Math.min(covering.renewAt, covering.by ? covering.by.watch.silentAt : covering.nextAt);
    let at: number = watch.silentAt;
    if (this.#stalledSince !== undefined) at = Math.min(at, this.#stalledSince + stalledMsMax);
    if (this.#withheldSince !== undefined) at = Math.min(at, this.#withheldSince + withholdingMs);
    return at;
  }

  #heardParent(frame: Frame, now: Millis): void {
    if (frame.kind === "tick") {
      this.#watch?.tick(frame.nextMs, now);
      this.#stalledSince = frame.stalled ? (this.#stalledSince ?? now) : undefined;
      if (!frame.stalled && this.#covering?.mustBring === false) this.#end(now);
    } else if (frame.kind !== "media" && frame.kind !== "bundle") this.#watch?.alive(now);
  }

  /** A tick of somebody who was asked. One that waits itself is no help; one where nothing passes has nothing to bring. */
  #heardAsked(edge: Edge, stalled: boolean, passing: boolean, now: Millis): void {
    const covering = this.#covering;
    if (!covering) return;
    if (covering.by?.edge === edge) {
      if (!stalled) covering.by.watch.alive(now);
    } else if (!covering.by) {
      if (stalled) this.#askNext(covering, now);
      else if (!passing || this.#speaks(now)) this.#take(covering, edge, now);
    }
  }

  /** What passes elsewhere may be our own voice, which nobody brings us. */
  #speaks(now: Millis): boolean {
    return this.#spokeAt !== undefined && now - this.#spokeAt < ownVoiceMs;
  }

  /** A backup says that media passes there. Does any come here? */
  #compare(now: Millis): void {
    if (this.#speaks(now)) return;
    // Where two feed us for a moment, what the slower brings is never missing.
    const alone = !this.#edges.ups.some((edge) => edge.feed && edge !== this.#parent);
    const useless = this.#watch !== undefined && !this.#watch.isUseful(now) && this.#stalledSince === undefined;
    const quiet = alone && useless && !this.#covering;
    this.#withheldSince = quiet ? (this.#withheldSince ?? now) : undefined;
  }

  /** Watches whoever is the parent now. One that took the place of a parent that is gone may be dead itself. */
  #follow(now: Millis): void {
    const { parent } = this.#edges;
    if (parent === this.#parent) return;
    const covering = this.#covering;
    const covers = covering?.by?.edge === parent ? covering?.by : undefined;
    const isBereft = this.#isBereft && parent !== undefined;
    this.#parent = parent;
    this.#watch = parent && (covers?.watch ?? new ParentWatch(now, isBereft ? answerMsOf(parent) : undefined));
    this.#stalledSince = this.#withheldSince = undefined;
    this.#covering = undefined;
    for (const { edge } of covering?.asked ?? []) if (edge !== parent) this.#feeds.cover(edge, false, now);
    if (!isBereft) return;
    this.#isBereft = false;
    if (!covers) this.#begin("its relay is gone", { waits: false, atOnce: 1, bereft: true }, now);
  }

  #begin(
    reason: string,
    options: Pick<Covering, "waits"> & { atOnce: number } & Partial<
        Pick<Covering, "bereft" | "mustBring" | "moveAfterMs">
      >,
    now: Millis,
  ): void {
    this.#withheldSince = undefined;
    const [renewAt, asked] = [millis(now + renewMs), []];
    const covering: Covering = {
      reason,
      waits: options.waits,
      mustBring: options.mustBring ?? false,
      moveAfterMs: options.moveAfterMs ?? 2 * moveMs,
      bereft: options.bereft ?? false,
      since: now,
      asked,
      by: undefined,
      renewAt,
      nextAt: now,
      isAlone: false,
      packets: 0,
    };
    this.#covering = covering;
    if (!options.waits) this.#wires.stalled(now);
    for (let count = 0; count < options.atOnce; count++) this.#askNext(covering, now);
  }

  #goOn(covering: Covering, watch: ParentWatch, now: Millis): void {
    this.#forgetGone(covering, now);
    if (covering !== this.#covering) return;
    if (covering.by && now >= covering.by.watch.silentAt && covering.by.watch.isSilent(now)) covering.by = undefined;
    if (!covering.by && now >= covering.nextAt) this.#askNext(covering, now);
    if (covering !== this.#covering || now < covering.renewAt) return;
    const silent = Math.min(now - watch.heardAt, now - covering.since + renewMs) >= moveMs;
    const parent = this.#parent;
    if (parent && covering.by && (silent || now - covering.since >= covering.moveAfterMs)) {
      const { reason, packets } = covering;
      covering.renewAt = millis(now + renewMs);
      return this.#wires.move(parent, covering.by.edge, reason, packets, now);
    }
    covering.renewAt = millis(now + renewMs);
    for (const asked of covering.asked) {
      // The hole is asked for once more, for the first wish may be lost; from a way that lets nothing through not again and again.
      this.#feeds.cover(asked.edge, true, now, asked.heard || asked.isRepeated);
      asked.isRepeated = true;
    }
  }

  /** Those who refused or left are forgotten; those who did not answer at all are gone. */
  #forgetGone(covering: Covering, now: Millis): void {
    for (const asked of covering.asked.slice()) {
      const { edge } = asked;
      const gone = !this.#edges.all.includes(edge) || edge.away || this.#wires.refuses(edge);
      const dead = !gone && !asked.heard && now - asked.at >= unansweredMs;
      if (!gone && !dead) continue;
      covering.asked.splice(covering.asked.indexOf(asked), 1);
      if (covering.by?.edge === edge) covering.by = undefined;
      if (!covering.by) covering.nextAt = now;
      if (!dead) continue;
      edge.session.end();
      this.#wires.lost(edge, "its relay fell silent", now);
    }
  }

  /** Asks one more to cover. Whoever answers late is still welcome. */
  #askNext(covering: Covering, now: Millis): void {
    const edge = this.#next;
    if (!edge) return this.#nobody(covering, now);
    covering.isAlone = false;
    covering.asked.push({ edge, at: now, heard: false, isRepeated: false });
    covering.nextAt = millis(now + answerMsOf(edge));
    this.#feeds.cover(edge, true, now);
  }

  /** Nobody is left to ask: others are dialed, unless what is missing may only be late. */
  #nobody(covering: Covering, now: Millis): void {
    covering.nextAt = millis(now + nobodyMs);
    const isLong = covering.bereft || now - (this.#watch?.heardAt ?? now) >= aloneMs;
    if (!isLong && !this.#parent?.session.isDoubtful) return;
    covering.isAlone = true;
    this.#wires.alone(now);
  }

  /** The first who brings something is enough. */
  #take(covering: Covering, edge: Edge, now: Millis): void {
    covering.by = { edge, watch: new ParentWatch(now) };
    for (const other of covering.asked.splice(0)) {
      if (other.edge === edge) covering.asked.push(other);
      else this.#feeds.cover(other.edge, false, now);
    }
  }

  #end(now: Millis): void {
    const covering = this.#covering;
    this.#covering = undefined;
    if (!covering) return;
    for (const { edge } of covering.asked) this.#feeds.cover(edge, false, now);
    if (covering.packets > 0 && !covering.bereft) this.#wires.covered(covering.reason, covering.packets, now);
  }

  #askedOf(edge: Edge): Asked | undefined {
    return this.#covering?.asked.find((asked) => asked.edge === edge);
  }

  get #next(): Edge | undefined {
    const asked = this.#covering?.asked ?? [];
    const fits = (edge: Edge): boolean => !asked.some((each) => each.edge === edge) && !this.#wires.refuses(edge);
    return reservesOf(this.#edges).find(fits);
  }
}
