import type { Rng } from "../../p2p/core/rng.ts";

/** How somebody goes: with a goodbye, or as a laptop that loses its power. */
export type Ending = "leave" | "crash";

/** Everybody there is, and when; milliseconds since the room was full. */
export interface Stay {
  readonly kind: "host" | "heir" | "relay" | "speaker" | "listener";
  /** Which of its kind: whoever comes after somebody in the same seat replaces them. */
  readonly seat: number;
  readonly fromMs: number;
  /** The end of the run for those who see it. */
  readonly toMs: number;
  readonly ending: Ending;
}

/** How large a soak is. */
export interface SoakSize {
  readonly durationMs: number;
  readonly relays: number;
  readonly listeners: number;
}

/** Ungraceful exits, as GOALS.md's churn has them. */
const crashShare = 0.4;
/** Spread of how long people stay (sigma of a log-normal): most look in for a moment, some stay all evening. */
const staySigma = 1;
/** Median stay, as a share of the run, and its bounds. */
const stayShare = 1 / 20;
const stayMsMin = 3000;
const stayMsMax = 180_000;
/** Until somebody else takes an empty seat. */
const vacantMs = 700;
/** A relay that is gone is started again by whoever runs it after this share of the run, and at most after so long. */
const awayShare = 1 / 40;
const awayMsMax = 8000;
/** A host looks again for a relay that was gone after 20 s and a quarter more ([OV7]): two must not be lost to it at once. */
const relayPaceMs = 30_000;
const speakers = 2;
/** Shares of the run: the stage changes hands, then relays come anew, then the host is gone for good, and its first heir. */
const stageShare = 0.12;
const relayShare = 0.22;
const hostShare = 0.45;
const heirShare = 0.5;
/** Somebody who was never there before wants the stage when only heirs can give it. */
const lateSpeakerShare = 0.6;
/** Two listeners come in the middle and stay to the end, so that what grows slowly is seen. */
const residents = 2;
const residentShare = 0.4;

/**
 * The churn of one run: listeners come, look in and go, with or without a goodbye; by the middle of it nobody is left of
 * those who began it, the host included, and every relay has been a new process.
 */
export function scheduleOf({ durationMs, relays, listeners }: SoakSize, rng: Rng): Stay[] {
  const stays: Stay[] = [
    { kind: "host", seat: 0, fromMs: 0, toMs: durationMs * hostShare, ending: "crash" },
    { kind: "heir", seat: 0, fromMs: 0, toMs: durationMs * heirShare, ending: "leave" },
    { kind: "heir", seat: 1, fromMs: durationMs * stageShare, toMs: durationMs, ending: "leave" },
  ];
  for (let seat = 0; seat < speakers; seat++) {
    const at = durationMs * (stageShare + 0.05 * seat);
    // The next one is there before the last one is silent.
    const overlapMs = Math.min(5000, durationMs * 0.05);
    stays.push({ kind: "speaker", seat, fromMs: 0, toMs: at + overlapMs, ending: seat === 0 ? "leave" : "crash" });
    stays.push({ kind: "speaker", seat, fromMs: at, toMs: durationMs, ending: "leave" });
  }
  const late = { fromMs: durationMs * lateSpeakerShare, toMs: durationMs, ending: "leave" } as const;
  stays.push({ kind: "speaker", seat: speakers, ...late });
  for (let seat = 0; seat < relays; seat++) stays.push(...relayStays(seat, relays, durationMs));
  for (let seat = 0; seat < listeners; seat++) stays.push(...listenerStays(seat, durationMs, rng));
  return stays;
}

/** Each relay is started anew once in the first half, if that is long enough for all; the first goes on doing so. */
function relayStays(seat: number, relays: number, durationMs: number): Stay[] {
  const awayMs = Math.min(awayMsMax, durationMs * awayShare);
  const paceMs = Math.max(relayPaceMs, (durationMs * (hostShare - relayShare)) / (relays + 1));
  const first = durationMs * relayShare + paceMs * seat;
  const later = paceMs > relayPaceMs && seat === 0 ? [0.6, 0.75, 0.9].map((share) => durationMs * share) : [];
  const ends = first < durationMs * hostShare ? [first, ...later] : [];
  let fromMs = 0;
  const stays = ends.map((toMs, index): Stay => {
    const stay: Stay = { kind: "relay", seat, fromMs, toMs, ending: (seat + index) % 2 === 0 ? "crash" : "leave" };
    fromMs = toMs + awayMs;
    return stay;
  });
  return [...stays, { kind: "relay", seat, fromMs, toMs: durationMs, ending: "leave" }];
}

function listenerStays(seat: number, durationMs: number, rng: Rng): Stay[] {
  const stays: Stay[] = [];
  const medianMs = Math.min(stayMsMax, Math.max(stayMsMin, durationMs * stayShare));
  let fromMs = 0;
  while (fromMs < durationMs - stayMsMin) {
    const isResident = seat < residents && fromMs >= durationMs * residentShare - 1;
    const heavyMs = Math.max(stayMsMin, medianMs * Math.exp(staySigma * normal(rng)));
    // Nobody who saw the beginning sees the second half.
    const latest = fromMs < durationMs * residentShare ? durationMs * residentShare : durationMs;
    const stayMs = isResident ? durationMs - fromMs : Math.min(heavyMs, latest - fromMs);
    const toMs = fromMs + stayMs;
    const ending = toMs < durationMs && rng.next() < crashShare ? "crash" : "leave";
    stays.push({ kind: "listener", seat, fromMs, toMs, ending });
    fromMs = toMs + vacantMs;
  }
  return stays;
}

/** Box and Muller. */
function normal(rng: Rng): number {
  return Math.sqrt(-2 * Math.log(1 - rng.next())) * Math.cos(2 * Math.PI * rng.next());
}
