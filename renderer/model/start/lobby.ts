import type { EngineApi, JoinStep } from "../../../p2p/api/engine.ts";
import type { ErrorCode } from "../../../p2p/api/errors.ts";
import { cleanOwnName } from "../names.ts";
import { Scope } from "../scope.ts";
import { sentence, type Sentence } from "../sentence.ts";
import type { Session } from "../session.ts";
import type { Settings } from "../settings.ts";
import type { Purpose } from "./start.ts";
import { Cell } from "../value.ts";
import type { Voice } from "../voice/voice.ts";

/** The steps of getting in, in the order they usually come. */
export const joinSteps: readonly JoinStep[] = ["asking-relays", "asking-dht", "waiting-for-papers", "joined"];

/** A step as the screen shows it. `skipped` ones were not needed: the relays of the invite answered. */
export type StepState = "ahead" | "now" | "done" | "skipped";

/** What to say on the first screen after a fault that only another invite or card can cure. */
export type BackToStart = (problem: Sentence | undefined) => void;

/** Between decision and room: a name, the devices, and then what really happens while joining. */
export class LobbyModel {
  readonly purpose: Purpose;
  readonly session: Session;
  readonly voice: Voice;
  readonly name: Cell<string>;
  readonly problem = new Cell<Sentence | undefined>(undefined);
  /** Asked for once the invite turned out to need one, and never kept. */
  readonly passphrase = new Cell("");
  readonly needsPassphrase = new Cell(false);
  readonly #settings: Settings;
  readonly #back: BackToStart;
  readonly #scope = new Scope();

  constructor(purpose: Purpose, session: Session, voice: Voice, settings: Settings, back: BackToStart) {
    this.purpose = purpose;
    this.session = session;
    this.voice = voice;
    this.#settings = settings;
    this.#back = back;
    this.name = new Cell(settings.name.get());
    voice.renewMask();
    this.#scope.own(() => voice.endTryOut());
  }

  /** Goes in. The screen changes when the session says so. Never rejects. */
  async enter(): Promise<void> {
    const { purpose, session } = this;
    const name = cleanOwnName(this.name.get());
    this.#settings.name.set(name);
    this.problem.set(undefined);
    const listening = this.voice.listen();
    const passphrase = this.passphrase.get();
    const code = await session.enter((engine) => ask(engine, purpose, name, passphrase));
    await listening;
    if (code === undefined || this.#scope.ended) return;
    if (code === "passphrase-needed" || code === "passphrase-wrong") this.needsPassphrase.set(true);
    // Nothing shows any more that it is open.
    this.voice.endTryOut();
    const problem = sentence(`fault.${code}`);
    if (isOfPaper(code)) this.#back(problem);
    else this.problem.set(problem);
  }

  /** Goes back to the first screen; while joining it stops that. */
  cancel(): void {
    if (this.session.phase.get() === "entering") this.session.leave();
    this.#back(undefined);
  }

  /** Stops joining and stays here. */
  stopEntering(): void {
    this.session.leave();
  }

  /** The screen is left: a microphone that was only tried is closed. */
  end(): void {
    this.passphrase.set("");
    this.#scope.end();
  }
}

function ask(engine: EngineApi, purpose: Purpose, name: string, passphrase: string): Promise<unknown> {
  if (purpose.kind === "join") {
    return engine.join(purpose.invite, passphrase === "" ? { name } : { name, passphrase });
  }
  return engine.host({ title: purpose.title, name, via: purpose.via, letEverybodySpeak: false });
}

/** Whether the invite or card itself is at fault. */
function isOfPaper(code: ErrorCode): boolean {
  return code.startsWith("invite-") || code.startsWith("card-") || code === "usage" || code === "address-unusable";
}

/** How far each step is, from those that the engine has named. */
export function stepStates(named: readonly JoinStep[]): ReadonlyMap<JoinStep, StepState> {
  const last = named.at(-1) ?? "asking-relays";
  const at = joinSteps.indexOf(last);
  return new Map(
    joinSteps.map((step, index) => {
      if (step === "joined") return [step, last === "joined" ? "done" : "ahead"];
      if (index === at) return [step, "now"];
      if (index > at) return [step, "ahead"];
      return [step, index === 0 || named.includes(step) ? "done" : "skipped"];
    }),
  );
}
