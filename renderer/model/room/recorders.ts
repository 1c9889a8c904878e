import type { RoomFacts } from "../../../p2p/api/room.ts";
import type { Scope } from "../scope.ts";
import type { Session } from "../session.ts";
import { Cell, type Value } from "../value.ts";
import type { Voice } from "../voice/voice.ts";

/** Who says that they record, and what that did to us. */
export interface Recording {
  /** Clean names of the others; may be empty texts. */
  readonly names: readonly string[];
  /** We say so ourselves. */
  readonly self: boolean;
  /** Our open microphone was muted for it. */
  readonly mutedUs: boolean;
}

const nobody: Recording = { names: [], self: false, mutedUs: false };

/** Watches who says that they record. Whoever wishes is muted when somebody begins, before the next word. */
export class Recorders {
  readonly recording = new Cell<Recording>(nobody);

  constructor(session: Session, voice: Voice, mutes: Value<boolean>, scope: Scope) {
    let before = new Set<string>();
    scope.watch(session.facts, (facts) => {
      const recorders = recordersOf(facts);
      const others = recorders.filter(({ self }) => !self);
      const isNew = others.some(({ identity }) => !before.has(identity));
      before = new Set(others.map(({ identity }) => identity));
      const state = voice.state.get();
      const isOpen = state === "live" || state === "held" || state === "hushed" || state === "paused";
      const mutesNow = isNew && isOpen && mutes.get();
      if (mutesNow) {
        voice.loseKey();
        voice.setMuted(true);
      }
      if (recorders.length === 0) return this.recording.set(nobody);
      this.recording.update((was) => ({
        names: others.map(({ name }) => name),
        self: recorders.length > others.length,
        mutedUs: others.length > 0 && (mutesNow || was.mutedUs),
      }));
    });
  }
}

function recordersOf(facts: RoomFacts | undefined): RoomFacts["people"] {
  return facts?.people.filter(({ records }) => records) ?? [];
}
