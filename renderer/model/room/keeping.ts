import type { EngineApi } from "../../../p2p/api/engine.ts";
import type { Act, Right, RoomFacts, RoomPerson, RoomRules } from "../../../p2p/api/room.ts";
import { codeOf } from "../fault-code.ts";
import { deedsFor, strangerOf, type Deed } from "./facts.ts";
import type { Scope } from "../scope.ts";
import { sentence, type Sentence } from "../sentence.ts";
import type { Session } from "../session.ts";
import type { Timers } from "../timers.ts";
import { Cell } from "../value.ts";

/** How long a refusal stays: long enough to be read, short enough not to be taken for the present. */
const refusalShownMs = 8000;

/** Everything that people do in a room beside talking, and what keepers do to keep order. */
export class Keeping {
  /** Why the last thing that was tried did not happen. */
  readonly refusal = new Cell<Sentence | undefined>(undefined);
  readonly #engine: EngineApi;
  readonly #session: Session;
  readonly #timers: Timers;
  #endRefusal: (() => void) | undefined;

  constructor(session: Session, timers: Timers, scope: Scope) {
    this.#engine = session.engine;
    this.#session = session;
    this.#timers = timers;
    scope.own(() => this.#endRefusal?.());
    scope.own(
      session.refusal.subscribe(() => {
        const refusal = session.refusal.get();
        if (refusal !== undefined) this.refuse(refusal);
      }),
    );
  }

  /** What the room is like; undefined before the engine said so. */
  get facts(): RoomFacts | undefined {
    return this.#session.facts.get();
  }

  /** Whether we may do what takes this right. */
  may(right: Right): boolean {
    return this.facts?.rights.includes(right) ?? false;
  }

  /** Somebody, as far as the room knows them. */
  person(identity: string, name: string): RoomPerson {
    const known = this.facts?.people.find((one) => one.identity === identity);
    if (known !== undefined) return known;
    const seen = this.#session.stage.get().people.find((one) => one.identity === identity);
    return { ...strangerOf(identity, name), ...seen };
  }

  /** What we may do about them. A host whose room has no keepers' rules can take people off the stage. */
  deedsFor(person: RoomPerson): readonly Deed[] {
    if (this.facts !== undefined) return deedsFor(this.facts, person);
    const isHost = this.#session.role.get() === "host";
    return isHost && person.voice !== null && !person.self ? ["to-audience"] : [];
  }

  /** Does it, or shows why not. Never rejects. */
  async act(act: Act): Promise<void> {
    this.#clear();
    try {
      await this.#engine.act(act);
    } catch (error: unknown) {
      this.refuse(sentence(`fault.${codeOf(error)}`));
    }
  }

  /** Does something about somebody. */
  async do(deed: Deed, { identity, voice }: RoomPerson, { branch = false } = {}): Promise<void> {
    if (this.facts === undefined) {
      if (deed === "to-audience" && voice !== null) this.#engine.removeFromStage(voice);
      return;
    }
    switch (deed) {
      case "make-moderator":
        return this.act({ kind: "set-role", identity, role: "moderator" });
      case "take-office":
        return this.act({ kind: "set-role", identity, role: voice === null ? "listener" : "speaker" });
      case "ban":
        return this.act({ kind: "ban", identity, branch });
      default:
        return this.act({ kind: deed, identity });
    }
  }

  /** Changes what holds for everybody; what is as it was is not sent. */
  async direct(next: Partial<RoomRules>): Promise<void> {
    const facts = this.facts;
    if (facts === undefined) return;
    const isChanged = ([name, value]: readonly [string, unknown]): boolean =>
      JSON.stringify(facts[name as keyof RoomRules]) !== JSON.stringify(value);
    const changed = Object.fromEntries(Object.entries(next).filter(isChanged));
    if (Object.keys(changed).length > 0) await this.act({ kind: "set-room", ...changed });
  }

  /** Says that one records, or no longer. */
  async record(on: boolean): Promise<void> {
    await this.act({ kind: "record", on });
  }

  /** Shows why something did not happen, for a while. */
  refuse(why: Sentence): void {
    this.#clear();
    this.refusal.set(why);
    this.#endRefusal = this.#timers.after(refusalShownMs, () => this.#clear());
  }

  #clear(): void {
    this.#endRefusal?.();
    this.#endRefusal = undefined;
    this.refusal.set(undefined);
  }
}
