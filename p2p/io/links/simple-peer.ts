import assert from "node:assert/strict";
import SimplePeer from "simple-peer";
import type { LinkId, PeerId } from "../../api/ids.ts";
import { limits } from "../../api/limits.ts";
import type { Link, LinkCloseReason, LinkHandlers, SendResult } from "../../api/link.ts";
import {
  readCandidates,
  readSdp,
  writeCandidate,
  writeSdp,
  type Candidate,
  type Candidates,
  type Description,
} from "./description.ts";
import { deferred } from "./deferred.ts";
import { Inbox } from "./inbox.ts";
import { assertMessage, Outbox } from "./outbox.ts";
import type { LinkEnd } from "./stream.ts";
import { sctpSendBufferBytes, wrtcFor, type NativeConnection, type NativeWebRtc, type WrtcOptions } from "./wrtc.ts";

/** Bytes in the channel's own buffer above which messages wait in our queue; SCTP holds the rest of the limit. */
const channelBufferedBytesMax = limits.linkBufferedBytesMax - sctpSendBufferBytes;

/** A link over a WebRTC data channel: unordered, never retransmitted. Made by `negotiate`. */
export class WebRtcLink implements Link {
  readonly id: LinkId;
  readonly remote: PeerId;
  readonly kind = "webrtc";
  /** The channel's own word on how it treats messages. */
  readonly ordered: boolean;
  readonly maxRetransmits: number;
  readonly #peer: SimplePeer.Instance;
  readonly #connection: NativeConnection;
  readonly #channel: NonNullable<NativeConnection["channel"]>;
  readonly #onEnd: (() => void) | undefined;
  readonly #inbox = new Inbox();
  readonly #outbox = new Outbox();
  #bytesOut = 0;
  #bytesIn = 0;

  constructor(peer: SimplePeer.Instance, connection: NativeConnection, end: LinkEnd) {
    const channel = connection.channel;
    assert(channel !== undefined, "simple-peer makes a negotiated channel at once");
    this.id = end.id;
    this.remote = end.remote;
    this.ordered = channel.ordered;
    this.maxRetransmits = channel.maxRetransmits;
    this.#peer = peer;
    this.#connection = connection;
    this.#channel = channel;
    this.#onEnd = end.onEnd;
    channel.receive = (data) => this.#receive(data);
    channel.onRoom = () => this.#pump();
    channel.bufferedAmountLowThreshold = channelBufferedBytesMax / 2;
    peer.on("close", () => this.#end(connection.goodbye ? "remote" : "lost"));
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
    if (this.#outbox.length === 0 && this.#channel.bufferedAmount <= channelBufferedBytesMax) {
      return this.#transmit(message) ? "sent" : "closed";
    }
    const fell = this.#outbox.push(message);
    this.#pump();
    return fell ? "dropped" : "sent";
  }

  close(): void {
    this.#end("local");
  }

  /** Ends without a goodbye, as a crash would. */
  abort(): void {
    this.#connection.abort();
    this.#end("lost");
  }

  #receive(data: Uint8Array | string): void {
    if (this.#inbox.ended) return;
    if (typeof data === "string" || data.length === 0 || data.length > limits.linkMessageBytesMax) {
      this.#connection.abort();
      this.#end("protocol");
      return;
    }
    this.#bytesIn += data.length;
    this.#inbox.deliver(data);
  }

  #pump(): void {
    while (this.#channel.bufferedAmount <= channelBufferedBytesMax) {
      const message = this.#outbox.shift();
      if (message === undefined || !this.#transmit(message)) return;
    }
  }

  /** False when the channel has closed under us; its end is on the way. */
  #transmit(message: Uint8Array): boolean {
    try {
      this.#channel.send(message);
    } catch {
      return false;
    }
    this.#bytesOut += message.length;
    return true;
  }

  #end(reason: LinkCloseReason): void {
    if (!this.#inbox.end(reason)) return;
    this.#outbox.clear();
    this.#peer.destroy();
    this.#onEnd?.();
  }
}

/** One side of the making of a link. */
export interface Negotiation {
  /** What the far end must be told. Rejects when the connection failed before it was known. */
  readonly description: Promise<Description>;
  /** Where the offering side waits, to be told once it has accepted the answer; it knows when it has its description. */
  candidates(): Candidates;
  /** Resolves when the channel is open on our side; rejects when it cannot be, or was given up. */
  readonly link: Promise<WebRtcLink>;
  /** Takes what the far end said: the answer to an offer, or the offer to answer and then the candidates. */
  accept(said: Description | Candidates): void;
  /** Gives up, without waiting for anybody. A link that has opened just now is closed. */
  abort(): void;
}

/** Begins to make a WebRTC link. The offering side must be told the answer, the answering side the offer. */
export function negotiate(
  module: NativeWebRtc,
  options: WrtcOptions,
  role: "offer" | "answer",
  end: LinkEnd,
): Negotiation {
  const connections: NativeConnection[] = [];
  const peer = new SimplePeer({
    initiator: role === "offer",
    channelName: "t",
    channelConfig: { negotiated: true, id: 1, ordered: false, maxRetransmits: 0 },
    config: { iceServers: [] },
    // No description waits for candidates, and none is signalled: they are read when it is time to tell them.
    trickle: true,
    wrtc: wrtcFor(module, options, (made) => connections.push(made)) as NonNullable<SimplePeer.Options["wrtc"]>,
  });
  const description = deferred<Description>();
  const opened = deferred<WebRtcLink>();
  const fail = (cause?: Error): void => {
    const error = new Error("unreachable", { cause });
    description.reject(error);
    opened.reject(error);
  };
  peer.on("error", fail);
  peer.on("close", () => fail());
  peer.on("signal", (data) => {
    if ("sdp" in data && data.sdp !== undefined) description.resolve(readSdp(role, data.sdp));
  });
  const made = connections[0];
  if (made?.channel === undefined) {
    fail();
    return {
      description: description.promise,
      candidates: () => ({ type: "candidates", candidates: [] }),
      link: opened.promise,
      accept: () => undefined,
      abort: () => fail(),
    };
  }
  const link = new WebRtcLink(peer, made, end);
  let open = false;
  peer.on("connect", () => {
    open = true;
    opened.resolve(link);
  });
  return {
    description: description.promise,
    link: opened.promise,
    candidates: () => ({ type: "candidates", candidates: readCandidates(made.localDescription?.sdp ?? "") }),
    accept: (said) => {
      if (peer.destroyed) return;
      if (said.type !== "candidates") peer.signal({ type: said.type, sdp: writeSdp(said) });
      else said.candidates.forEach((candidate, index) => peer.signal(candidateSignal(candidate, index)));
    },
    abort: () => {
      if (open) link.close();
      else link.abort();
    },
  };
}

function candidateSignal(candidate: Candidate, index: number): SimplePeer.SignalData {
  // With its address beside it: without one simple-peer writes to the console when a candidate does not please.
  const { address } = candidate;
  const init = { candidate: writeCandidate(candidate, index), sdpMid: "0", address };
  return { type: "candidate", candidate: init as never };
}
