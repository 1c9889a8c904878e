import { fixturePath, readAudio } from "../../audio/sounds.ts";
import { type Figure, figureOf } from "../figure.ts";
import { encoded, hearByWindow } from "./ears.ts";
import { bestConstantDelay, type Crossing, cross } from "./last-link.ts";
import { crossOverlay } from "./overlay-link.ts";

/** 80 s of one voice without a pause, for each seed. */
const packets = 2000;
/** Not those with which the constants of the jitter buffer were chosen: there each goal looks nearer than it is. */
const seeds = Array.from({ length: 6 }, (_, index) => `held out ${index}`);
const link = { packets, burst: 2, roundTripMs: 80, jitterMs: 5 } as const;
const goals = [
  { lossShare: 0.1, goal: 0.01 },
  { lossShare: 0.2, goal: 0.03 },
] as const;

/** Means over the seeds. */
interface Outcome {
  readonly guessedShare: number;
  /** Of the seed with the most. */
  readonly worstShare: number;
  readonly rebuiltShare: number;
  /** Buffer delay: capture to playing, less the fastest packet's way. */
  readonly delayMs: number;
  readonly bestConstantMs: number;
  readonly requestsPerPacket: number;
}

/**
 * T10, on real packets through the window's playout: over the real overlay, with the requests that it sends to parent and backup
 * over the same lossy line; and beside it the same line without requests, with and without copies.
 */
export async function measureLoss(): Promise<readonly Figure[]> {
  const opus = await encoded(await readAudio(fixturePath("speech.flac")), packets);
  const figures: Figure[] = [];
  for (const { lossShare, goal } of goals) {
    const line = (seed: string) => ({ ...link, seed, lossShare });
    const crossings = seeds.map((seed) => crossOverlay(line(seed), opus));
    const ours = await outcome(opus, crossings, true);
    const withoutCopies = await outcome(opus, crossings, false);
    const unasked = await outcome(
      opus,
      seeds.map((seed) => cross({ ...line(seed), requests: false })),
      true,
    );
    const loss = `${lossShare * 100} % loss in bursts of 2 both ways, 80 ms RTT`;
    figures.push(
      figureOf({
        id: "T10",
        what: `concealed ÷ spoken at ${loss}, over the overlay with its requests`,
        goal,
        better: "less",
        sides: {
          ours: rounded(ours.guessedShare),
          baseline: 1,
          worstSeed: rounded(ours.worstShare),
          withoutCopies: rounded(withoutCopies.guessedShare),
          withoutRequests: rounded(unasked.guessedShare),
          rebuilt: rounded(ours.rebuiltShare),
          requestsPerPacket: rounded(ours.requestsPerPacket),
        },
      }),
      figureOf({
        id: "T10",
        what: `buffer delay, ms ÷ the best constant one at equal share missing, at ${loss}`,
        goal: 1.15,
        better: "less",
        sides: {
          ours: rounded(ours.delayMs),
          baseline: rounded(ours.bestConstantMs),
          withoutRequests: rounded(unasked.delayMs),
        },
      }),
    );
  }
  return figures;
}

async function outcome(opus: readonly Uint8Array[], crossings: readonly Crossing[], fec: boolean): Promise<Outcome> {
  const sum = { guessedShare: 0, worstShare: 0, rebuiltShare: 0, delayMs: 0, bestConstantMs: 0, requestsPerPacket: 0 };
  for (const { trace, requestsSent } of crossings) {
    const { playedMs, rebuiltMs, guessedMs, delayMs } = await hearByWindow(opus, trace, fec);
    const wayMs = Math.min(...trace.map(({ capturedAt, receivedAt = Infinity }) => receivedAt - capturedAt));
    const allMs = playedMs + rebuiltMs + guessedMs;
    sum.guessedShare += guessedMs / allMs / seeds.length;
    sum.worstShare = Math.max(sum.worstShare, guessedMs / allMs);
    sum.rebuiltShare += rebuiltMs / allMs / seeds.length;
    sum.delayMs += (delayMs - wayMs) / seeds.length;
    sum.bestConstantMs += (bestConstantDelay(trace, guessedMs / allMs) - wayMs) / seeds.length;
    sum.requestsPerPacket += requestsSent / packets / seeds.length;
  }
  return sum;
}

function rounded(value: number): number {
  return Math.round(value * 1e4) / 1e4;
}
