import type { Power } from "../../p2p/api/engine.ts";
import { App } from "../../renderer/model/app.ts";
import type { LobbyModel } from "../../renderer/model/start/lobby.ts";
import type { RoomModel } from "../../renderer/model/room/room.ts";
import type { LineState } from "../../renderer/model/session.ts";
import type { StartModel } from "../../renderer/model/start/start.ts";
import { Cell } from "../../renderer/model/value.ts";
import { EngineDouble } from "../doubles/engine-double.ts";
import { MicrophoneDouble, SpeakersDouble } from "./sound-doubles.ts";
import { ManualTimers } from "./timers.ts";

/** A window without a screen: the view models on a scripted engine. */
export class WindowDouble {
  readonly engine = new EngineDouble();
  readonly microphone = new MicrophoneDouble();
  readonly speakers = new SpeakersDouble();
  readonly line = new Cell<LineState>("open");
  readonly timers = new ManualTimers();
  /** What is left to the window that comes after this one. */
  readonly keepsake: { kept: string | undefined; keep(text: string): void };
  /** What the computer slept, by which the wall clock is ahead of the timers' own. */
  sleptMs = 0;
  takenOver = 0;
  wipedAround = 0;
  /** Tells the window how the computer is fed. */
  tellPower: (power: Power) => void = () => undefined;
  readonly app: App;

  /** `kept` is what the window before this one left; null is nothing. */
  constructor(before: (engine: EngineDouble) => void = () => undefined, kept: string | null = '{"masked":false}') {
    before(this.engine);
    this.keepsake = { kept: kept ?? undefined, keep: (text) => (this.keepsake.kept = text) };
    this.app = new App({
      engine: this.engine,
      line: this.line,
      takeOver: () => {
        this.takenOver += 1;
      },
      microphone: this.microphone,
      speakers: this.speakers,
      keepsake: this.keepsake,
      timers: this.timers,
      wallClock: () => this.timers.now() + this.sleptMs,
      watchPower: (tell) => {
        this.tellPower = tell;
        return () => undefined;
      },
      wipeAround: () => {
        this.wipedAround += 1;
      },
      systemLanguages: ["en"],
    });
  }

  get start(): StartModel {
    const screen = this.app.screen.get();
    if (screen.kind !== "start") throw new Error(`the screen is ${screen.kind}, not start`);
    return screen.model;
  }

  get lobby(): LobbyModel {
    const screen = this.app.screen.get();
    if (screen.kind !== "lobby") throw new Error(`the screen is ${screen.kind}, not lobby`);
    return screen.model;
  }

  get room(): RoomModel {
    const screen = this.app.screen.get();
    if (screen.kind !== "room") throw new Error(`the screen is ${screen.kind}, not room`);
    return screen.model;
  }
}
