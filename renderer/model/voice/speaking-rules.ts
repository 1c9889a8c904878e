import type { Scope } from "../scope.ts";
import type { Session } from "../session.ts";
import { Cell } from "../value.ts";
import type { Voice } from "./voice.ts";

/** How one may speak here: as one likes, only while a key is held, or not before a moderator allows it. */
export type SpeakingRule = "free" | "hold-only" | "muted-by-keeper";

/** Follows the room's word on our own microphone: what is forbidden is shut at once, and stays shut when it is allowed again. */
export class SpeakingRules {
  readonly rule = new Cell<SpeakingRule>("free");

  constructor(session: Session, voice: Voice, scope: Scope) {
    scope.watch(session.facts, (facts) => {
      const self = facts?.people.find(({ self: isSelf }) => isSelf);
      if (self?.muted === "keeper") this.rule.set("muted-by-keeper");
      else this.rule.set(facts?.pushToTalkOnly === true ? "hold-only" : "free");
    });
    const enforce = (): void => {
      const rule = this.rule.get();
      const state = voice.state.get();
      if (rule === "muted-by-keeper" && (state === "held" || state === "hushed")) voice.loseKey();
      const isOpen = state === "live" || state === "paused" || state === "hushed";
      if (rule !== "free" && isOpen) voice.setMuted(true);
    };
    scope.own(this.rule.subscribe(enforce));
    scope.own(voice.state.subscribe(enforce));
    enforce();
  }
}
