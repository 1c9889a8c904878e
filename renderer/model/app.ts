import type { EngineApi } from "../../p2p/api/engine.ts";
import type { Microphone, Speakers } from "../audio/types.ts";
import { keepChoices, type KeepsakePort } from "./keepsake.ts";
import { LendModel, type WatchPower } from "./lend.ts";
import { Hall } from "./start/hall.ts";
import { LobbyModel } from "./start/lobby.ts";
import { ProbeModel } from "./start/probe.ts";
import { RoomModel } from "./room/room.ts";
import { Scope } from "./scope.ts";
import { sentence, type WindowFault } from "./sentence.ts";
import { Session, type LineState } from "./session.ts";
import { Settings } from "./settings.ts";
import { StartModel, type Purpose } from "./start/start.ts";
import type { Timers } from "./timers.ts";
import { Cell, type Value } from "./value.ts";
import { TalkKeyModel, type TalkKeyPort } from "./voice/talk-key.ts";
import { Voice } from "./voice/voice.ts";
import { WayModel } from "./start/way.ts";

/** What the window shows. `ended` says why nothing goes on here. */
export type Screen =
  | { readonly kind: "start"; readonly model: StartModel }
  | { readonly kind: "lobby"; readonly model: LobbyModel }
  | { readonly kind: "room"; readonly model: RoomModel }
  | { readonly kind: "ended"; readonly fault: EndedFault; readonly model: EndedModel };

/** Why nothing goes on in this window. The first two can be undone. */
export type EndedFault = Extract<
  WindowFault,
  "second-window" | "replaced" | "token-wrong" | "engine-gone" | "line-lost" | "line-broken"
>;

/** What can be done about it. */
export interface EndedModel {
  /** Goes on here and closes the other window; undefined where that cannot help. */
  readonly takeOver: (() => void) | undefined;
}

/** What the window stands on. */
export interface AppPorts {
  readonly engine: EngineApi;
  readonly line: Value<LineState>;
  /** Takes the engine over from another window. */
  readonly takeOver: () => void;
  readonly microphone: Microphone;
  readonly speakers: Speakers;
  /** The desktop app, which can listen for a key while another window is in front. */
  readonly talkKey?: TalkKeyPort | undefined;
  /** Where choices lie that a reload must not undo. */
  readonly keepsake: KeepsakePort;
  readonly timers: Timers;
  /** Unix ms, which go on while the computer sleeps. */
  readonly wallClock: () => number;
  /** Hears how this computer is fed. */
  readonly watchPower: WatchPower;
  /** What else must go when everything is wiped: the desktop app itself. */
  readonly wipeAround?: () => void;
  /** Languages of the system, best first (BCP 47). */
  readonly systemLanguages: readonly string[];
}

/** The window as a whole: one screen at a time, and what outlives screens. */
export class App {
  readonly session: Session;
  readonly voice: Voice;
  readonly settings: Settings;
  readonly way: WayModel;
  readonly talkKey: TalkKeyModel | undefined;
  readonly probe: ProbeModel;
  readonly hall: Hall;
  readonly lend: LendModel;
  readonly screen: Cell<Screen>;
  readonly #timers: Timers;
  readonly #takeOver: () => void;
  readonly #scope = new Scope();
  readonly #wipeAround: (() => void) | undefined;
  #start: StartModel;

  constructor(ports: AppPorts) {
    this.#timers = ports.timers;
    this.#takeOver = ports.takeOver;
    this.settings = new Settings(ports.systemLanguages);
    this.session = new Session(ports.engine, ports.line, this.#scope);
    this.voice = new Voice(ports.engine, ports.microphone, ports.speakers, ports.timers, this.#scope, ports.wallClock);
    this.talkKey = ports.talkKey && new TalkKeyModel(ports.talkKey, this.voice, this.#scope);
    keepChoices(ports.keepsake, this.session, this, this.#scope);
    this.way = new WayModel(ports.engine, this.#scope);
    this.probe = new ProbeModel(this.session, this.#scope);
    this.hall = new Hall(ports.engine, ports.timers);
    this.lend = new LendModel(this.session, ports.watchPower, this.#scope, () => new Date().getTimezoneOffset());
    this.#wipeAround = ports.wipeAround;
    this.#start = new StartModel((purpose) => this.#prepare(purpose));
    this.screen = new Cell<Screen>({ kind: "start", model: this.#start });
    this.#scope.watch(this.session.phase, () => this.#follow());
    this.#scope.watch(this.session.line, () => this.#follow());
  }

  /** Opens an invite or card that the system handed over, as a link or a file. Inside a room it waits for nobody: ignored. */
  open(text: string): void {
    if (this.screen.get().kind !== "start" && this.screen.get().kind !== "lobby") return;
    this.#show({ kind: "start", model: this.#start });
    this.#start.openText(text);
  }

  /**
   * Leaves at once and forgets everything, asking nothing: the microphone is shut and the screen empty before this returns;
   * the engine has a quarter of a second for its goodbyes, then its process and all it held is gone.
   */
  panic(): void {
    this.voice.close();
    this.session.wipe();
    this.settings.forget();
    this.lend.forget();
    this.way.forget();
    this.probe.invite.set(undefined);
    this.hall.forget();
    this.#start.forget();
    this.#start = new StartModel((purpose) => this.#prepare(purpose));
    this.#show({ kind: "start", model: this.#start }, true);
    this.#wipeAround?.();
  }

  end(): void {
    this.#show({ kind: "start", model: this.#start });
    this.#scope.end();
  }

  #prepare(purpose: Purpose): void {
    this.probe.invite.set(purpose.kind === "join" ? purpose.invite : undefined);
    const lobby = new LobbyModel(purpose, this.session, this.voice, this.settings, (problem) => {
      const cell = purpose.kind === "join" ? this.#start.inviteProblem : this.#start.cardProblem;
      cell.set(problem);
      this.#show({ kind: "start", model: this.#start });
    });
    this.#show({ kind: "lobby", model: lobby });
  }

  /** The screen follows from the line and from where the session is. */
  #follow(): void {
    const { line, phase } = this.session;
    const state = line.get();
    if (state === "second-window" || state === "replaced") {
      return this.#show({ kind: "ended", fault: state, model: { takeOver: this.#takeOver } });
    }
    if (state === "token-wrong" || state === "engine-gone" || state === "line-lost" || state === "line-broken") {
      return this.#show({ kind: "ended", fault: state, model: { takeOver: undefined } });
    }
    const { kind } = this.screen.get();
    if (phase.get() === "inside" && kind !== "room") {
      return this.#show({ kind: "room", model: new RoomModel(this.session, this.voice, this.#timers, this.settings) });
    }
    if (phase.get() === "outside" && kind === "room") return this.#leaveRoom();
    if (kind === "ended" && state === "open") this.#show({ kind: "start", model: this.#start });
  }

  #leaveRoom(): void {
    const trouble = this.session.trouble.get();
    // Out of the room nothing is tried again by itself.
    const why = trouble?.key === "fault.stalled" ? sentence("fault.no-network") : trouble;
    // Who was put out wants to know why, and to try again. Else the invite has served, and nobody else need see it.
    if (why === undefined) {
      this.#start.invite.set("");
      this.probe.invite.set(undefined);
    }
    this.#start.inviteProblem.set(why);
    this.#show({ kind: "start", model: this.#start });
  }

  #show(next: Screen, always = false): void {
    const before = this.screen.get();
    const same =
      next.kind === "ended" ? before.kind === "ended" && before.fault === next.fault : before.kind === next.kind;
    if (same && next.kind !== "lobby" && !always) return;
    this.screen.set(next);
    if (before.kind === "lobby" || before.kind === "room") before.model.end();
  }
}
