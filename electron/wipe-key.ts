import type { GlobalShortcut } from "electron";

/** By Electron's name; the page listens for the same keys itself. */
export const wipeKey = "CommandOrControl+Shift+Backspace";

/** The keys that wipe everything, from behind other windows too. Taken from other programs only while there is something to wipe. */
export class WipeKey {
  readonly #shortcuts: Pick<GlobalShortcut, "register" | "unregister">;
  readonly #wipe: () => void;
  #isTaken = false;

  constructor(shortcuts: Pick<GlobalShortcut, "register" | "unregister">, wipe: () => void) {
    this.#shortcuts = shortcuts;
    this.#wipe = wipe;
  }

  /** Where the system gives the keys to nobody, the window and its button still wipe. */
  update(isNeeded: boolean): void {
    if (isNeeded === this.#isTaken) return;
    if (isNeeded) this.#isTaken = this.#take();
    else {
      this.#isTaken = false;
      this.#shortcuts.unregister(wipeKey);
    }
  }

  /** Some systems refuse by an exception, such as Wayland without a portal. */
  #take(): boolean {
    try {
      return this.#shortcuts.register(wipeKey, () => this.#wipe());
    } catch {
      return false;
    }
  }
}
