/** The library's build for browsers. Its own types would bring those of Node along. */
declare module "simple-peer/simplepeer.min.js" {
  /** A session description, or a candidate. */
  type SignalData =
    | { readonly type: "offer" | "answer"; readonly sdp: string }
    | { readonly type: "candidate"; readonly candidate: RTCIceCandidateInit };

  interface PeerOptions {
    readonly initiator: boolean;
    readonly channelName: string;
    readonly channelConfig: RTCDataChannelInit;
    readonly config: RTCConfiguration;
    readonly trickle: boolean;
    readonly wrtc: {
      readonly RTCPeerConnection: typeof RTCPeerConnection;
      readonly RTCSessionDescription: typeof RTCSessionDescription;
      readonly RTCIceCandidate: typeof RTCIceCandidate;
    };
  }

  class SimplePeer {
    readonly destroyed: boolean;
    constructor(options: PeerOptions);
    signal(data: SignalData): void;
    destroy(): void;
    on(event: "signal", listener: (data: SignalData) => void): this;
    on(event: "connect" | "close", listener: () => void): this;
    on(event: "error", listener: (error: Error) => void): this;
  }

  export default SimplePeer;
}
