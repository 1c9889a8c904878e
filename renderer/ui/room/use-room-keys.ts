import { useEffect, useEffectEvent } from "react";
import type { RoomModel } from "../../model/room/room.ts";

/** What keys of the room do beside the room's own deeds. */
export interface RoomKeyHandlers {
  onHelp(): void;
  onType(): void;
}

/** Things that take typing themselves; keys belong to them. */
const typing =
  "input, textarea, select, [contenteditable], [role='listbox'], [role='menu'], [role='slider'], [role='dialog']";

/**
 * Keys of the room: Space held is push-to-talk, M mutes, H is the hand, D ends or resumes
 * hearing, T types, ? lists them. Never inside a field or an
 * open sheet, never on a repeat, and Space not on a button that was reached by keyboard: there it presses the button.
 */
export function useRoomKeys(model: RoomModel, handlers: RoomKeyHandlers): void {
  // Not among what the effect depends on: drawing anew must not let go of a key that is held.
  const onHelp = useEffectEvent(() => handlers.onHelp());
  const onType = useEffectEvent(() => handlers.onType());
  useEffect(() => {
    let byPointer = false;
    const isTaken = (event: KeyboardEvent): boolean =>
      event.ctrlKey ||
      event.metaKey ||
      event.altKey ||
      (event.target instanceof Element && event.target.closest(typing) !== null);
    const onDown = (event: KeyboardEvent): void => {
      if (event.key === "Tab") byPointer = false;
      if (isTaken(event)) return;
      const onButton = event.target instanceof Element && event.target.closest("button, a") !== null;
      if (event.code === "Space" && (byPointer || !onButton)) {
        // Also on repeats: Space would scroll the page, or press the button that the pointer left focused.
        event.preventDefault();
        event.stopPropagation();
        if (!event.repeat) model.holdToTalk(true);
        return;
      }
      if (event.repeat) return;
      if (event.key === "m" || event.key === "M") model.toggleMuted();
      else if (event.key === "h" || event.key === "H") model.toggleHand();
      else if (event.key === "d" || event.key === "D") model.toggleDeafened();
      else if (event.key === "?") onHelp();
      else if (event.key === "t" || event.key === "T") {
        event.preventDefault();
        onType();
      }
    };
    const onUp = (event: KeyboardEvent): void => {
      if (event.code === "Space") model.holdToTalk(false);
    };
    // A key let go in another window is never reported here.
    const letGo = (): void => model.loseKey();
    const onPointer = (): void => {
      byPointer = true;
    };
    window.addEventListener("keydown", onDown, true);
    window.addEventListener("keyup", onUp, true);
    window.addEventListener("blur", letGo);
    window.addEventListener("pointerdown", onPointer, true);
    return () => {
      window.removeEventListener("keydown", onDown, true);
      window.removeEventListener("keyup", onUp, true);
      window.removeEventListener("blur", letGo);
      window.removeEventListener("pointerdown", onPointer, true);
      letGo();
    };
  }, [model]);
}
