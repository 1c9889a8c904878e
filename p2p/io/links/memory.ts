import { linkId, type LinkId, type PeerId } from "../../api/ids.ts";
import { limits } from "../../api/limits.ts";
import type { Link, LinkCloseReason, LinkHandlers, SendResult } from "../../api/link.ts";
import { Inbox } from "./inbox.ts";
import { assertMessage, Outbox } from "./outbox.ts";

/** How a pair in memory treats messages. Without options it is ordered, loses nothing and holds nothing back. */
export interface MemoryLinkOptions {
  readonly ids?: readonly [LinkId, LinkId];
  readonly peers?: readonly [PeerId, PeerId];
  /** Share of messages that vanish, 0 to 1. */
  readonly loss?: number;
  /** Share of messages that let the next one overtake, 0 to 1. */
  readonly reorder?: number;
  /** Uniform in [0, 1); needed with `loss` or `reorder`, which are then the same for the same numbers. */
  readonly random?: () => number;
}

/** Two ends, and the hands that move what is between them. */
export interface MemoryLinkPair {
  readonly ends: readonly [MemoryLink, MemoryLink];
  /** From now on messages wait at their sender, as on a network that has stalled. */
  hold(): void;
  /** Lets go: what waits is delivered, and nothing waits from now on. */
  flush(): void;
  /** The network is gone: both ends are lost. */
  cut(): void;
}

/** Makes two ends of a link in one process, for tests and simulations of what is above links. */
export function memoryLinkPair(options: MemoryLinkOptions = {}): MemoryLinkPair {
  const ids = options.ids ?? [linkId(1), linkId(2)];
  const peers = options.peers ?? (["aa".repeat(32) as PeerId, "bb".repeat(32) as PeerId] as const);
  const left = new MemoryLink(ids[0], peers[1], options);
  const right = new MemoryLink(ids[1], peers[0], options);
  left.join(right);
  right.join(left);
  const ends = [left, right] as const;
  return {
    ends,
    hold: () => ends.forEach((end) => end.hold(true)),
    flush: () => ends.forEach((end) => end.hold(false)),
    cut: () => ends.forEach((end) => end.finish("lost")),
  };
}

/** One end of a pair in memory; made by `memoryLinkPair`. */
export class MemoryLink implements Link {
  readonly id: LinkId;
  readonly remote: PeerId;
  readonly kind = "memory";
  readonly #options: MemoryLinkOptions;
  readonly #inbox = new Inbox();
  readonly #outbox = new Outbox();
  #far: MemoryLink | undefined;
  #overtaken: Uint8Array | undefined;
  #held = false;
  #pumping = false;
  #bytesOut = 0;
  #bytesIn = 0;

  constructor(id: LinkId, remote: PeerId, options: MemoryLinkOptions) {
    this.id = id;
    this.remote = remote;
    this.#options = options;
  }

  get dropped(): number {
    return this.#outbox.dropped + this.#inbox.dropped;
  }

  get bytesOut(): number {
    return this.#bytesOut;
  }

  get bytesIn(): number {
    return this.#bytesIn;
  }

  attach(handlers: LinkHandlers): void {
    this.#inbox.attach(handlers);
  }

  send(message: Uint8Array): SendResult {
    assertMessage(message);
    if (this.#inbox.ended) return "closed";
    if (this.#outbox.full && !this.#held) this.#pump();
    const fell = this.#outbox.push(message.slice());
    this.#pumpSoon();
    return fell ? "dropped" : "sent";
  }

  close(): void {
    if (this.#inbox.ended) return;
    this.#pump();
    this.finish("local");
    const far = this.#far;
    // Behind the messages, which travel in a microtask too.
    queueMicrotask(() => far?.finish("remote"));
  }

  /** Names the other end. For `memoryLinkPair`. */
  join(far: MemoryLink): void {
    this.#far = far;
  }

  /** Holds messages back, or lets them go. For `MemoryLinkPair`. */
  hold(held: boolean): void {
    this.#held = held;
    this.#pump();
  }

  /** Ends this end alone. For `MemoryLinkPair`. */
  finish(reason: LinkCloseReason): void {
    if (this.#inbox.end(reason)) this.#outbox.clear();
  }

  /** Takes bytes off the network as they are: what a hostile far end might send. */
  receive(message: Uint8Array): void {
    if (this.#inbox.ended) return;
    if (message.length === 0 || message.length > limits.linkMessageBytesMax) {
      this.finish("protocol");
      this.#far?.finish("lost");
      return;
    }
    this.#bytesIn += message.length;
    this.#inbox.deliver(message);
  }

  #pumpSoon(): void {
    if (this.#pumping) return;
    this.#pumping = true;
    queueMicrotask(() => {
      this.#pumping = false;
      this.#pump();
    });
  }

  #pump(): void {
    if (this.#held || this.#inbox.ended) return;
    const travelling: Uint8Array[] = [];
    for (const message of this.#outbox.takeAll()) {
      this.#bytesOut += message.length;
      if (this.#chance(this.#options.loss)) continue;
      if (this.#overtaken === undefined && this.#chance(this.#options.reorder)) {
        this.#overtaken = message;
        continue;
      }
      travelling.push(message);
      if (this.#overtaken !== undefined) travelling.push(this.#overtaken);
      this.#overtaken = undefined;
    }
    if (this.#overtaken !== undefined) travelling.push(this.#overtaken);
    this.#overtaken = undefined;
    const far = this.#far;
    for (const message of travelling) queueMicrotask(() => far?.receive(message));
  }

  #chance(share: number | undefined): boolean {
    return share !== undefined && share > 0 && (this.#options.random?.() ?? 1) < share;
  }
}
