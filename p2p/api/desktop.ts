/** Where the preload puts the bridge: `window.teahouseDesktop`. Absent in the browser shell. */
export const desktopBridgeName = "teahouseDesktop";

/**
 * `data` of the window's own `message` event that brings a `MessagePort` to the engine as `ports[0]`; its `source` is
 * the window itself. One arrives after each `connect()`. It lasts as long as the page: an engine that crashed comes back
 * behind the same port.
 */
export const desktopPortMessage = "teahouse:engine-port";

/** Characters of a link that is looked at at all: an invite of `limits.inviteCharactersMax`, and its address. */
export const desktopLinkCharactersMax = 4160;

/** Keys that may talk from behind other windows, by Electron's names: none of them types anything. */
export const talkKeys = ["F8", "F9", "CommandOrControl+Shift+Space", "Alt+Shift+T"] as const;
/** One of `talkKeys`. */
export type TalkKey = (typeof talkKeys)[number];

/** What became of the talk key; `refused`: the system gave it to another program, or to none. */
export type TalkKeyState = "down" | "up" | "refused";

/** All that the desktop app gives the page beside the engine's port. No call answers, and none throws. */
export interface DesktopBridge {
  /** Asks for a port to the engine. */
  connect(): void;
  /**
   * Adds a listener for links the system opened the app with, `teahouse://join#…`, those from before included. A link
   * is text from anybody: judge it like a pasted one. The result removes the listener.
   */
  onLink(listener: (link: string) => void): () => void;
  /**
   * Adds a listener for the window's going out of sight (true), where a room goes on, and coming back. The page cannot tell:
   * it is not throttled, and so it never counts as hidden. The result removes the listener.
   */
  onHidden(listener: (hidden: boolean) => void): () => void;
  /** Adds a listener for this computer's falling asleep; what is said may come only when it woke. The result removes it. */
  onSleep(listener: () => void): () => void;
  /** Takes this key from other programs, or none any more. */
  setTalkKey(key: TalkKey | undefined): void;
  /** Adds a listener for what becomes of that key. The result removes it. */
  onTalkKey(listener: (state: TalkKeyState) => void): () => void;
  /** Wipes: everything is forgotten, and the app ends without a word, within a second. */
  wipe(): void;
  /** Keeps the window out of screenshots and recordings, where the system can. Off at first. */
  setContentProtection(protect: boolean): void;
}
