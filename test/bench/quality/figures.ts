import { packetSamples } from "../../../p2p/core/jitter/voice-codec.ts";
import { type Figure, figureOf } from "../figure.ts";
import { encoded, hearByConstant, hearByWindow } from "../voice/ears.ts";
import { cross } from "../voice/last-link.ts";
import { aligned, resampled } from "./align.ts";
import { stoi, stoiRateHz } from "./intelligibility.ts";
import { spectralDistance, spectralRateHz } from "./spectral-distance.ts";
import { type Voice, voices } from "./speech.ts";

/** 20 s of each voice, again and again. */
const packets = 500;
const lossShares = [0, 0.05, 0.1, 0.2] as const;
/** A buffer as it is first built. */
const constantDelayMs = 200;
/** Further from its place than this nothing is looked for: capture to playing. */
const delayMsMax = 700;

/** How near what was heard comes to what was said. */
export interface Quality {
  readonly stoi: number;
  /** dB. */
  readonly distance: number;
}

/**
 * Q: what is heard of real packets through the window's playout at four losses, by two objective measures, beside the
 * same playout with a decoder without FEC, and beside a fixed buffer of 200 ms.
 */
export async function measureQuality(): Promise<readonly Figure[]> {
  const all = await voices();
  const figures: Figure[] = [];
  for (const lossShare of lossShares) {
    const sum = { ours: zero(), withoutFec: zero(), fixed: zero(), requests: zero() };
    for (const voice of all) {
      const opus = await encoded(voice.speech, packets);
      const link = { packets, burst: 2, roundTripMs: 80, jitterMs: 10, lossShare, seed: voice.name };
      const { trace } = cross({ ...link, requests: false });
      const asked = cross({ ...link, requests: true }).trace;
      add(sum.ours, qualityOf(voice, (await hearByWindow(opus, trace)).sound), all.length);
      add(sum.requests, qualityOf(voice, (await hearByWindow(opus, asked)).sound), all.length);
      add(sum.withoutFec, qualityOf(voice, (await hearByWindow(opus, trace, false)).sound), all.length);
      add(sum.fixed, qualityOf(voice, (await hearByConstant(opus, trace, constantDelayMs)).sound), all.length);
    }
    figures.push(...figuresOf(lossShare, sum));
  }
  return figures;
}

type Sums = Record<"ours" | "withoutFec" | "fixed" | "requests", { stoi: number; distance: number }>;

function figuresOf(lossShare: number, { ours, withoutFec, fixed, requests }: Sums): Figure[] {
  const where = `${lossShare * 100} % loss, mean of espeak-ng in three languages and the clip`;
  const side = (measure: keyof Quality) => ({
    ours: rounded(ours[measure]),
    withoutFec: rounded(withoutFec[measure]),
    fixed200Ms: rounded(fixed[measure]),
    withRequests: rounded(requests[measure]),
  });
  // The better of both baselines is the one to reach.
  const best = { stoi: Math.max(withoutFec.stoi, fixed.stoi), distance: Math.min(withoutFec.distance, fixed.distance) };
  return [
    figureOf({
      id: "Q",
      what: `intelligibility (STOI) ÷ the better of a decoder without FEC and a fixed 200 ms buffer, ${where}`,
      goal: 1,
      better: "more",
      sides: { ...side("stoi"), baseline: rounded(best.stoi) },
    }),
    figureOf({
      id: "Q",
      what: `log-spectral distance, dB ÷ the better of both, ${where}`,
      goal: 1,
      better: "less",
      sides: { ...side("distance"), baseline: rounded(best.distance) },
    }),
  ];
}

/** Of a recording in which the voice's speech is said over and over, from its beginning. */
export function qualityOf(
  { speech }: Voice,
  sound: Float32Array,
  seconds = (packets * packetSamples) / 48_000,
): Quality {
  const original = Float32Array.from({ length: seconds * 48_000 }, (_, index) => speech[index % speech.length]!);
  // Until the network is known, no buffer is at its best: the first three seconds are for that.
  const laid = aligned(original, sound, delayMsMax).subarray(3 * 48_000);
  const said = original.subarray(3 * 48_000);
  const gain = Math.sqrt(powerOf(said) / (powerOf(laid) + 1e-12));
  const heard = laid.map((sample) => sample * gain);
  return {
    stoi: stoi(resampled(said, stoiRateHz), resampled(heard, stoiRateHz)),
    distance: spectralDistance(resampled(said, spectralRateHz), resampled(heard, spectralRateHz)),
  };
}

function powerOf(samples: Float32Array): number {
  return samples.reduce((sum, sample) => sum + sample * sample, 0);
}

/** A mean of nothing yet. */
export function zero(): { stoi: number; distance: number } {
  return { stoi: 0, distance: 0 };
}

/** Adds one of `count` to their mean. */
export function add(sum: { stoi: number; distance: number }, one: Quality, count: number): void {
  sum.stoi += one.stoi / count;
  sum.distance += one.distance / count;
}

function rounded(value: number): number {
  return Math.round(value * 1e4) / 1e4;
}
