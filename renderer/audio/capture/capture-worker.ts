import type { VoiceStrength } from "../../../p2p/api/engine.ts";
import { captureSamples, type FromCapture, type ToCapture } from "./capture-messages.ts";
import { clockNow } from "../clock.ts";
import type { Gate } from "../edges.ts";
import { secretChance, type MaskCharacter } from "../mask/mask-character.ts";
import { createWasmPacketEncoder } from "./packet-encoder.ts";
import { SampleRing } from "../ring.ts";
import { VoiceCapture } from "./voice-capture.ts";
import { VoiceMask } from "../mask/voice-mask.ts";

/** Where the sound thread gives nothing at all, this often is looked whether it does again. */
const patienceMs = 50;
/** Who was away for longer finds the oldest of what was said meanwhile: it is let go, and what is said now is sent. */
const awayMsMax = 500;

const post = (message: FromCapture, transfer: Transferable[] = []): void => postMessage(message, { transfer });
const broken = (): void => post({ kind: "broken" });
const chance = secretChance();
let capture: VoiceCapture | undefined;
let gate: Gate = "shut";
let character: MaskCharacter | undefined;
let strength: VoiceStrength = "copied";
/** Lets go of what came before the gate was opened. */
let skip = (): void => {};

addEventListener("message", ({ data }: MessageEvent<ToCapture>) => {
  switch (data.kind) {
    case "begin":
      begin(data.source, data.deviceLatencyMs).catch(broken);
      return;
    case "gate":
      gate = data.gate;
      skip();
      return capture?.setGate(gate);
    case "mask":
      character = data.character;
      return capture?.setMask(newMask());
    case "record":
      return capture?.record(data.samples);
    case "strength":
      strength = data.strength;
      return capture?.setStrength(strength);
    default:
      return data satisfies never;
  }
});

/** A fresh one each time, which remembers nothing that was said before. */
function newMask(): VoiceMask | undefined {
  return character && new VoiceMask(character, chance);
}

async function begin(source: SharedArrayBuffer | MessagePort, deviceLatencyMs: number): Promise<void> {
  const encoder = await createWasmPacketEncoder(
    (packet, capturedAt) => post({ kind: "packet", packet, capturedAt }),
    broken,
  );
  encoder.setStrength(strength);
  const own = new VoiceCapture(encoder, {
    deviceLatencyMs,
    onRms: (rms) => post({ kind: "rms", rms }),
    onRecorded: (pcm) => post({ kind: "recorded", pcm }, [pcm.buffer]),
  });
  own.setMask(newMask());
  own.setGate(gate);
  capture = own;
  if (source instanceof MessagePort) receive(source, own);
  else drain(new SampleRing(source), own).catch(broken);
  post({ kind: "begun" });
}

/** Each block goes back, to be filled again: the sound thread makes none. */
function receive(source: MessagePort, into: VoiceCapture): void {
  source.onmessage = ({ data }: MessageEvent<Float32Array<ArrayBuffer>>) => {
    into.take(data, clockNow());
    source.postMessage(data, [data.buffer]);
  };
}

/** Until the worker is terminated. */
async function drain(ring: SampleRing, into: VoiceCapture): Promise<void> {
  const block = new Float32Array(captureSamples);
  skip = () => {
    while (ring.filled >= captureSamples) ring.read(block);
  };
  let lookedAt = clockNow();
  for (;;) {
    if (clockNow() - lookedAt > awayMsMax) skip();
    while (ring.filled >= captureSamples) {
      // What waits behind this block was captured after it.
      const waitsMs = (ring.filled - captureSamples) / 48;
      ring.read(block);
      into.take(block, clockNow() - waitsMs);
    }
    lookedAt = clockNow();
    await ring.filledMore(patienceMs);
  }
}
