import { describe, expect, it } from "vitest";
import { limits } from "../../../p2p/api/limits.ts";
import { ReplayWindow, type ReplayVerdict } from "../../../p2p/core/packet/replay.ts";
import { Rng } from "../../../p2p/core/rng.ts";

/** What a window should say, by remembering everything. */
class NaiveWindow {
  readonly seen = new Set<number>();

  judge(sequence: number): ReplayVerdict {
    if (this.seen.size === 0) return "fresh";
    const newest = Math.max(...this.seen);
    if (sequence - newest > limits.packetsAheadMax) return "too-far";
    if (newest - sequence >= limits.replayWindowPackets) return "too-old";
    return this.seen.has(sequence) ? "duplicate" : "fresh";
  }

  accept(sequence: number): void {
    this.seen.add(sequence);
    // Nothing this old is ever looked up again; without this the reference takes minutes.
    for (const old of this.seen) if (old < sequence - 4 * limits.replayWindowPackets) this.seen.delete(old);
  }
}

const steps = [1, 1, 1, 1, 2, 5, 0, -1, -3, -20, -126, -127, -128, -129, -500, 60, 127, 128, 129, 3000, 15_000, 15_001];

describe("ReplayWindow", () => {
  it.each([0, 1, 1000, 2 ** 31 - 64, 2 ** 32 - 4_000_000])(
    "[PK9] [PK10] agrees with a set of everything seen, from sequence number %i",
    (start) => {
      const rng = new Rng(`replay ${start}`);
      const window = new ReplayWindow();
      const naive = new NaiveWindow();
      const verdicts = new Map<ReplayVerdict, number>();
      let newest = start;
      for (let run = 0; run < 5000; run++) {
        const step = steps[rng.int(steps.length)] ?? 1;
        const sequence = Math.max(0, Math.min(2 ** 32 - 1, newest + step));
        const verdict = window.judge(sequence);
        expect(verdict).toBe(naive.judge(sequence));
        expect(window.judge(sequence)).toBe(verdict);
        verdicts.set(verdict, (verdicts.get(verdict) ?? 0) + 1);
        if (verdict !== "fresh") continue;
        window.accept(sequence);
        naive.accept(sequence);
        newest = Math.max(newest, sequence);
      }
      // A run that never met the interesting cases proves nothing.
      for (const verdict of ["fresh", "duplicate", "too-old", "too-far"] as const) {
        expect(verdicts.get(verdict)).toBeGreaterThan(50);
      }
    },
  );

  it("[PK9] takes the whole window behind the newest once, in any order, and nothing older", () => {
    const window = new ReplayWindow();
    const newest = 10_000;
    window.accept(newest);
    for (let behind = limits.replayWindowPackets - 1; behind >= 1; behind--) {
      expect(window.judge(newest - behind)).toBe("fresh");
      window.accept(newest - behind);
      expect(window.judge(newest - behind)).toBe("duplicate");
    }
    expect(window.judge(newest - limits.replayWindowPackets)).toBe("too-old");
  });

  it("[PK10] forgets marks of a former round when it moves on by any distance", () => {
    for (const jump of [1, 127, 128, 129, 256, 15_000]) {
      const window = new ReplayWindow();
      for (let sequence = 0; sequence < 128; sequence++) window.accept(sequence);
      window.accept(127 + jump);
      for (let behind = 1; behind < Math.min(jump, 128); behind++) {
        expect(window.judge(127 + jump - behind)).toBe("fresh");
      }
      expect(window.judge(127)).toBe(jump < 128 ? "duplicate" : "too-old");
    }
  });
});
