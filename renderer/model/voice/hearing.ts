import type { Scope } from "../scope.ts";
import type { Session } from "../session.ts";
import type { Voice } from "./voice.ts";

/** With these no sound comes out here, whatever arrives. */
const deafening: ReadonlySet<string> = new Set(["sound.sound-broken", "sound.no-speaker", "sound.speaker-blocked"]);

/**
 * Watches whether we can hear the room: not while its engine is away, while no way to it carries sound (which the engine says
 * after 3 s), or while nothing here plays it: no loudspeaker, a browser that waits for a click, our own part broken. Who cannot hear is not heard: nobody talks into a room that
 * cannot answer.
 */
export function watchHearing({ line, trouble }: Session, voice: Voice, scope: Scope): void {
  const judge = (): void => {
    const lost =
      line.get() !== "open" ||
      trouble.get()?.key === "fault.stalled" ||
      deafening.has(voice.speakersFault.get()?.key ?? "");
    if (lost) voice.loseRoom();
    else voice.findRoom();
  };
  for (const value of [line, trouble, voice.speakersFault]) scope.own(value.subscribe(judge));
  judge();
}
