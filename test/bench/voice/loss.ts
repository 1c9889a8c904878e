import { fixturePath, readAudio } from "../../audio/sounds.ts";
import { type Figure, figureOf } from "../figure.ts";
import { encoded, hearByWindow } from "./ears.ts";
import { bestConstantDelay, cross } from "./last-link.ts";

/** Two minutes of one voice without a pause, for each seed. */
const packets = 3000;
/** Not those with which the constants of the jitter buffer were chosen: there each goal looks nearer than it is. */
const seeds = Array.from({ length: 12 }, (_, index) => `held out ${index}`);
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
 * T10, on real packets through the window's playout: without requests for missing packets, which is what the overlay
 * sends today, and with those of `core/jitter/requests.ts`, which it does not send yet.
 */
export async function measureLoss(): Promise<readonly Figure[]> {
  const opus = await encoded(await readAudio(fixturePath("speech.flac")), packets);
  const figures: Figure[] = [];
  for (const { lossShare, goal } of goals) {
    for (const requests of [false, true]) {
      const ours = await outcome(opus, lossShare, requests);
      const without = await outcome(opus, lossShare, requests, false);
      const how = requests
        ? "with requests to parent and backup as core/jitter/requests.ts makes them (the overlay does not send them yet)"
        : "with copies in the next packet alone, as sent today: of two lost in a row the first has no copy";
      const loss = `${lossShare * 100} % loss in bursts of 2, 80 ms RTT`;
      figures.push(
        figureOf({
          id: "T10",
          what: `concealed ÷ spoken at ${loss}, ${how}`,
          goal,
          better: "less",
          sides: {
            ours: rounded(ours.guessedShare),
            baseline: 1,
            worstSeed: rounded(ours.worstShare),
            withoutFec: rounded(without.guessedShare),
            rebuilt: rounded(ours.rebuiltShare),
            requestsPerPacket: rounded(ours.requestsPerPacket),
          },
        }),
        figureOf({
          id: "T10",
          what: `buffer delay, ms ÷ the best constant one at equal share missing, at ${loss}, ${requests ? "with" : "without"} requests`,
          goal: 1.15,
          better: "less",
          sides: { ours: rounded(ours.delayMs), baseline: rounded(ours.bestConstantMs) },
        }),
      );
    }
  }
  return figures;
}

async function outcome(
  opus: readonly Uint8Array[],
  lossShare: number,
  requests: boolean,
  fec = true,
): Promise<Outcome> {
  const sum = { guessedShare: 0, worstShare: 0, rebuiltShare: 0, delayMs: 0, bestConstantMs: 0, requestsPerPacket: 0 };
  for (const seed of seeds) {
    const { trace, requestsSent } = cross({ ...link, seed, lossShare, requests });
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
