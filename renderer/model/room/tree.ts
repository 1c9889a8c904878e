import type { PlaceRelay } from "../../../p2p/api/engine.ts";
import type { Scope } from "../scope.ts";
import type { Happening, Place, Session } from "../session.ts";
import type { Timers } from "../timers.ts";
import { Cell } from "../value.ts";

/** Relays drawn between the stage and our parent; further ones would not be told apart. */
const betweenMax = 5;
/** Reserves drawn. */
const backupsMax = 3;
/** Neighbours drawn below us; the others are a number. */
const belowMax = 9;
/** How long a reserve that stepped in is lit: a hole is over before anybody could look. */
const coverShownMs = 5000;

/** A neighbour as it is drawn. */
export interface TreeNeighbour {
  readonly peer: string;
  /** A few characters of its key, to tell it from others and to find it again. */
  readonly name: string;
  readonly kind: PlaceRelay["kind"];
  /** Sound flows over the link now. */
  readonly feeds: boolean;
}

/** The part of the room's tree that can be known from here. */
export interface TreePicture {
  /** Relays between the stage and our parent that are drawn. */
  readonly between: number;
  readonly parent: TreeNeighbour | undefined;
  readonly backups: readonly TreeNeighbour[];
  /** Below us, whom we carry for; those that get sound first. */
  readonly below: readonly TreeNeighbour[];
  /** Further ones below that are not drawn. */
  readonly belowMore: number;
}

/** What is drawn of a place. */
export function treeOf({ hops, relays, below }: Place): TreePicture {
  const above = relays.map(neighbourOf);
  const parent = above.find(({ feeds }) => feeds);
  const under = below.map(neighbourOf).toSorted((a, b) => Number(b.feeds) - Number(a.feeds));
  return {
    between: parent === undefined ? 0 : Math.min(betweenMax, Math.max(0, hops - 2)),
    parent,
    // A host feeds several: all but the first stand beside it.
    backups: above.filter((one) => one !== parent).slice(0, backupsMax),
    below: under.slice(0, belowMax),
    belowMore: Math.max(0, under.length - belowMax),
  };
}

function neighbourOf({ peer, kind, feeds }: PlaceRelay): TreeNeighbour {
  // The end of a key: keys of one kind begin alike.
  return { peer, name: peer.slice(-4), kind, feeds };
}

/** Whether the newest happening is a reserve that stepped in a moment ago. */
export class Covering {
  readonly isShown = new Cell(false);
  #end: (() => void) | undefined;

  constructor(session: Session, timers: Timers, scope: Scope) {
    let last: Happening | undefined = session.happenings.get().at(-1);
    scope.own(
      session.happenings.subscribe(() => {
        const newest = session.happenings.get().at(-1);
        if (newest === undefined || newest === last) return;
        last = newest;
        this.#end?.();
        this.#end = undefined;
        this.isShown.set(newest.kind === "cover");
        if (newest.kind !== "cover") return;
        this.#end = timers.after(coverShownMs, () => this.isShown.set(false));
      }),
    );
    scope.own(() => this.#end?.());
  }
}
