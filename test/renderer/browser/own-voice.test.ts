import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { fixturePath, readAudio } from "../../audio/sounds.ts";
import { eventually } from "../../eventually.ts";
import type { Harness } from "../../e2e/sound-page/page.ts";
import { SoundPages } from "../../e2e/sound-pages.ts";

declare const harness: Harness;

let pages: SoundPages;
let speech: Float32Array;
beforeAll(async () => {
  speech = await readAudio(fixturePath("speech.flac"));
  pages = await SoundPages.build();
});
afterEach(() => pages.closePages());
afterAll(() => pages.close());

describe("one's own voice in a real browser", () => {
  it.each([{ isolated: true }, { isolated: false }])(
    "is recorded and played to oneself, and no packet leaves (shared memory: $isolated)",
    async ({ isolated }) => {
      const page = await pages.open({ speech, mayCapture: true, mayPlay: true, isolated, begin: "unprocessed" });
      const result = await page.evaluate(async () => {
        harness.connect({ seed: "own", lossShare: 0, jitterMs: 0 });
        await harness.microphone.start();
        const recording = (await harness.microphone.record(1500)) ?? new Float32Array();
        await harness.speakers.playBack(recording);
        const early = harness.microphone.record(10_000);
        await new Promise<void>((resolve) => {
          harness.microphone.onLevel((level) => level > 0 && resolve());
        });
        harness.microphone.endRecording();
        return {
          samples: recording.length,
          loudest: recording.reduce((most, sample) => Math.max(most, Math.abs(sample)), 0),
          early: (await early)?.length ?? 0,
          packets: harness.packets().length,
        };
      });
      expect(result).toMatchObject({ samples: 72_000, packets: 0 });
      expect(result.loudest).toBeGreaterThan(0.05);
      expect(result.early).toBeGreaterThan(0);
      expect(result.early).toBeLessThan(480_000);
    },
  );

  it("leaves masked, with packets as even as without, and can be unmasked in mid-word", async () => {
    const page = await pages.open({ speech, mayCapture: true, mayPlay: true, isolated: true, begin: "unprocessed" });
    await page.evaluate(async () => {
      harness.connect({ seed: "mask", lossShare: 0, jitterMs: 0 });
      harness.microphone.setMasked(true);
      await harness.speakers.start();
      await harness.microphone.start();
      harness.microphone.setMuted(false);
    });
    await page.waitForFunction(() => harness.packets().length >= 100 && harness.heardLevelMax() > 0.4);
    // A busy machine starves the microphone itself now and then: the latest packets are looked at until they are even.
    await eventually(async () => {
      const packets = (await page.evaluate(() => harness.packets())).slice(-51);
      const steps = packets.slice(1).map(({ capturedAt }, index) => capturedAt - packets[index]!.capturedAt);
      expect(steps.filter((step) => step < 35 || step > 45).length).toBeLessThan(steps.length / 10);
    }, 1000);
    const masked = await page.evaluate(() => {
      harness.microphone.setMasked(false);
      return harness.packets().length;
    });
    await page.waitForFunction((count) => harness.packets().length >= count + 50, masked);
    expect(await page.evaluate(() => harness.microphoneFaults())).toEqual([]);
  });
});
