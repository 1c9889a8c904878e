import { millis } from "../../p2p/api/ids.ts";
import type { FromCapture, ToCapture } from "./capture-messages.ts";
import { clockNow } from "./clock.ts";
import type { Gate } from "./edges.ts";
import { createWasmPacketEncoder, createWasmVoiceEncoder, type PacketEncoder } from "./packet-encoder.ts";
import { VoiceCapture } from "./voice-capture.ts";
import { createWebCodecsPacketEncoder, webCodecsPasses } from "./webcodecs-encoder.ts";

const post = (message: FromCapture): void => postMessage(message);
const broken = (): void => post({ kind: "broken" });
let capture: VoiceCapture | undefined;
let gate: Gate = "shut";

addEventListener("message", ({ data }: MessageEvent<ToCapture>) => {
  if (data.kind === "begin") begin(data.source, data.deviceLatencyMs).catch(broken);
  else {
    gate = data.gate;
    capture?.setGate(gate);
  }
});

async function begin(source: MessagePort, deviceLatencyMs: number): Promise<void> {
  const [kind, encoder] = await bestEncoder();
  capture = new VoiceCapture(encoder, (rms) => post({ kind: "rms", rms }), deviceLatencyMs);
  capture.setGate(gate);
  source.onmessage = ({ data }: MessageEvent<Float32Array>) => capture?.take(data, clockNow());
  post({ kind: "begun", encoder: kind });
}

async function bestEncoder(): Promise<["webcodecs" | "wasm", PacketEncoder]> {
  const sink = (opus: Uint8Array, capturedAt: number): void =>
    post({ kind: "packet", opus, capturedAt: millis(capturedAt) });
  if (!(await webCodecsPasses())) return ["wasm", await createWasmPacketEncoder(sink, broken)];
  return ["webcodecs", createWebCodecsPacketEncoder(await createWasmVoiceEncoder(), sink, broken)];
}
