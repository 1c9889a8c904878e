import { webRtcCertificate } from "../libp2p/certificate.ts";
import type { DataChannel, PeerConnection } from "node-datachannel";
import { channelMessageBytesMax } from "../../api/channel.ts";

/** The native library, loaded once and only by those who use it. */
export type NativeWebRtc = Pick<typeof import("node-datachannel"), "PeerConnection" | "setSctpSettings">;

/** Where WebRTC's UDP sockets live. */
export interface WrtcOptions {
  /** Local IP address to bind to; all interfaces when absent. Needed where loopback is the only one. */
  readonly bindAddress?: string;
  /** Ports to take, for a firewall that opens only some. */
  readonly portRange?: readonly [begin: number, end: number];
}

/**
 * Bytes that SCTP itself may buffer. Its default of 1 MiB would be minutes of stale voice; this and as much again in the channel's own
 * buffer make `limits.linkBufferedBytesMax`, and still carry 800 kbit/s over a round trip of 300 ms.
 */
export const sctpSendBufferBytes = 32_768;

/** How long a closed connection waits for the far end to hear of it. */
const goodbyeMs = 500;

let loading: Promise<NativeWebRtc | undefined> | undefined;

/** The native library; undefined on a system for which there is none. */
export function loadNativeWebRtc(): Promise<NativeWebRtc | undefined> {
  loading ??= import("node-datachannel").then(
    (module) => {
      module.setSctpSettings({ sendBufferSize: sctpSendBufferBytes });
      return module;
    },
    () => undefined,
  );
  return loading;
}

/** Native objects call back from other threads, so each must stay reachable until it has said its last word. */
const alive = new Set<object>();

/** Keeps our own bugs visible: an exception must not unwind through native code. */
function guarded<Args extends unknown[]>(callback: (...args: Args) => void): (...args: Args) => void {
  return (...args) => {
    try {
      callback(...args);
    } catch (error) {
      setImmediate(() => {
        throw error;
      });
    }
  };
}

/**
 * The one channel of a connection, in the shape of an RTCDataChannel as far as simple-peer looks at it. Messages do not pass
 * through simple-peer's stream, which would cost a fifth of the CPU of forwarding: they go to `receive`.
 */
export class NativeChannel {
  readonly label: string;
  readonly ordered = false;
  readonly maxRetransmits = 0;
  readonly negotiated = true;
  binaryType = "arraybuffer";
  readyState: "connecting" | "open" | "closed" = "connecting";
  onopen: (() => void) | null = null;
  onclose: (() => void) | null = null;
  onerror: ((event: { readonly error: Error }) => void) | null = null;
  onmessage: unknown = null;
  onbufferedamountlow: (() => void) | null = null;
  /** Set by the link before anything can arrive. Text is a breach of the protocol and comes as it is. */
  receive: ((data: Uint8Array | string) => void) | null = null;
  /** Set by the link: the buffer has room again. */
  onRoom: (() => void) | null = null;
  readonly #native: DataChannel;
  #low = 0;

  constructor(native: DataChannel, label: string, onClosed: () => void) {
    this.#native = native;
    this.label = label;
    alive.add(native);
    native.onOpen(
      guarded(() => {
        this.readyState = "open";
        this.onopen?.();
      }),
    );
    native.onClosed(
      guarded(() => {
        alive.delete(native);
        onClosed();
        this.readyState = "closed";
        this.onclose?.();
      }),
    );
    native.onError(guarded((message) => this.onerror?.({ error: new Error(message) })));
    native.onBufferedAmountLow(guarded(() => (this.onRoom ?? this.onbufferedamountlow)?.()));
    native.onMessage(guarded((data) => this.receive?.(typeof data === "string" ? data : plain(data))));
  }

  get bufferedAmount(): number {
    return this.#native.bufferedAmount();
  }

  get bufferedAmountLowThreshold(): number {
    return this.#low;
  }

  set bufferedAmountLowThreshold(bytes: number) {
    this.#low = bytes;
    this.#native.setBufferedAmountLowThreshold(bytes);
  }

  /** Throws when the channel is not open. */
  send(data: Uint8Array): void {
    this.#native.sendMessageBinary(data);
  }

  close(): void {
    if (this.readyState === "closed") return;
    this.readyState = "closed";
    this.#native.close();
  }
}

/** Never a Buffer: their `slice` differs from that of a plain array, which is what core expects. */
function plain(data: Uint8Array | ArrayBuffer): Uint8Array {
  return data instanceof ArrayBuffer
    ? new Uint8Array(data)
    : new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
}

/**
 * A native peer connection in the shape of an RTCPeerConnection as far as simple-peer looks at it. It stands in for the library's
 * own imitation of the browser, whose descriptions cannot be assigned to as simple-peer does, which takes no null label, and which
 * negotiates behind one's back.
 */
export class NativeConnection {
  onconnectionstatechange: (() => void) | null = null;
  oniceconnectionstatechange: (() => void) | null = null;
  onicegatheringstatechange: (() => void) | null = null;
  onsignalingstatechange: (() => void) | null = null;
  onicecandidate: unknown = null;
  ondatachannel: unknown = null;
  ontrack: unknown = null;
  /** Whether the far end said goodbye: it reset the channel while the connection still stood. */
  goodbye = false;
  channel: NativeChannel | undefined;
  readonly #native: PeerConnection;
  #closed = false;
  #goodbye: NodeJS.Timeout | undefined;

  constructor(module: NativeWebRtc, options: WrtcOptions) {
    const certificate = webRtcCertificate(Date.now());
    const native = new module.PeerConnection("teahouse", {
      // By their names files; texts do as well.
      certificatePemFile: certificate.cert,
      keyPemFile: certificate.key,
      iceServers: [],
      disableAutoNegotiation: true,
      // As announced by `writeSdp`.
      maxMessageSize: channelMessageBytesMax,
      ...(options.bindAddress === undefined ? {} : { bindAddress: options.bindAddress }),
      ...(options.portRange === undefined
        ? {}
        : { portRangeBegin: options.portRange[0], portRangeEnd: options.portRange[1] }),
    });
    this.#native = native;
    alive.add(native);
    native.onStateChange(
      guarded((state) => {
        if (state === "closed") {
          alive.delete(native);
          clearTimeout(this.#goodbye);
        } else if (this.#closed && state !== "connected") {
          native.close();
        }
        this.onconnectionstatechange?.();
      }),
    );
    native.onIceStateChange(guarded(() => this.oniceconnectionstatechange?.()));
  }

  get connectionState(): string {
    return this.#native.state();
  }

  get iceConnectionState(): string {
    return this.#native.iceState();
  }

  get iceGatheringState(): string {
    return this.#native.gatheringState();
  }

  get signalingState(): string {
    return this.#native.signalingState();
  }

  get localDescription(): { type: string; sdp: string } | null {
    return this.#native.localDescription();
  }

  get remoteDescription(): { type: string; sdp: string } | null {
    return this.#native.remoteDescription();
  }

  /** simple-peer passes no label on the answering side. */
  createDataChannel(label: string | null | undefined): NativeChannel {
    const name = label ?? "t";
    const native = this.#native.createDataChannel(name, {
      negotiated: true,
      id: 1,
      unordered: true,
      maxRetransmits: 0,
    });
    this.channel = new NativeChannel(native, name, () => {
      this.goodbye = !this.#closed && this.#native.state() === "connected";
    });
    return this.channel;
  }

  /** Resolves when every candidate is known; without STUN servers gathering is a look at our own interfaces. */
  async createOffer(): Promise<{ type: string; sdp: string }> {
    this.#native.setLocalDescription("offer");
    if (this.#native.gatheringState() !== "complete") {
      await new Promise<void>((resolve) => {
        this.#native.onGatheringStateChange(guarded((state) => (state === "complete" ? resolve() : undefined)));
      });
    }
    return this.#local();
  }

  async createAnswer(): Promise<{ type: string; sdp: string }> {
    this.#native.setLocalDescription("answer");
    return this.#local();
  }

  async setLocalDescription(): Promise<void> {
    // Done by createOffer and createAnswer: natively the two are one step.
  }

  /**
   * A native answer is `passive`, for which the library must believe that the offer was `active`. Answering side is the one that is
   * connected first; if it began DTLS, its first flight would often meet a far end not yet listening, and OpenSSL repeats after a whole
   * second (measured on loopback: one connect in three). Chromium repeats after 50 ms and stays `active`.
   */
  async setRemoteDescription(description: { type: string; sdp: string }): Promise<void> {
    const { type, sdp } = description;
    if (type === "offer") this.#native.setRemoteDescription(sdp.replace("a=setup:actpass", "a=setup:active"), "offer");
    else this.#native.setRemoteDescription(sdp, "answer");
  }

  async addIceCandidate(init: { readonly candidate: string }): Promise<void> {
    this.#native.addRemoteCandidate(init.candidate, "0");
  }

  /** One selected pair without addresses: all that simple-peer waits for, and nobody else need know them. */
  async getStats(): Promise<Map<string, object>> {
    return new Map([["pair", { id: "pair", type: "candidate-pair", selected: true }]]);
  }

  /**
   * Closes, but first lets the far end hear the goodbye of a channel that was open: it hangs up, or time is up.
   */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    const native = this.#native;
    if (native.state() !== "connected" || this.goodbye) native.close();
    else this.#goodbye = setTimeout(() => native.close(), goodbyeMs);
  }

  /** Closes without a goodbye. */
  abort(): void {
    this.#closed = true;
    // The library closes the channel itself. To close it from here at the same time can lose its last callback, which
    // would then keep the process alive (measured: once in 60 aborts).
    if (this.channel !== undefined) this.channel.readyState = "closed";
    this.#native.close();
  }

  #local(): { type: string; sdp: string } {
    const local = this.#native.localDescription();
    if (local === null) throw new Error("connection is closed");
    return { type: local.type, sdp: local.sdp };
  }
}

class PlainDescription {
  type: string;
  sdp: string;

  constructor(init: { readonly type: string; readonly sdp: string }) {
    this.type = init.type;
    this.sdp = init.sdp;
  }
}

/** What simple-peer takes as `wrtc`, for one peer; the connection that it then makes is handed to `onConnection`. */
export function wrtcFor(
  module: NativeWebRtc,
  options: WrtcOptions,
  onConnection: (connection: NativeConnection) => void,
): object {
  class OwnConnection extends NativeConnection {
    constructor() {
      super(module, options);
      onConnection(this);
    }
  }
  return { RTCPeerConnection: OwnConnection, RTCSessionDescription: PlainDescription, RTCIceCandidate: Object };
}

/** How many native objects have not ended yet; nought when everything was closed and a process may exit. */
export function nativeObjectsAlive(): number {
  return alive.size;
}
