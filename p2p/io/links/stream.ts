import type { Stream } from "@libp2p/interface";
import type { LinkId, PeerId } from "../../api/ids.ts";
import { limits } from "../../api/limits.ts";
import type { Link, LinkCloseReason, LinkHandlers, SendResult } from "../../api/link.ts";
import { FrameReader, joinFrames, type StreamBytes } from "./frames.ts";
import { Inbox } from "./inbox.ts";
import { assertMessage, Outbox } from "./outbox.ts";

/** Name of the protocol that a stream link speaks: messages behind two bytes of length. */
export const linkProtocol = "/teahouse/link/1";

/** How long a closed stream may wait for the far end to close its half too, before it is reset. */
const lingerMs = 5_000;

/** What a link is called and who is at its far end. */
export interface LinkEnd {
  readonly id: LinkId;
  readonly remote: PeerId;
  /** Called once, as soon as the end is decided. For whoever keeps count of links. */
  readonly onEnd?: () => void;
}

/**
 * A link over one libp2p stream; ordered and reliable but for what falls under back-pressure. Whatever is sent within
 * one turn leaves in one write. A goodbye is the closed half of the stream; a reset or a lost connection is none.
 */
export class StreamLink implements Link {
  readonly id: LinkId;
  readonly remote: PeerId;
  readonly kind = "stream";
  readonly #stream: Stream;
  readonly #onEnd: (() => void) | undefined;
  readonly #inbox = new Inbox();
  readonly #outbox = new Outbox();
  readonly #reader = new FrameReader(limits.linkMessageBytesMax);
  #bytesOut = 0;
  #bytesIn = 0;
  #pumping = false;

  constructor(stream: Stream, end: LinkEnd) {
    this.id = end.id;
    this.remote = end.remote;
    this.#stream = stream;
    this.#onEnd = end.onEnd;
    stream.addEventListener("message", (event) => this.#receive(event.data));
    stream.addEventListener("drain", () => this.#pumpSoon());
    // `drain` says that the network takes bytes again, `idle` that the stream's own buffer has emptied; either may come last.
    stream.addEventListener("idle", () => this.#pumpSoon());
    stream.addEventListener("remoteCloseWrite", () => this.#end("remote"));
    stream.addEventListener("close", () => this.#end("lost"));
    // The far end may have been quick: its events are past, and its bytes come in a microtask queued by the first line above.
    if (stream.status === "aborted" || stream.status === "reset") this.#end("lost");
    else if (stream.remoteWriteStatus === "closed") queueMicrotask(() => this.#end("remote"));
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
    // More than a queue's worth within one turn: what the network still takes need not fall.
    if (this.#outbox.full) this.#pump();
    const fell = this.#outbox.push(message);
    this.#pumpSoon();
    return fell ? "dropped" : "sent";
  }

  close(): void {
    if (this.#inbox.ended) return;
    this.#pump();
    this.#end("local");
  }

  #receive(data: StreamBytes): void {
    const whole = this.#reader.push(data, (frame) => {
      if (this.#inbox.ended) return;
      this.#bytesIn += frame.length;
      this.#inbox.deliver(frame);
    });
    if (!whole) this.#end("protocol");
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
    const stream = this.#stream;
    if (this.#inbox.ended || this.#outbox.length === 0) return;
    // Our queue is the only one that may drop, so the stream's must be empty before it gets more.
    if (stream.writableNeedsDrain || stream.writeBufferLength > 0) return;
    const messages = this.#outbox.takeAll();
    for (const message of messages) this.#bytesOut += message.length;
    try {
      stream.send(joinFrames(messages));
    } catch {
      this.#end("lost");
    }
  }

  #end(reason: LinkCloseReason): void {
    if (!this.#inbox.end(reason)) return;
    this.#outbox.clear();
    if (reason === "protocol" || reason === "lost") this.#stream.abort(new Error(reason));
    else closeStream(this.#stream);
    this.#onEnd?.();
  }
}

/** Says goodbye on a stream, and resets it when the far end keeps its half open. */
export function closeStream(stream: Stream): void {
  if (stream.status !== "open" && stream.status !== "closing") return;
  const impatience = setTimeout(() => stream.abort(new Error("far end did not close")), lingerMs);
  impatience.unref();
  stream.addEventListener("close", () => clearTimeout(impatience), { once: true });
  stream.close().catch(() => stream.abort(new Error("close failed")));
}
