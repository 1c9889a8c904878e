import type { EngineApi } from "../../../p2p/api/engine.ts";
import type { OpenRoom } from "../../../p2p/api/room.ts";
import { codeOf } from "../fault-code.ts";
import { cleanName } from "../names.ts";
import { sentence, type Sentence } from "../sentence.ts";
import type { Timers } from "../timers.ts";
import { Cell } from "../value.ts";

/** Rooms that are shown: nobody reads further. */
const roomsMax = 40;
/** An engine that has just come up knows nobody: it looks again so often, so far apart, while it finds nothing. */
const looksMax = 4;
const lookAgainMs = 1500;

/** The rooms that anybody may find and come into. */
export class Hall {
  /** Undefined before it was looked for the first time. */
  readonly rooms = new Cell<readonly OpenRoom[] | undefined>(undefined);
  readonly isLooking = new Cell(false);
  readonly problem = new Cell<Sentence | undefined>(undefined);
  readonly #engine: EngineApi;
  readonly #timers: Timers;
  /** Counts what was begun or put away: what comes of an older look comes too late. */
  #run = 0;

  constructor(engine: EngineApi, timers: Timers) {
    this.#engine = engine;
    this.#timers = timers;
  }

  /** Looks for open rooms. Nobody is asked before a person wants it. Never rejects. */
  async look(): Promise<void> {
    if (this.isLooking.get()) return;
    const run = (this.#run += 1);
    this.isLooking.set(true);
    this.problem.set(undefined);
    try {
      const found = await this.#find(run);
      if (run === this.#run) this.rooms.set(found);
    } catch (error: unknown) {
      if (run === this.#run) this.#fail(error);
    }
    if (run === this.#run) this.isLooking.set(false);
  }

  /** What was found is put away, and what is being looked for is not shown: nobody asks any more. */
  forget(): void {
    this.#run += 1;
    this.isLooking.set(false);
    this.rooms.set(undefined);
    this.problem.set(undefined);
  }

  #fail(error: unknown): void {
    const code = codeOf(error);
    // These speak of a room's connection, and there is none: nothing was found, which is said.
    if (code === "no-network" || code === "stalled") this.rooms.set(this.rooms.get() ?? []);
    else this.problem.set(sentence(`fault.${code}`));
  }

  async #find(run: number): Promise<readonly OpenRoom[]> {
    for (let look = 1; ; look += 1) {
      const found = await this.#engine.openRooms();
      if (found.length > 0 || look === looksMax || run !== this.#run)
        return found.slice(0, roomsMax).map((room) => ({ ...room, title: cleanName(room.title) }));
      await new Promise<void>((resolve) => this.#timers.after(lookAgainMs, resolve));
      if (run !== this.#run) return [];
    }
  }
}
