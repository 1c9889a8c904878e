import { describe, expect, it } from "vitest";
import { JitterBuffer } from "../../../p2p/core/jitter/buffer.ts";
import { millis } from "../../../p2p/api/ids.ts";
import { Rng } from "../../../p2p/core/rng.ts";
import { opusOf } from "./listener.ts";

const hourMs = 3_600_000;
/** How far the delay may be from its target: one step of the target, and one period that no packet could lose. */
const offTargetMs = 40;

/** Whose clock is wrong, in parts of a million. `stamps`: whether capture times drift as the samples do. */
interface Drift {
  readonly speaker: number;
  readonly device: number;
  readonly stamps: boolean;
}

/** Hours of one voice without a pause, over a network that scatters by some ms and loses nothing. */
function hours(count: number, { speaker, device, stamps }: Drift) {
  const rng = new Rng(`drift ${speaker} ${device}`);
  const buffer = new JitterBuffer();
  const packetMs = 40 / (1 + speaker / 1e6);
  const taken = { guesses: 0, silences: 0, delayMsMax: 0, delayMsMin: Infinity, stretched: 0 };
  let sequence = 0;
  let now = 0;
  let arrivesAt = 60;
  while (now < count * hourMs) {
    for (; arrivesAt <= now; sequence += 1) {
      const capturedAt = millis(1e9 + sequence * (stamps ? 40 : packetMs));
      buffer.push({ sequence, capturedAt, receivedAt: millis(arrivesAt), opus: opusOf(sequence) });
      arrivesAt = Math.max(arrivesAt, (sequence + 1) * packetMs + 60 + rng.next() * 8);
    }
    const step = buffer.pull(now);
    let ms = 20;
    if (step.kind === "play") {
      ms = 40;
      // A period of a voice is found in two packets of three, and is 4 to 10 ms.
      const period = 4 + rng.next() * 6;
      if (Math.abs(step.adjustMs) >= period && rng.next() < 0.66) {
        ms += Math.sign(step.adjustMs) * period;
        taken.stretched += 1;
      }
      const delayMs =
        now - (step.opus[1]! * 2 ** 24 + step.opus[2]! * 65_536 + step.opus[3]! * 256 + step.opus[4]!) * packetMs;
      if (now > 10_000) taken.delayMsMax = Math.max(taken.delayMsMax, delayMs);
      if (now > 10_000) taken.delayMsMin = Math.min(taken.delayMsMin, delayMs);
    } else if (step.kind === "silence") {
      ms = step.ms;
      if (now > 1000) taken.silences += 1;
    } else taken.guesses += 1;
    now += ms / (1 + device / 1e6);
  }
  return taken;
}

describe("clocks that drift apart", () => {
  it.each([
    { speaker: 100, device: 0, stamps: true },
    { speaker: -100, device: 0, stamps: true },
    { speaker: 100, device: -100, stamps: false },
    { speaker: -100, device: 100, stamps: false },
  ])("[JB10] for 8 hours nothing is guessed, and delay stays at its target: %o", (drift) => {
    const { guesses, silences, delayMsMax, delayMsMin, stretched } = hours(8, drift);
    expect([guesses, silences]).toEqual([0, 0]);
    // 60 ms on the way, 20 ms of target and its jitter.
    expect(delayMsMax).toBeLessThan(60 + 8 + 20 + offTargetMs);
    expect(delayMsMin).toBeGreaterThanOrEqual(60);
    // 2.9 s and more came or went, by periods of 7 ms.
    expect(stretched).toBeGreaterThan(250);
  });

  it("[JB10] what is not made good runs dry: the test would see it", () => {
    const buffer = new JitterBuffer();
    let sequence = 0;
    let guesses = 0;
    for (let now = 0; now < hourMs; now += 40) {
      for (; sequence * 40.004 + 60 <= now; sequence += 1) {
        const receivedAt = millis(sequence * 40.004 + 60);
        buffer.push({ sequence, capturedAt: millis(sequence * 40), receivedAt, opus: opusOf(sequence) });
      }
      const step = buffer.pull(now);
      if (step.kind === "conceal") guesses += 1;
    }
    expect(guesses).toBeGreaterThan(0);
  });
});
