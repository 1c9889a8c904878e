import { millis, type VoiceKey } from "../../../p2p/api/ids.ts";
import { createVoiceDecoder } from "../../../p2p/io/audio/opus.ts";
import { StageMixer } from "../../../renderer/audio/playout/stage-mixer.ts";
import { fixturePath, readAudio } from "../../audio/sounds.ts";
import { type Figure, figureOf } from "../figure.ts";
import { encoded } from "./ears.ts";
import { cross } from "./last-link.ts";

/** 40 s of a full conversation. */
const packets = 1000;
const speakers = 8;
const blockMs = 10;
/** The first part is the compiler's. */
const warmMs = 10_000;

/** V8: what the window's playout takes of a core for eight voices at once, over a line that scatters and loses 5 %. */
export async function measureStageCost(): Promise<readonly Figure[]> {
  const opus = await encoded(await readAudio(fixturePath("speech.flac")), packets);
  const ours = await costOf(opus, speakers);
  const one = await costOf(opus, 1);
  const bare = await decodingAlone(opus);
  return [
    figureOf({
      id: "V8",
      what: "CPU ms ÷ ms of sound: jitter buffers, decoding, stretching and mixing of 8 voices at once, as a share of a core",
      goal: 0.03,
      better: "less",
      sides: { ours: ours.cpuMs, baseline: ours.soundMs, oneVoice: one.cpuMs, decodingOfEightAlone: bare * speakers },
    }),
  ];
}

async function costOf(opus: readonly Uint8Array[], count: number): Promise<{ cpuMs: number; soundMs: number }> {
  const mixer = new StageMixer(createVoiceDecoder, (error) => {
    throw error;
  });
  const voices = Array.from({ length: count }, (_, index) => {
    const link = { burst: 1, roundTripMs: 80, jitterMs: 10, lossShare: 0.05, requests: false };
    const { trace } = cross({ ...link, packets, seed: `voice ${index}` });
    const arrivals = trace.flatMap(({ receivedAt, ...flight }) =>
      receivedAt === undefined ? [] : [{ ...flight, receivedAt }],
    );
    arrivals.sort((left, right) => left.receivedAt - right.receivedAt);
    return { speaker: `0${index}` as VoiceKey, arrivals, next: 0 };
  });
  let began = process.cpuUsage();
  const endMs = 1000 + packets * 40;
  for (let now = 1000; now < endMs; now += blockMs) {
    if (now === 1000 + warmMs) began = process.cpuUsage();
    for (const voice of voices) {
      for (let one = voice.arrivals[voice.next]; one !== undefined && one.receivedAt <= now;) {
        const { sequence, capturedAt, receivedAt } = one;
        const times = { layer: "normal" as const, capturedAt: millis(capturedAt), receivedAt: millis(receivedAt) };
        mixer.push({ speaker: voice.speaker, sequence, opus: opus[sequence]!, ...times });
        voice.next += 1;
        one = voice.arrivals[voice.next];
      }
    }
    mixer.render(now);
    // Decoders are made in between.
    if (now < 2000) await new Promise((resolve) => setImmediate(resolve));
  }
  const { user, system } = process.cpuUsage(began);
  mixer.free();
  return { cpuMs: Math.round((user + system) / 1000), soundMs: endMs - 1000 - warmMs };
}

/** CPU ms of decoding one voice, without anything around it, for as much sound. */
async function decodingAlone(opus: readonly Uint8Array[]): Promise<number> {
  const decoder = await createVoiceDecoder();
  let began = process.cpuUsage();
  opus.forEach((packet, index) => {
    if (index === warmMs / 40) began = process.cpuUsage();
    decoder.decode(packet);
  });
  const { user, system } = process.cpuUsage(began);
  decoder.free();
  return Math.round((user + system) / 1000);
}
