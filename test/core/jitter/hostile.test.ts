import { describe, expect, it } from "vitest";
import { millis } from "../../../p2p/api/ids.ts";
import { JitterBuffer, type JitterStep } from "../../../p2p/core/jitter/buffer.ts";
import { Rng } from "../../../p2p/core/rng.ts";
import { opusOf } from "./listener.ts";

/** How long a step plays, ms. */
function msOf(step: JitterStep): number {
  return step.kind === "silence" || step.kind === "conceal" ? step.ms : 40;
}

const wild = [0, -1, 0.5, 40, -40, 3_600_000, -3_600_000, 1e12, -1e12, 8.64e15, -8.64e15, 1e300, NaN, Infinity];

describe("the jitter buffer and a hostile sender", () => {
  it("[JB8] whatever is pushed and pulled whenever, gives steps that play a while, and counts everything once", () => {
    const seen = new Set<string>();
    for (let seed = 0; seed < 120; seed += 1) {
      const rng = new Rng(`hostile ${seed}`);
      const buffer = new JitterBuffer();
      let now = 1e9;
      let pushed = 0;
      let sequence = rng.int(1000);
      let capturedAt = 5e9;
      for (let turn = 0; turn < 400; turn += 1) {
        for (let count = rng.int(4); count > 0; count -= 1) {
          sequence += [1, 1, 1, 1, 2, 5, -1, -3, 1000, -1000, 2 ** 31][rng.int(11)]!;
          capturedAt += rng.int(10) === 0 ? wild[rng.int(wild.length)]! : 40;
          if (!Number.isFinite(capturedAt)) capturedAt = 5e9;
          const given = rng.int(30) === 0 ? wild[rng.int(wild.length)]! : capturedAt;
          const opus = rng.int(10) === 0 ? new Uint8Array(rng.int(400)).fill(rng.int(256)) : opusOf(turn);
          const receivedAt = rng.int(50) === 0 ? wild[rng.int(wild.length)]! : now;
          buffer.push({ sequence, capturedAt: millis(given), receivedAt: millis(receivedAt), opus });
          pushed += 1;
        }
        const step = buffer.pull(now);
        seen.add(step.kind);
        expect(msOf(step)).toBeGreaterThan(0);
        expect(msOf(step)).toBeLessThanOrEqual(40);
        if (step.kind === "play") expect(Number.isFinite(step.adjustMs)).toBe(true);
        now += rng.int(100) === 0 ? rng.int(1e8) : msOf(step);
      }
      for (let turn = 0; turn < 3000 && !buffer.idle; turn += 1) now += msOf(buffer.pull(now)) * 10;
      const { framesPlayed, packetsLate, packetsDuplicate, packetsUnusable } = buffer.counts;
      const counted = framesPlayed / 2 + packetsLate + packetsDuplicate + packetsUnusable;
      expect(counted).toBeLessThanOrEqual(pushed);
      expect(buffer.targetMs).toBeGreaterThanOrEqual(10);
      expect(buffer.targetMs).toBeLessThanOrEqual(500);
    }
    expect([...seen].toSorted()).toEqual(["conceal", "play", "rebuild", "silence"]);
  });

  it("[JB8] at ten times the rate plays on, holds no more than it may, and recovers within 5 s of good manners", () => {
    const buffer = new JitterBuffer();
    let sequence = 0;
    let now = 0;
    const push = (count: number): void => {
      for (; count > 0; count -= 1, sequence += 1)
        buffer.push({ sequence, capturedAt: millis(sequence * 40), receivedAt: millis(now), opus: opusOf(sequence) });
    };
    for (; now < 20_000; now += 40) {
      push(10);
      buffer.pull(now);
    }
    expect(buffer.counts.framesPlayed).toBeGreaterThan(100);
    const pushedBefore = sequence;
    for (; now < 26_000; now += 40) {
      push(1);
      buffer.pull(now);
    }
    const before = buffer.counts.framesPlayed;
    for (; now < 30_000; now += 40) {
      push(1);
      buffer.pull(now);
    }
    expect(sequence - pushedBefore).toBe(250);
    expect(buffer.counts.framesPlayed - before).toBeGreaterThan(190);
  });

  it("[JB5] an hour of silence, then a word: it plays as the first one did", () => {
    const buffer = new JitterBuffer();
    let now = 0;
    let delayMs = NaN;
    const talk = (from: number, startMs: number): void => {
      for (let index = 0; index < 25; index += 1) {
        const capturedAt = startMs + index * 40;
        while (now < capturedAt + 50) now += msOf(buffer.pull(now));
        const sequence = from + index;
        buffer.push({
          sequence,
          capturedAt: millis(capturedAt),
          receivedAt: millis(capturedAt + 50),
          opus: opusOf(sequence),
        });
        const step = buffer.pull(now);
        if (step.kind === "play") delayMs = now - step.capturedAt;
        now += msOf(step);
      }
    };
    talk(0, 0);
    const first = delayMs;
    const { framesConcealed } = buffer.counts;
    talk(25, 3_600_000);
    expect(delayMs).toBeLessThan(first + 30);
    expect(buffer.counts).toMatchObject({ framesLost: 0, packetsLate: 0 });
    expect(buffer.counts.framesConcealed).toBeLessThanOrEqual(framesConcealed + 12);
  });

  it("[JB7] a listener's laptop that slept an hour: what waited is dropped, what comes plays at once", () => {
    const buffer = new JitterBuffer();
    let now = 0;
    const speak = (from: number, startMs: number): void => {
      for (let index = 0; index < 100; index += 1) {
        const sequence = from + index;
        const capturedAt = millis(startMs + index * 40);
        now = Math.max(now, startMs + index * 40 + 50);
        buffer.push({ sequence, capturedAt, receivedAt: millis(startMs + index * 40 + 50), opus: opusOf(sequence) });
        now += msOf(buffer.pull(now));
      }
    };
    speak(0, 0);
    // The speaker talked on; of all that nothing came but the present.
    now += 3_600_000;
    speak(90_100, 3_604_000);
    expect(buffer.counts.framesPlayed).toBeGreaterThan(380);
    expect(buffer.counts.packetsLate).toBeLessThan(8);
  });
});
