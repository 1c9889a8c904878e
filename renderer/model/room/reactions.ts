import type { EngineEvent } from "../../../p2p/api/engine.ts";
import type { Reaction } from "../../../p2p/api/room.ts";
import { cleanName } from "../names.ts";
import type { Scope } from "../scope.ts";
import type { Session } from "../session.ts";
import type { Timers } from "../timers.ts";
import { Cell } from "../value.ts";

/** Shown at once: more would hide the stage. */
const shownMax = 16;
/** How long each is shown. */
const shownMs = 4500;
/** Our own in a row: a held finger is no applause. */
const ownGapMs = 600;

/** One reaction, as it rises. */
export interface ShownReaction {
  readonly id: number;
  readonly identity: string;
  readonly name: string;
  readonly reaction: Reaction;
  readonly self: boolean;
}

/** What people answer without words: each is shown for a moment, and a crowd's as many as fit. */
export class Reactions {
  readonly shown = new Cell<readonly ShownReaction[]>([]);
  /** The last one of anybody, to be said to whoever does not see it. */
  readonly newest = new Cell<ShownReaction | undefined>(undefined);
  readonly #session: Session;
  readonly #timers: Timers;
  readonly #isBlocked: (identity: string) => boolean;
  #seen = 0;
  #sentAt = Number.NEGATIVE_INFINITY;

  constructor(session: Session, timers: Timers, scope: Scope, isBlocked: (identity: string) => boolean) {
    this.#session = session;
    this.#timers = timers;
    this.#isBlocked = isBlocked;
    scope.own(
      session.engine.subscribe((event) => {
        if (event.event === "reaction") this.#take(event);
      }),
    );
  }

  /** Sends one, not faster than anybody could mean it. Never rejects: one that is lost is not missed. */
  send(reaction: Reaction): void {
    const now = this.#timers.now();
    if (now - this.#sentAt < ownGapMs) return;
    this.#sentAt = now;
    this.#session.engine.act({ kind: "react", reaction }).catch(() => undefined);
  }

  #take({ identity, name, reaction, self }: Extract<EngineEvent, { readonly event: "reaction" }>): void {
    if (this.#isBlocked(identity)) return;
    this.#seen += 1;
    const next = { id: this.#seen, identity, name: cleanName(name), reaction, self };
    this.newest.set(next);
    this.shown.update((before) => [...before, next].slice(-shownMax));
    this.#timers.after(shownMs, () => this.shown.update((all) => all.filter(({ id }) => id !== next.id)));
  }
}
