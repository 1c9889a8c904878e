import { millis, type VoiceKey } from "../../../p2p/api/ids.ts";
import { clockNow } from "../../../renderer/audio/clock.ts";
import { createMicrophone } from "../../../renderer/audio/capture/microphone-browser.ts";
import { createSpeakers } from "../../../renderer/audio/playout/speakers-browser.ts";

/** sequence u32, capture time f64, Opus: what naive-hop.ts reads. */
const headBytes = 12;
const somebody = "5e1f" as VoiceKey;
let call: RTCPeerConnection | undefined;

async function connected(url: string): Promise<WebSocket> {
  const socket = new WebSocket(url);
  socket.binaryType = "arraybuffer";
  await new Promise((resolve, reject) => {
    socket.onopen = resolve;
    socket.onerror = reject;
  });
  return socket;
}

/** All candidates are in it. */
async function described(connection: RTCPeerConnection): Promise<RTCSessionDescriptionInit> {
  await connection.setLocalDescription();
  while (connection.iceGatheringState !== "complete") {
    await new Promise((resolve) => connection.addEventListener("icegatheringstatechange", resolve, { once: true }));
  }
  return connection.localDescription!.toJSON();
}

const bench = {
  /** The window's microphone, to the first naive hop. */
  speakTo: async (url: string) => {
    const socket = await connected(url);
    const microphone = createMicrophone();
    let sequence = 0;
    microphone.onPacket(({ opus, capturedAt }) => {
      const packet = new Uint8Array(headBytes + opus.length);
      const view = new DataView(packet.buffer);
      view.setUint32(0, sequence++);
      view.setFloat64(4, capturedAt);
      packet.set(opus, headBytes);
      socket.send(packet);
    });
    await microphone.start();
    microphone.setMuted(false);
  },
  /** The last naive hop, to the window's loudspeakers. */
  hearFrom: async (url: string) => {
    const speakers = createSpeakers();
    await speakers.start();
    const socket = await connected(url);
    socket.onmessage = ({ data }: MessageEvent<ArrayBuffer>) => {
      const view = new DataView(data);
      const capturedAt = millis(view.getFloat64(4));
      const opus = new Uint8Array(data, headBytes);
      speakers.push({
        speaker: somebody,
        sequence: view.getUint32(0),
        layer: "normal",
        opus,
        capturedAt,
        receivedAt: millis(clockNow()),
      });
    };
  },
  /** Calls the other browser, with the microphone as the window asks for it, or with what it hears unchanged. */
  offer: async (unchanged = false) => {
    const better = !unchanged;
    const audio = { echoCancellation: better, noiseSuppression: better, autoGainControl: better, channelCount: 1 };
    const stream = await navigator.mediaDevices.getUserMedia({ audio });
    call = new RTCPeerConnection();
    for (const track of stream.getTracks()) call.addTrack(track, stream);
    return described(call);
  },
  /** Takes the call and plays it. */
  answer: async (offer: RTCSessionDescriptionInit) => {
    call = new RTCPeerConnection();
    call.ontrack = ({ streams: [stream] }) => {
      if (stream === undefined) return;
      // Chromium decodes a call only while an element plays it.
      const element = new Audio();
      element.muted = true;
      element.srcObject = stream;
      void element.play();
      const context = new AudioContext({ sampleRate: 48_000, latencyHint: "interactive" });
      context.createMediaStreamSource(stream).connect(context.destination);
    };
    await call.setRemoteDescription(offer);
    return described(call);
  },
  accept: (answer: RTCSessionDescriptionInit) => call!.setRemoteDescription(answer),
};

/** What the benchmark calls in the page. */
export type BenchPage = typeof bench;

Object.assign(globalThis, { bench });
