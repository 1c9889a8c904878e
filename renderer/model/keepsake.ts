import { talkKeys, type TalkKey } from "../../p2p/api/desktop.ts";
import type { Scope } from "./scope.ts";
import type { Session } from "./session.ts";
import type { TalkKeyModel } from "./voice/talk-key.ts";
import type { Voice } from "./voice/voice.ts";

/** A place outside the window that outlives it, in memory only. */
export interface KeepsakePort {
  /** What the window before this one left; undefined when there was none. */
  readonly kept: string | undefined;
  keep(text: string): void;
}

/** What a reload must not undo. */
interface Choices {
  readonly masked: boolean;
  readonly lowData: boolean;
  readonly talkKey: TalkKey | undefined;
}

/** Where they are made. */
interface Chooses {
  readonly voice: Voice;
  readonly talkKey: TalkKeyModel | undefined;
}

/**
 * Brings back what the window before this one had chosen, as soon as the line is open and before any room is shown, and
 * leaves each change to the next one. A mask never falls off: who finds themselves in a room without knowing whether they
 * wore one wears it, until they take it off.
 */
export function keepChoices(
  port: KeepsakePort,
  { line, phase }: Session,
  { voice, talkKey }: Chooses,
  scope: Scope,
): void {
  let known = false;
  let isFirst = true;
  const keep = (): void => {
    if (!known) return;
    const choices: Choices = {
      masked: voice.masked.get(),
      lowData: voice.lowData.get(),
      talkKey: talkKey?.chosen.get(),
    };
    port.keep(JSON.stringify(choices));
  };
  let before = phase.get();
  scope.own(
    phase.subscribe(() => {
      const wasOutside = before === "outside";
      before = phase.get();
      // Nobody entered here: the room was there before this window.
      if (wasOutside && before === "inside" && isFirst) voice.setMasked(true);
    }),
  );
  scope.watch(line, (state) => {
    if (state !== "open") return;
    if (!known && port.kept !== undefined) {
      isFirst = false;
      bringBack(readChoices(port.kept), voice, talkKey);
    }
    known = true;
    keep();
  });
  scope.own(voice.masked.subscribe(keep));
  scope.own(voice.lowData.subscribe(keep));
  if (talkKey !== undefined) scope.own(talkKey.chosen.subscribe(keep));
}

function bringBack(choices: Choices, voice: Voice, talkKey: TalkKeyModel | undefined): void {
  // Chosen in this window before the line was open: a mask that is worn stays on.
  if (choices.masked) voice.setMasked(true);
  if (choices.lowData) voice.setLowData(true);
  if (choices.talkKey !== undefined) talkKey?.choose(choices.talkKey);
}

/** What cannot be read is taken for a mask. */
function readChoices(text: string): Choices {
  try {
    const { masked, lowData, talkKey } = JSON.parse(text) as Partial<Record<keyof Choices, unknown>>;
    return {
      masked: masked !== false,
      lowData: lowData === true,
      talkKey: talkKeys.find((key) => key === talkKey),
    };
  } catch {
    return { masked: true, lowData: false, talkKey: undefined };
  }
}
