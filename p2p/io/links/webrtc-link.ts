import assert from "node:assert/strict";
import type { Channel, ChannelCloseReason, ChannelHandlers, Channels } from "../../api/channel.ts";
import type { LinkId, PeerId } from "../../api/ids.ts";
import { limits } from "../../api/limits.ts";
import type { Link, LinkCloseReason, LinkHandlers, SendResult } from "../../api/link.ts";
import {
  readCandidates,
  readSdp,
  writeCandidate,
  writeSdp,
  type Answer,
  type Candidates,
  type Description,
  type Offer,
} from "./description.ts";
import { deferred, type Deferred } from "./deferred.ts";
import { Inbox } from "./inbox.ts";
import type { NativeChannels } from "./native-channel.ts";
import { assertMessage, Outbox } from "./outbox.ts";
import type { LinkEnd } from "./stream.ts";

/** A link over a WebRTC data channel: unordered, never retransmitted. Made by `negotiateOffer` and `negotiateAnswer`. */
export class WebRtcLink implements Link {
  readonly id: LinkId;
  readonly remote: PeerId;
  readonly kind = "webrtc";
  readonly #channel: Channel;
  readonly #onEnd: (() => void) | undefined;
  readonly #inbox = new Inbox();
  readonly #outbox = new Outbox();
  #bytesOut = 0;
  #bytesIn = 0;

  /** `make` begins the channel, with these handlers. */
  constructor(end: LinkEnd, opened: Deferred<WebRtcLink>, make: (handlers: ChannelHandlers) => Channel) {
    this.id = end.id;
    this.remote = end.remote;
    this.#onEnd = end.onEnd;
    this.#channel = make({
      onOpen: () => opened.resolve(this),
      onMessage: (bytes) => this.#receive(bytes),
      onRoom: () => this.#pump(),
      onClose: (reason: ChannelCloseReason) => {
        // Nothing happens when it was open.
        opened.reject(new Error("unreachable"));
        this.#end(reason);
      },
    });
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
    if (this.#outbox.length === 0 && this.#hasRoom) return this.#transmit(message) ? "sent" : "closed";
    const fell = this.#outbox.push(message);
    this.#pump();
    return fell ? "dropped" : "sent";
  }

  close(): void {
    this.#channel.close();
    this.#end("local");
  }

  /** Ends without a goodbye, as a crash would. */
  abort(): void {
    this.#channel.abort();
    this.#end("lost");
  }

  get #hasRoom(): boolean {
    return this.#channel.bufferedAmount <= this.#channel.bufferedBytesMax;
  }

  #receive(message: Uint8Array): void {
    if (this.#inbox.ended) return;
    if (message.length === 0 || message.length > limits.linkMessageBytesMax) {
      this.#channel.abort();
      this.#end("protocol");
      return;
    }
    this.#bytesIn += message.length;
    this.#inbox.deliver(message);
  }

  #pump(): void {
    while (this.#hasRoom) {
      const message = this.#outbox.shift();
      if (message === undefined || !this.#transmit(message)) return;
    }
  }

  /** False when the channel has closed under us; its end is on the way. */
  #transmit(message: Uint8Array): boolean {
    if (!this.#channel.send(message)) return false;
    this.#bytesOut += message.length;
    return true;
  }

  #end(reason: LinkCloseReason): void {
    if (!this.#inbox.end(reason)) return;
    this.#outbox.clear();
    this.#onEnd?.();
  }
}

/** One side of the making of a link. */
export interface Negotiation<Own extends Description> {
  /** What the far end must be told. Rejects when the connection failed before it was known. */
  readonly description: Promise<Own>;
  /** Resolves when the channel is open on our side; rejects when it cannot be, or was given up. */
  readonly link: Promise<WebRtcLink>;
  /** Gives up, without waiting for anybody. A link that has opened just now is closed. */
  abort(): void;
}

/** The volunteer's side. */
export interface OfferNegotiation extends Negotiation<Offer> {
  /** Takes what the far end said. */
  accept(answer: Answer): void;
  /** Where we wait, to be told once we have the answer; known when the description is. */
  candidates(): Candidates;
}

/** The hiding side. */
export interface AnswerNegotiation extends Negotiation<Answer> {
  /** Takes where the far end waits. */
  accept(candidates: Candidates): void;
}

/** Begins to make a link as the side that offers. */
export function negotiateOffer(channels: NativeChannels, end: LinkEnd): OfferNegotiation {
  const holder: { half?: ReturnType<NativeChannels["offer"]> } = {};
  const begun = begin(end, "offer", (handlers) => (holder.half = channels.offer(handlers)));
  return {
    ...begun,
    accept: (answer) => holder.half?.accept(writeSdp(answer)),
    candidates: () => ({ type: "candidates", candidates: readCandidates(holder.half?.described() ?? "") }),
  };
}

/** Begins to make a link as the side that answers, natively or by the window. */
export function negotiateAnswer(channels: Channels, offer: Offer, end: LinkEnd): AnswerNegotiation {
  const holder: { half?: Channel } = {};
  const begun = begin(end, "answer", (handlers) => (holder.half = channels.answer(writeSdp(offer), handlers)));
  return { ...begun, accept: ({ candidates }) => holder.half?.addCandidates(candidates.map(writeCandidate)) };
}

function begin<Type extends "offer" | "answer">(
  end: LinkEnd,
  type: Type,
  make: (handlers: ChannelHandlers) => Channel,
): Negotiation<Extract<Description, { type: Type }>> {
  const opened = deferred<WebRtcLink>();
  const holder: { channel?: Channel } = {};
  const link = new WebRtcLink(end, opened, (handlers) => (holder.channel = make(handlers)));
  let isOpen = false;
  opened.promise.then(
    () => (isOpen = true),
    () => undefined,
  );
  assert(holder.channel !== undefined, "a channel is made at once");
  const description = holder.channel.description.then((sdp) => {
    const read = readSdp(type, sdp);
    // A window that was taken over may say anything; our own library does not.
    if (read === undefined) throw new Error("protocol");
    return read;
  });
  description.catch(() => undefined);
  return {
    description,
    link: opened.promise,
    abort: () => {
      if (isOpen) return link.close();
      opened.reject(new Error("unreachable"));
      link.abort();
    },
  };
}
