import { type Millis, millis } from "../../../api/ids.ts";
import type { Frame } from "../../session/frames.ts";
import type { Edge, Edges } from "../edge.ts";
import type { Feeds } from "../media/feeds.ts";
import { ParentWatch } from "./parent-watch.ts";

/** A parent that was silent this long is left for the backup: loss and scheduling alone make shorter holes (DESIGN.md). */
const moveMs = 300;
/** A cover is asked for again this often while it lasts: the request may be lost, and what is not renewed ends. */
const renewMs = 150;
/** A backup that was not heard so long after it was asked is gone too: a round trip around the world, and one more request. */
const unansweredMs = 450;
/** With nobody to cover, it is looked again after this long. */
const nobodyMs = 100;
/** How long a parent may say that its own parent is silent before its children stop waiting for it to mend that. */
const stalledMsMax = 600;
/** A parent that lives but gives nothing of what passes at the backup is left after this long. */
const withholdingMs = 1000;
/** What passes there so soon after we spoke may be our own voice, which no parent gives back. */
const ownVoiceMs = 1000;

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
}

interface Covering {
  readonly edge: Edge;
  readonly reason: string;
  readonly since: Millis;
  renewAt: Millis;
  /** The parent lives, but what it gives is not what it should: only that ends it. */
  readonly waits: boolean;
  /** Whether the backup answered at all. */
  heard: boolean;
  packets: number;
}

/**
 * Two silent ticks from the parent, and the backup is asked to cover: it replays the hole and feeds on, until the parent is
 * back or has been silent so long that the backup takes its place ([OV40]). A parent that says that it waits itself is waited for.
 */
export class Cover {
  readonly #edges: Edges;
  readonly #feeds: Feeds;
  readonly #wires: CoverWires;
  #parent: Edge | undefined;
  #watch: ParentWatch | undefined;
  #covering: Covering | undefined;
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

  /** Whether the backup covers for the parent now: nobody moves of their own will meanwhile. */
  get active(): boolean {
    return this.#covering !== undefined;
  }

  /** Whether those below are to be told to wait: nothing comes from above. */
  get isStalled(): boolean {
    return this.#covering !== undefined && !this.#covering.heard;
  }

  /** Our own voice goes out. */
  spoke(now: Millis): void {
    this.#spokeAt = now;
    this.#withheldSince = undefined;
  }

  /** A frame came from a neighbour above. */
  heard(edge: Edge, frame: Frame, now: Millis): void {
    this.#follow(now);
    if (edge === this.#covering?.edge) this.#covering.heard = true;
    else if (edge !== this.#parent) {
      if (frame.kind === "tick" && frame.passing) this.#compare(now);
    } else if (frame.kind === "tick") {
      this.#watch?.tick(frame.nextMs, now);
      this.#stalledSince = frame.stalled ? (this.#stalledSince ?? now) : undefined;
      if (!frame.stalled && this.#covering?.waits === false) this.#end(now);
    } else if (frame.kind !== "media" && frame.kind !== "bundle") this.#watch?.alive(now);
  }

  /** Media came from above, so many packets of it that were missing here. */
  heardMedia(edge: Edge, fresh: number, now: Millis): void {
    this.#follow(now);
    const covering = this.#covering;
    if (edge === covering?.edge) {
      covering.heard = true;
      covering.packets += fresh;
    }
    if (edge !== this.#parent) return;
    this.#watch?.media(fresh > 0, now);
    this.#stalledSince = undefined;
    if (fresh > 0) this.#withheldSince = undefined;
    if (covering && (fresh > 0 || !covering.waits)) this.#end(now);
  }

  /** A link of the parent was lost: it may be gone, so the backup covers at once. */
  suspect(edge: Edge, now: Millis): void {
    this.#follow(now);
    if (edge === this.#parent && !this.#covering) this.#begin("a link to its relay was lost", false, now);
  }

  /** The parent is gone: the backup, if it covers already, goes on as the parent. Packets that it brought. */
  lost(now: Millis): number {
    const packets = this.#covering?.packets ?? 0;
    this.#covering = undefined;
    this.#wires.stalled(now);
    return packets;
  }

  handleTimeout(now: Millis): void {
    this.#follow(now);
    const watch = this.#watch;
    if (!watch) return;
    if (this.#covering) return this.#goOn(this.#covering, watch, now);
    if (watch.isSilent(now)) return this.#begin("its relay fell silent", false, now);
    const stalledFor = this.#stalledSince === undefined ? 0 : now - this.#stalledSince;
    if (stalledFor >= stalledMsMax) return this.#begin("its relay is stalled", true, now);
    const withheldFor = this.#withheldSince === undefined ? 0 : now - this.#withheldSince;
    if (withheldFor >= withholdingMs) this.#begin("its relay sends nothing", true, now);
  }

  /** When the parent counts as silent, or a cover is renewed; infinite without a parent. */
  get dueAt(): number {
    const watch = this.#watch;
    if (!watch) return Infinity;
    if (this.#covering) return this.#covering.renewAt;
    let at: number = watch.silentAt;
    if (this.#stalledSince !== undefined) at = Math.min(at, this.#stalledSince + stalledMsMax);
    if (this.#withheldSince !== undefined) at = Math.min(at, this.#withheldSince + withholdingMs);
    return at;
  }

  /** A backup says that media passes there. Does any come here? */
  #compare(now: Millis): void {
    if (this.#spokeAt !== undefined && now - this.#spokeAt < ownVoiceMs) return;
    // Where two feed us for a moment, what the slower brings is never missing.
    const alone = !this.#edges.ups.some((edge) => edge.feed && edge !== this.#parent);
    const useless = this.#watch !== undefined && !this.#watch.isUseful(now) && this.#stalledSince === undefined;
    const quiet = alone && useless && !this.#covering;
    this.#withheldSince = quiet ? (this.#withheldSince ?? now) : undefined;
  }

  /** Watches whoever is the parent now. */
  #follow(now: Millis): void {
    const { parent } = this.#edges;
    if (parent === this.#parent) return;
    this.#parent = parent;
    this.#watch = parent && new ParentWatch(now);
    this.#stalledSince = this.#withheldSince = undefined;
    if (this.#covering && this.#covering.edge !== parent) this.#feeds.cover(this.#covering.edge, false, now);
    this.#covering = undefined;
  }

  #begin(reason: string, waits: boolean, now: Millis): void {
    const edge = this.#backup;
    this.#withheldSince = undefined;
    if (!waits) this.#wires.stalled(now);
    if (!edge) {
      this.#stalledSince = undefined;
      this.#watch?.defer(nobodyMs, now);
      return;
    }
    const renewAt = millis(now + renewMs);
    this.#covering = { edge, reason, waits, since: now, renewAt, heard: false, packets: 0 };
    this.#feeds.cover(edge, true, now);
  }

  #goOn(covering: Covering, watch: ParentWatch, now: Millis): void {
    const { edge, reason, since, packets } = covering;
    const gone = !this.#edges.all.includes(edge) || edge.away || this.#wires.refuses(edge);
    if (gone) {
      this.#covering = undefined;
      return this.#begin(reason, covering.waits, now);
    }
    if (now < covering.renewAt) return;
    if (!covering.heard && now - since >= unansweredMs) {
      this.#covering = undefined;
      edge.session.end();
      this.#wires.lost(edge, "its relay fell silent", now);
      if (!this.#covering) this.#begin(reason, covering.waits, now);
      return;
    }
    const silent = Math.min(now - watch.heardAt, now - since + renewMs) >= moveMs;
    const parent = this.#parent;
    if (parent && covering.heard && (silent || now - since >= 2 * moveMs)) {
      this.#covering = undefined;
      return this.#wires.move(parent, edge, reason, packets, now);
    }
    covering.renewAt = millis(now + renewMs);
    this.#feeds.cover(edge, true, now, covering.heard);
  }

  #end(now: Millis): void {
    const covering = this.#covering;
    this.#covering = undefined;
    if (!covering) return;
    this.#feeds.cover(covering.edge, false, now);
    if (covering.packets > 0) this.#wires.covered(covering.reason, covering.packets, now);
  }

  /** The best of those who wait: in doubt only if there is nobody else. */
  get #backup(): Edge | undefined {
    const able = this.#edges.ups.filter((edge) => edge !== this.#parent && edge.welcomed && !edge.away && !edge.feed);
    const willing = able.filter((edge) => !this.#wires.refuses(edge));
    return willing.find((edge) => !edge.session.isDoubtful) ?? willing[0];
  }
}
