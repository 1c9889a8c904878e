import { desktopLinkCharactersMax } from "../p2p/api/desktop.ts";

/** The scheme that the installers register with the system. */
const linkStart = "teahouse://";

/** Links that wait for a page: the one that opened the app and one more. The newest count. */
const waitingMax = 2;

/** The link in a text from the system, or undefined. What it says is the page's to judge. */
export function readLink(text: string): string | undefined {
  const plain = text.length <= desktopLinkCharactersMax && /^[\x21-\x7e]+$/.test(text);
  return plain && text.toLowerCase().startsWith(linkStart) ? text : undefined;
}

/** The link among a program's arguments, where Windows and Linux put it, or undefined. */
export function linkOfArguments(argv: readonly string[]): string | undefined {
  return argv.map(readLink).findLast((link) => link !== undefined);
}

/** Keeps links until there is a page to take them. */
export class LinkQueue {
  #waiting: string[] = [];
  #deliver: ((link: string) => void) | undefined;

  /** Hands a link on, now or later. */
  push(link: string): void {
    if (this.#deliver !== undefined) return this.#deliver(link);
    this.#waiting = [...this.#waiting, link].slice(-waitingMax);
  }

  /** Names who takes links from now on, and hands over those that wait; undefined: nobody does. */
  deliverTo(deliver: ((link: string) => void) | undefined): void {
    this.#deliver = deliver;
    if (deliver === undefined) return;
    const waiting = this.#waiting;
    this.#waiting = [];
    waiting.forEach(deliver);
  }
}
