import SimplePeer from "simple-peer";
import type { Channel, ChannelHandlers, Channels } from "../../api/channel.ts";
import { limits } from "../../api/limits.ts";
import { deferred } from "./deferred.ts";
import { sctpSendBufferBytes, wrtcFor, type NativeConnection, type NativeWebRtc, type WrtcOptions } from "./wrtc.ts";

/** The half that begins: a volunteer's. */
export interface OfferingChannel extends Channel {
  /** Takes the far end's session description. */
  accept(answer: string): void;
  /** Our session description as it is now: with every candidate, once `description` is known. */
  described(): string;
}

/** Both halves, by simple-peer on node-datachannel. */
export class NativeChannels implements Channels {
  readonly #module: NativeWebRtc;
  readonly #options: WrtcOptions;

  constructor(module: NativeWebRtc, options: WrtcOptions) {
    this.#module = module;
    this.#options = options;
  }

  /** Begins to offer a channel. */
  offer(handlers: ChannelHandlers): OfferingChannel {
    return new NativeHalf(this.#module, this.#options, "offer", handlers);
  }

  answer(offer: string, handlers: ChannelHandlers): Channel {
    const half = new NativeHalf(this.#module, this.#options, "answer", handlers);
    half.accept(offer);
    return half;
  }
}

/** Bytes in the channel's own buffer above which messages wait with the caller; SCTP holds the rest of the limit. */
const channelBufferedBytesMax = limits.linkBufferedBytesMax - sctpSendBufferBytes;

class NativeHalf implements OfferingChannel {
  readonly bufferedBytesMax = channelBufferedBytesMax;
  readonly description: Promise<string>;
  readonly #peer: SimplePeer.Instance;
  readonly #role: "offer" | "answer";
  readonly #handlers: ChannelHandlers;
  #connection: NativeConnection | undefined;
  #isOver = false;

  constructor(module: NativeWebRtc, options: WrtcOptions, role: "offer" | "answer", handlers: ChannelHandlers) {
    this.#role = role;
    this.#handlers = handlers;
    const description = deferred<string>();
    this.description = description.promise;
    const peer = new SimplePeer({
      initiator: role === "offer",
      channelName: "t",
      channelConfig: { negotiated: true, id: 1, ordered: false, maxRetransmits: 0 },
      config: { iceServers: [] },
      // No description waits for candidates, and none is signalled: they are read when it is time to tell them.
      trickle: true,
      wrtc: wrtcFor(module, options, (made) => (this.#connection = made)) as NonNullable<SimplePeer.Options["wrtc"]>,
    });
    this.#peer = peer;
    peer.on("error", (cause) => {
      description.reject(new Error("unreachable", { cause }));
      this.#end();
    });
    peer.on("close", () => {
      description.reject(new Error("unreachable"));
      this.#end();
    });
    peer.on("signal", (data) => {
      if ("sdp" in data && data.sdp !== undefined) description.resolve(data.sdp);
    });
    peer.on("connect", () => {
      if (!this.#isOver) handlers.onOpen();
    });
    this.#listen();
  }

  get bufferedAmount(): number {
    return this.#connection?.channel?.bufferedAmount ?? 0;
  }

  described(): string {
    return this.#connection?.localDescription?.sdp ?? "";
  }

  accept(sdp: string): void {
    const type = this.#role === "offer" ? "answer" : "offer";
    if (!this.#peer.destroyed) this.#peer.signal({ type, sdp });
  }

  addCandidates(candidates: readonly string[]): void {
    for (const candidate of candidates) {
      // With its address beside it: without one simple-peer writes to the console when a candidate does not please.
      const init = { candidate, sdpMid: "0", address: candidate.split(" ")[4] };
      if (!this.#peer.destroyed) this.#peer.signal({ type: "candidate", candidate: init as never });
    }
  }

  send(bytes: Uint8Array): boolean {
    const channel = this.#connection?.channel;
    if (this.#isOver || channel === undefined) return false;
    try {
      channel.send(bytes);
      return true;
    } catch {
      // It has closed under us; its end is on the way.
      return false;
    }
  }

  close(): void {
    this.#isOver = true;
    this.#peer.destroy();
  }

  abort(): void {
    this.#isOver = true;
    this.#connection?.abort();
    this.#peer.destroy();
  }

  /** simple-peer makes a negotiated channel at once, or says in a later turn why it could not. */
  #listen(): void {
    const channel = this.#connection?.channel;
    if (channel === undefined) return;
    channel.receive = (data) => {
      if (this.#isOver) return;
      if (typeof data !== "string") return this.#handlers.onMessage(data);
      this.abort();
      this.#handlers.onClose("protocol");
    };
    channel.onRoom = () => {
      if (!this.#isOver) this.#handlers.onRoom();
    };
    channel.bufferedAmountLowThreshold = channelBufferedBytesMax / 2;
  }

  #end(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#handlers.onClose(this.#connection?.goodbye === true ? "remote" : "lost");
  }
}
