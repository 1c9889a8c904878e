import type { Scope } from "../scope.ts";
import type { Session } from "../session.ts";
import type { Voice } from "./voice.ts";

/**
 * Watches whether we can hear the room: not while its engine is away, while no way to it carries sound (which the engine says
 * after 3 s), or while our own part for sound is broken. Who cannot hear is not heard: nobody talks into a room that
 * cannot answer.
 */
export function watchHearing({ line, trouble }: Session, voice: Voice, scope: Scope): void {
  const judge = (): void => {
    const lost =
      line.get() !== "open" ||
      trouble.get()?.key === "fault.stalled" ||
      voice.speakersFault.get()?.key === "sound.sound-broken";
    if (lost) voice.loseRoom();
    else voice.findRoom();
  };
  for (const value of [line, trouble, voice.speakersFault]) scope.own(value.subscribe(judge));
  judge();
}
