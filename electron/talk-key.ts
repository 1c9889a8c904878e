import type { GlobalShortcut } from "electron";
import { type TalkKey, talkKeys, type TalkKeyState } from "../p2p/api/desktop.ts";

/** A key that is held repeats for the first time after this long at the latest (Windows 1,000 ms, X11 660). */
const repeatBeginsMsMax = 1000;
/** Later repeats follow each other faster; a key that repeated and does so no more was let go. */
const repeatsEndMs = 300;

/** What tells when, and wakes. */
export interface TalkKeyTimers {
  now(): number;
  /** Runs once after `ms`; the result cancels it. */
  after(ms: number, run: () => void): () => void;
}

/**
 * A key that talks from behind other windows. The system tells of presses alone, and on most systems of their repeats while
 * a key is held, never of a key let go. So a key that repeats talks for as long as it does, and a short press talks until
 * the next one.
 */
export class TalkKeyWatch {
  readonly #shortcuts: Pick<GlobalShortcut, "register" | "unregister">;
  readonly #tell: (state: TalkKeyState) => void;
  readonly #timers: TalkKeyTimers;
  #key: TalkKey | undefined;
  #isDown = false;
  #repeats = false;
  #pressedAt = Number.NEGATIVE_INFINITY;
  #cancel: () => void = () => undefined;

  constructor(
    shortcuts: Pick<GlobalShortcut, "register" | "unregister">,
    timers: TalkKeyTimers,
    tell: (state: TalkKeyState) => void,
  ) {
    this.#shortcuts = shortcuts;
    this.#timers = timers;
    this.#tell = tell;
  }

  /** Listens for this key alone from now on, or for none. What was open by the one before is shut. Anything but ours is none. */
  choose(wanted: unknown): void {
    const key = talkKeys.find((one) => one === wanted);
    if (key === this.#key) return;
    if (this.#key !== undefined) this.#shortcuts.unregister(this.#key);
    this.#key = undefined;
    this.#release();
    if (key === undefined) return;
    if (this.#register(key)) this.#key = key;
    else this.#tell("refused");
  }

  /** Nobody talks any more, whatever the key does: where it is not known when a key is let go, a person may have gone since. */
  letGo(): void {
    this.#release();
  }

  /** Some systems refuse by an exception, such as Wayland without a portal. */
  #register(key: TalkKey): boolean {
    try {
      return this.#shortcuts.register(key, () => this.#pressed());
    } catch {
      return false;
    }
  }

  #pressed(): void {
    const now = this.#timers.now();
    const isSoon = now - this.#pressedAt <= repeatBeginsMsMax;
    this.#pressedAt = now;
    if (this.#isDown && (isSoon || this.#repeats)) {
      this.#repeats = true;
      this.#cancel();
      this.#cancel = this.#timers.after(repeatsEndMs, () => this.#release());
    } else if (this.#isDown) this.#release();
    else if (!isSoon) {
      // A repeat of the press that shut it opens nothing.
      this.#isDown = true;
      this.#tell("down");
    }
  }

  #release(): void {
    this.#cancel();
    this.#repeats = false;
    if (!this.#isDown) return;
    this.#isDown = false;
    this.#tell("up");
  }
}
