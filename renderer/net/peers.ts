import SimplePeer from "simple-peer/simplepeer.min.js";
import { channelBounds } from "../../p2p/port/lending.ts";
import type { Thing, ThingEvents } from "./lender.ts";

/** How long a goodbye may take, in ms. */
const goodbyeMsMax = 500;

/** Answers a volunteer's offer: by simple-peer on the browser's own WebRTC, without servers and without candidates. */
export function answerByPeer(offer: string, events: ThingEvents): Thing {
  return new AnsweringPeer(offer, events);
}

class AnsweringPeer implements Thing {
  readonly #peer: SimplePeer;
  readonly #events: ThingEvents;
  #connection: RTCPeerConnection | undefined;
  #channel: RTCDataChannel | undefined;
  #isBroken = false;
  #isOver = false;

  constructor(offer: string, events: ThingEvents) {
    this.#events = events;
    this.#peer = new SimplePeer({
      initiator: false,
      channelName: "t",
      channelConfig: { negotiated: true, id: 1, ordered: false, maxRetransmits: 0 },
      config: { iceServers: [] },
      // The answer does not wait for candidates, and none is told.
      trickle: true,
      wrtc: { RTCPeerConnection: this.#watchedConnection(), RTCSessionDescription, RTCIceCandidate },
    });
    this.#peer.on("signal", (data) => {
      if (data.type === "answer" && !this.#isOver) events.answered(data.sdp.replace(/^a=candidate:.*\r?\n/gm, ""));
    });
    this.#peer.on("connect", () => this.#opened());
    this.#peer.on("error", () => this.#ended());
    this.#peer.on("close", () => this.#ended());
    this.#listen();
    this.#peer.signal({ type: "offer", sdp: offer });
  }

  get bufferedAmount(): number {
    return this.#channel?.bufferedAmount ?? 0;
  }

  send(bytes: Uint8Array): void {
    this.#channel?.send(bytes as Uint8Array<ArrayBuffer>);
  }

  addCandidates(candidates: readonly string[]): void {
    for (const candidate of candidates) {
      if (this.#peer.destroyed) return;
      this.#peer.signal({ type: "candidate", candidate: { candidate, sdpMid: "0" } });
    }
  }

  close(): void {
    const channel = this.#channel;
    if (this.#isOver || channel?.readyState !== "open") return this.drop();
    this.#isOver = true;
    // The far end is to hear it before the connection goes.
    const timer = setTimeout(() => this.#peer.destroy(), goodbyeMsMax);
    channel.onclose = () => {
      clearTimeout(timer);
      this.#peer.destroy();
    };
    channel.close();
  }

  drop(): void {
    this.#isOver = true;
    // First, so that no goodbye of the channel goes out.
    this.#connection?.close();
    this.#peer.destroy();
  }

  /** Catches the connection and the channel that simple-peer makes. */
  #watchedConnection(): typeof RTCPeerConnection {
    const onConnection = (made: RTCPeerConnection): void => void (this.#connection = made);
    const onChannel = (made: RTCDataChannel): void => void (this.#channel = made);
    return class extends RTCPeerConnection {
      constructor(configuration?: RTCConfiguration) {
        super(configuration);
        onConnection(this);
      }

      /** simple-peer gives no label on the answering side. */
      override createDataChannel(label: string | null, init?: RTCDataChannelInit): RTCDataChannel {
        const made = super.createDataChannel(label ?? "t", init);
        onChannel(made);
        return made;
      }
    };
  }

  /** Messages do not pass through simple-peer's stream, and how the channel ends it does not tell apart. */
  #listen(): void {
    const channel = this.#channel;
    if (channel === undefined) return;
    channel.bufferedAmountLowThreshold = channelBounds.bufferedMax / 4;
    channel.onmessage = ({ data }: MessageEvent<unknown>) => {
      if (this.#isOver) return;
      // A far end may speak before simple-peer has found out that the channel is open.
      this.#opened();
      if (data instanceof ArrayBuffer) return this.#events.arrived(new Uint8Array(data));
      this.drop();
      this.#events.closed("protocol");
    };
    channel.onbufferedamountlow = () => this.#events.drained();
    channel.onerror = () => void (this.#isBroken = true);
    channel.onclose = () => {
      if (!this.#isOver && !this.#isBroken && this.#connection?.connectionState === "connected") {
        this.#isOver = true;
        this.#events.closed("clean");
      }
      this.#peer.destroy();
    };
  }

  #opened(): void {
    if (!this.#isOver) this.#events.opened();
  }

  #ended(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#events.closed("lost");
  }
}
