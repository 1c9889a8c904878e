import { useEffect, useEffectEvent, type ReactElement } from "react";
import type { App } from "../../model/app.ts";
import { Action } from "../parts/controls.tsx";
import { useTexts } from "../language.ts";

/** Wipes everything and leaves, at one press and without a question. */
export function PanicButton({ app }: { readonly app: App }): ReactElement {
  const { text } = useTexts();
  return (
    <Action
      look="bare"
      icon="panic"
      words={text("panic.short")}
      label={text("panic.button")}
      aria-keyshortcuts="Control+Shift+Backspace"
      onPress={() => app.panic()}
    />
  );
}

/** The keys for it, on every screen and also inside a field: Ctrl (on a Mac also Command), Shift and Backspace. */
export function usePanicKeys(app: App): void {
  const wipe = useEffectEvent(() => app.panic());
  useEffect(() => {
    const onDown = (event: KeyboardEvent): void => {
      if (event.key !== "Backspace" || !event.shiftKey || !(event.ctrlKey || event.metaKey)) return;
      event.preventDefault();
      event.stopPropagation();
      wipe();
    };
    window.addEventListener("keydown", onDown, true);
    return () => window.removeEventListener("keydown", onDown, true);
  }, []);
}
