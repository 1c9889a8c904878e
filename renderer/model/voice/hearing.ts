import type { Scope } from "../scope.ts";
import type { SentenceKey } from "../sentence.ts";
import type { Session } from "../session.ts";
import type { Voice } from "./voice.ts";

/** Trouble of our own loudspeakers with which nothing is heard at all. */
const silencing: readonly SentenceKey[] = ["sound.sound-broken", "sound.speaker-blocked", "sound.no-speaker"];

/**
 * Watches whether we can hear the room: not while its engine is away, while no way to it carries sound (which the engine says
 * after 3 s), while the browser holds sound back, while there is no loudspeaker, or while our own part for sound is broken.
 * Who cannot hear is not heard: nobody talks into a room that cannot answer.
 */
export function watchHearing({ line, trouble }: Session, voice: Voice, scope: Scope): void {
  const judge = (): void => {
    const fault = voice.speakersFault.get();
    const isSilenced = fault !== undefined && silencing.includes(fault.key);
    if (line.get() !== "open" || trouble.get()?.key === "fault.stalled" || isSilenced) voice.loseRoom();
    else voice.findRoom();
  };
  for (const value of [line, trouble, voice.speakersFault]) scope.own(value.subscribe(judge));
  judge();
}
