import { createDecoder } from "libopus-wasm";
import type { VoiceKey } from "../../../p2p/api/ids.ts";
import {
  sampleRateHz,
  voiceDecoder,
  voiceDecoderOptions,
  type VoiceDecoder,
} from "../../../p2p/core/jitter/voice-codec.ts";
import { clockNow } from "../clock.ts";
import { DevicePace } from "./device-pace.ts";
import { FillTarget } from "./fill-target.ts";
import { portOutlet, sharedOutlet, type Outlet } from "./outlet.ts";
import type { FromPlayout, ToPlayout } from "./playout-messages.ts";
import { blockSamples } from "../ring.ts";
import { StageMixer } from "./stage-mixer.ts";

/** The worker's loop looks after levels and stats by the clock; these are their intervals in ms. */
const levelsEveryMs = 50;
const statsEveryMs = 1000;
/** More than this is never made at once: after the computer slept, or the device was away. */
const blocksAtOnceMax = 20;

const blockMs = (blockSamples * 1000) / sampleRateHz;

const post = (message: FromPlayout): void => postMessage(message);
const mixer = new StageMixer(newDecoder, () => post({ kind: "broken" }));

addEventListener("message", ({ data }: MessageEvent<ToPlayout>) => {
  switch (data.kind) {
    case "heard":
      return mixer.push(data.packet);
    case "volume":
      return mixer.setVolume(data.speaker, data.volume);
    case "boost":
      return mixer.setBoost(data.boost);
    case "levelling":
      return mixer.setLevelling(data.levelling);
    case "attention":
      return mixer.setAttention(data.attention);
    case "begin":
      void play(data.outlet instanceof MessagePort ? portOutlet(data.outlet) : sharedOutlet(data.outlet), data);
      return;
    default:
      return data satisfies never;
  }
});

async function newDecoder(): Promise<VoiceDecoder> {
  return voiceDecoder(await createDecoder(voiceDecoderOptions));
}

/** Keeps the outlet filled until the worker is terminated: the device's pace is the pace of everything. */
async function play(outlet: Outlet, { outputLatencyMs }: { readonly outputLatencyMs: number }): Promise<void> {
  try {
    (await newDecoder()).free();
  } catch {
    post({ kind: "broken" });
    return;
  }
  post({ kind: "begun" });
  const fill = new FillTarget(clockNow());
  const pace = new DevicePace();
  const tell = teller(outlet, outputLatencyMs);
  let writtenMs = 0;
  let keeps = true;
  for (;;) {
    await caughtUp();
    const now = clockNow();
    const targetMs = fill.at(now, outlet.filledMs);
    for (let blocks = 0; outlet.filledMs < targetMs && blocks < blocksAtOnceMax; blocks += 1) {
      // When it would be made if we were never away: then it is as far from being heard as any other.
      outlet.write(mixer.render(now + outlet.filledMs - targetMs));
      writtenMs += blockMs;
    }
    if (keeps && !pace.keeps(now, writtenMs - outlet.filledMs, outlet.underruns)) {
      keeps = false;
      post({ kind: "dropping" });
    }
    fill.left(outlet.filledMs);
    tell(now);
    await outlet.drained();
  }
}

const { port1: here, port2: there } = new MessageChannel();
let resume = (): void => {};
here.onmessage = () => resume();

/**
 * Resolves when everything that was posted to us before was taken: after we were away, packets wait beside the call that
 * wakes us, and must not be guessed over for that.
 */
function caughtUp(): Promise<void> {
  return new Promise((resolve) => {
    resume = resolve;
    there.postMessage(undefined);
  });
}

/** Says by the clock who sounds and how it goes. */
function teller(outlet: Outlet, outputLatencyMs: number): (now: number) => void {
  let levelsAt = 0;
  let statsAt = 0;
  let sounding: ReadonlyMap<VoiceKey, number> = new Map();
  return (now) => {
    if (now - levelsAt >= levelsEveryMs) {
      levelsAt = now;
      const levels = mixer.levels();
      if (levels.size > 0 || sounding.size > 0) post({ kind: "levels", levels });
      sounding = levels;
    }
    if (now - statsAt >= statsEveryMs) {
      statsAt = now;
      const { filledMs, underruns } = outlet;
      post({ kind: "stats", underruns, bufferedMs: filledMs, speakers: mixer.stats(filledMs + outputLatencyMs) });
    }
  };
}
