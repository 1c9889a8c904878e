import assert from "node:assert/strict";
import { limits } from "../../api/limits.ts";
import type { LinkCloseReason, LinkHandlers } from "../../api/link.ts";

/**
 * The receiving half that every link shares: keeps what comes before `attach`, and sees to it that the end is told
 * once and last. Handlers are never called from inside a call of the link's owner, so that an owner need not be re-entrant.
 */
export class Inbox {
  #early: Uint8Array[] = [];
  #handlers: LinkHandlers | undefined;
  #live = false;
  #ended: LinkCloseReason | undefined;
  #dropped = 0;

  /** Whether the end was decided; nothing is delivered from then on. */
  get ended(): boolean {
    return this.#ended !== undefined;
  }

  /** Messages that came before `attach` and did not fit: the oldest fall. */
  get dropped(): number {
    return this.#dropped;
  }

  /** Gives the link to its owner. Earlier messages, and the end if it came already, follow in the next microtask. */
  attach(handlers: LinkHandlers): void {
    assert(this.#handlers === undefined, "a link is attached once");
    this.#handlers = handlers;
    queueMicrotask(() => this.#goLive(handlers));
  }

  /** Takes one whole message from the network. */
  deliver(message: Uint8Array): void {
    if (this.#ended !== undefined) return;
    if (this.#live) {
      this.#handlers?.onMessage(message);
      return;
    }
    if (this.#early.length >= limits.linkQueueMessagesMax) {
      this.#early.shift();
      this.#dropped += 1;
    }
    this.#early.push(message);
  }

  /** Decides the end; the first reason counts. True when it was this call that decided. */
  end(reason: LinkCloseReason): boolean {
    if (this.#ended !== undefined) return false;
    this.#ended = reason;
    // We closed it ourselves, or cannot believe the far end any more: what it said earlier does not matter either.
    if (reason === "local" || reason === "protocol") this.#early = [];
    if (this.#live) queueMicrotask(() => this.#handlers?.onClose(reason));
    return true;
  }

  #goLive(handlers: LinkHandlers): void {
    // An end that came from the far side before `attach` follows the messages it sent before; our own end cuts them off.
    for (let message = this.#early.shift(); message !== undefined; message = this.#early.shift()) {
      handlers.onMessage(message);
    }
    this.#live = true;
    if (this.#ended !== undefined) handlers.onClose(this.#ended);
  }
}
