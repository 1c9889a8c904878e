import type { RoomFacts } from "../../../p2p/api/room.ts";
import { cleanText, textLengthMax } from "../names.ts";
import type { Scope } from "../scope.ts";
import { sentence, type Sentence } from "../sentence.ts";
import type { Session, TypedText } from "../session.ts";
import type { Timers } from "../timers.ts";
import { Cell, type Value } from "../value.ts";

/** Typing to the stage: the field, the pause that the room asks for, and whose words we do not want to see. */
export class Chat {
  /** What stands in the field. */
  readonly draft = new Cell("");
  readonly problem = new Cell<Sentence | undefined>(undefined);
  /** Whole seconds until one may type again; 0: now. */
  readonly waitS = new Cell(0);
  /** Texts that are shown. */
  readonly texts: Cell<readonly TypedText[]>;
  /** Identities whose texts and reactions are hidden here, and nowhere else. */
  readonly blocked = new Cell<ReadonlySet<string>>(new Set());
  readonly #session: Session;
  readonly #timers: Timers;
  #endWait: (() => void) | undefined;

  constructor(session: Session, timers: Timers, scope: Scope) {
    this.#session = session;
    this.#timers = timers;
    this.texts = new Cell(session.texts.get());
    const show = (): void => {
      const blocked = this.blocked.get();
      const all = session.texts.get();
      this.texts.set(blocked.size === 0 ? all : all.filter(({ identity }) => !blocked.has(identity)));
    };
    scope.own(session.texts.subscribe(show));
    scope.own(this.blocked.subscribe(show));
    scope.own(() => this.#endWait?.());
  }

  /** Sends what stands in the field, or says what is wrong with it. */
  say(): void {
    const raw = this.draft.get();
    if (raw.trim().length > textLengthMax)
      return this.problem.set(sentence("fault.text-too-long", { max: textLengthMax }));
    const text = cleanText(raw);
    if (text === "") return this.problem.set(sentence("fault.text-empty"));
    if (this.waitS.get() > 0) return this.problem.set(sentence("fault.slow-mode"));
    this.problem.set(undefined);
    this.#session.engine.say(text);
    this.draft.set("");
    this.#wait(pauseOf(this.#session.facts));
  }

  isBlocked(identity: string): boolean {
    return this.blocked.get().has(identity);
  }

  /** Hides what this person types and answers, here alone; or shows it again. */
  setBlocked(identity: string, blocked: boolean): void {
    const next = new Set(this.blocked.get());
    if (blocked) next.add(identity);
    else next.delete(identity);
    this.blocked.set(next);
  }

  #wait(seconds: number): void {
    this.#endWait?.();
    this.#endWait = undefined;
    this.waitS.set(seconds);
    if (seconds > 0) this.#endWait = this.#timers.after(1000, () => this.#wait(seconds - 1));
    else if (this.problem.get()?.key === "fault.slow-mode") this.problem.set(undefined);
  }
}

/** Seconds between two texts; whoever keeps the room need not wait. */
function pauseOf(facts: Value<RoomFacts | undefined>): number {
  const now = facts.get();
  return now === undefined || now.rights.includes("moderate") ? 0 : now.slowModeS;
}
