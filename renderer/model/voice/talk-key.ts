import type { DesktopBridge, TalkKey } from "../../../p2p/api/desktop.ts";
import type { Scope } from "../scope.ts";
import { Cell } from "../value.ts";
import type { Voice } from "./voice.ts";

/** What of the desktop app a talk key needs. */
export type TalkKeyPort = Pick<DesktopBridge, "setTalkKey" | "onTalkKey">;

/** A key that talks while another window is in front. It is taken from other programs on stage alone. */
export class TalkKeyModel {
  readonly chosen = new Cell<TalkKey | undefined>(undefined);
  /** The system would not give it: another program has it, or no program may have one. */
  readonly refused = new Cell(false);
  readonly #port: TalkKeyPort;
  readonly #voice: Voice;

  constructor(port: TalkKeyPort, voice: Voice, scope: Scope) {
    this.#port = port;
    this.#voice = voice;
    scope.own(
      port.onTalkKey((state) => {
        if (state === "refused") this.refused.set(true);
        else voice.setHeldBySystem(state === "down");
      }),
    );
    scope.own(voice.state.subscribe(() => this.#settle()));
    scope.own(() => port.setTalkKey(undefined));
  }

  choose(key: TalkKey | undefined): void {
    this.chosen.set(key);
    this.refused.set(false);
    // Off stage it is asked for a moment, so that a refusal is known when the key is chosen.
    this.#port.setTalkKey(key);
    this.#settle();
  }

  #settle(): void {
    const isNeeded = this.#voice.state.get() !== "shut";
    this.#port.setTalkKey(isNeeded ? this.chosen.get() : undefined);
  }
}
