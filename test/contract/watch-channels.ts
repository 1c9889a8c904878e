import type { DataChannel } from "node-datachannel";
import type { NativeWebRtc } from "../../p2p/io/links/wrtc.ts";

/** The native library, but every channel it makes is shown. */
export function watchChannels(native: NativeWebRtc, channels: DataChannel[]): NativeWebRtc {
  const Real = native.PeerConnection;
  function Watched(...parameters: ConstructorParameters<typeof Real>): InstanceType<typeof Real> {
    const made = new Real(...parameters);
    const create = made.createDataChannel.bind(made);
    // The library's own method is read-only.
    Object.defineProperty(made, "createDataChannel", {
      value: (...init: Parameters<typeof create>) => {
        const channel = create(...init);
        channels.push(channel);
        return channel;
      },
    });
    return made;
  }
  return { ...native, PeerConnection: Watched as unknown as typeof Real };
}
