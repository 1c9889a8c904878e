import type { Scope } from "./scope.ts";
import type { Session } from "./session.ts";
import type { Voice } from "./voice.ts";

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
}

/**
 * Brings back what the window before this one had chosen, as soon as the line is open and before any room is shown, and
 * leaves each change to the next one. A mask never falls off: who finds themselves in a room without knowing whether they
 * wore one wears it, until they take it off.
 */
export function keepChoices(port: KeepsakePort, { line, phase }: Session, voice: Voice, scope: Scope): void {
  let known = false;
  let isFirst = true;
  const keep = (): void => {
    if (!known) return;
    port.keep(JSON.stringify({ masked: voice.masked.get(), lowData: voice.lowData.get() } satisfies Choices));
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
      bringBack(readChoices(port.kept), voice);
    }
    known = true;
    keep();
  });
  scope.own(voice.masked.subscribe(keep));
  scope.own(voice.lowData.subscribe(keep));
}

function bringBack(choices: Choices, voice: Voice): void {
  // Chosen in this window before the line was open: a mask that is worn stays on.
  if (choices.masked) voice.setMasked(true);
  if (choices.lowData) voice.setLowData(true);
}

/** What cannot be read is taken for a mask. */
function readChoices(text: string): Choices {
  try {
    const { masked, lowData } = JSON.parse(text) as Partial<Record<keyof Choices, unknown>>;
    return { masked: masked !== false, lowData: lowData === true };
  } catch {
    return { masked: true, lowData: false };
  }
}
