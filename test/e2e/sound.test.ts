import type { Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from "vitest";
import { compareSpeech } from "../audio/compare.ts";
import { fixturePath, readAudio } from "../audio/sounds.ts";
import { isVoicePacket, lowPacketBytes, voicePacketBytes } from "../../p2p/core/jitter/opus-packet.ts";
import type { Harness } from "./sound-page/page.ts";
import { SoundPages } from "./sound-pages.ts";

declare const harness: Harness;

const open = { mayCapture: true, mayPlay: true, isolated: true, begin: "processed" } as const;
/** A busy machine may tear a hole into any stretch of sound: then a new one is tried, until time is up. */
const patience = { timeout: 150_000, interval: 3000 };
/** 2.5 s: some eight words, which no other part of the speech resembles. */
const stretchSamples = 120_000;
let pages: SoundPages;
let speech: Float32Array;

beforeAll(async () => {
  speech = await readAudio(fixturePath("speech.flac"));
  pages = await SoundPages.build();
});

afterEach(() => pages.closePages());

afterAll(() => pages.close());

async function talk(page: Page): Promise<void> {
  await page.evaluate(async () => {
    harness.connect({ seed: "sound", lossShare: 0.05, jitterMs: 15 });
    await harness.speakers.start();
    await harness.microphone.start();
    harness.microphone.setMuted(false);
  });
}

/** What the loudspeakers played in the latest `ms`. */
async function played(page: Page, ms: number): Promise<Float32Array> {
  const bytes = Buffer.from(await page.evaluate((count) => harness.recording(count), ms * 48), "base64");
  return Float32Array.from({ length: bytes.length / 2 }, (_, index) => bytes.readInt16LE(index * 2) / 32_767);
}

describe("sound in a real browser", () => {
  it.each([
    { title: "over shared memory", isolated: true },
    { title: "over ports where memory may not be shared", isolated: false },
  ])("what is said comes out again, through 5 % loss and jitter, $title", async ({ isolated }) => {
    const page = await pages.open({ ...open, speech, isolated, begin: "unprocessed" });
    expect(await page.evaluate(() => harness.isolated())).toBe(isolated);
    await talk(page);
    await vi.waitFor(async () => {
      expect(await page.evaluate(() => harness.recordedMs())).toBeGreaterThan(9000);
      const recording = await played(page, 8000);
      const starts = Array.from({ length: 12 }, (_, half) => half * 24_000);
      const stretches = starts.map((at) => compareSpeech(speech, recording.subarray(at, at + stretchSamples), 48_000));
      const whole = stretches.filter(({ heardMs, worstGapMs }) => heardMs > 2000 && worstGapMs <= 100);
      expect(Math.max(...whole.map(({ envelopeCorrelation }) => envelopeCorrelation))).toBeGreaterThanOrEqual(0.95);
    }, patience);
    // Loudspeakers that dropped sound on a busy machine are opened anew, and count anew.
    await page.waitForFunction(() => {
      const { speaker } = harness.stats();
      return speaker && speaker.framesRebuilt > 0 && speaker.framesPlayed > 200 && (speaker.latencyMs ?? 0) > 0;
    });
    const level = await page.evaluate(() => harness.heardLevelMax());
    expect(level).toBeGreaterThan(0.5);
  });

  it("every packet is 40 ms in exactly 120 bytes, and 45 in the low layer, and mute holds back all of them at once", async () => {
    const page = await pages.open({ ...open, speech });
    await talk(page);
    await page.waitForFunction(() => harness.packets().length >= 50);
    const mutedAt = await page.evaluate(() => {
      harness.microphone.setMuted(true);
      return harness.now();
    });
    const before = await page.evaluate(() => harness.recordedMs());
    await page.waitForFunction((ms) => harness.recordedMs() > ms + 1000, before);
    const packets = await page.evaluate(() => harness.packets());
    expect(packets.filter(({ at }) => at > mutedAt)).toEqual([]);
    for (const { opus } of packets) expect(isVoicePacket(Uint8Array.from(opus))).toBe(true);
    expect(new Set(packets.map(({ opus }) => opus.length))).toEqual(new Set([voicePacketBytes]));
    expect(new Set(packets.map(({ low }) => low.length))).toEqual(new Set([lowPacketBytes]));
    const steps = packets.slice(1).map(({ capturedAt }, index) => capturedAt - packets[index]!.capturedAt);
    expect(Math.min(...steps)).toBeGreaterThan(0);
    expect(await page.evaluate(() => harness.microphone.level)).toBe(0);
    await page.evaluate(() => harness.microphone.setMuted(false));
    await page.waitForFunction((count) => harness.packets().length > count + 25, packets.length);
  });

  it("before joining the level moves and no packet leaves", async () => {
    const page = await pages.open({ ...open, speech });
    await page.evaluate(async () => {
      harness.connect({ seed: "meter", lossShare: 0, jitterMs: 0 });
      harness.microphone.setMetering(true);
      await harness.microphone.start();
    });
    await page.waitForFunction(() => harness.levels().filter(({ level }) => level > 0.3).length >= 20);
    expect(await page.evaluate(() => harness.packets().length)).toBe(0);
    expect(await page.evaluate(() => harness.microphone.devices.map(({ label }) => label))).toContain(
      "Fake Audio Input 1",
    );
  });

  it("a microphone that goes away in mid-word is said at once, and another takes over", async () => {
    const page = await pages.open({ ...open, speech });
    await page.evaluate(() => harness.watchTracks());
    await talk(page);
    await page.waitForFunction(() => harness.packets().length >= 10);
    await page.evaluate(() => harness.unplug());
    await page.waitForFunction(() => harness.microphoneFaults().length >= 2);
    expect(await page.evaluate(() => harness.microphoneFaults())).toEqual(["microphone-unplugged", undefined]);
    const count = await page.evaluate(() => harness.packets().length);
    await page.waitForFunction((before) => harness.packets().length > before + 25, count);
  });

  it("a microphone that goes away while it is being opened keeps nobody waiting, and another takes over", async () => {
    const page = await pages.open({ ...open, speech });
    await page.evaluate(() => harness.watchTracks(true));
    await talk(page);
    await page.waitForFunction(() => harness.packets().length >= 10);
    expect(await page.evaluate(() => harness.microphoneFaults())).toEqual(["microphone-unplugged", undefined]);
  });

  it.each([
    { title: "no microphone", options: open, fault: "no-microphone" },
    { title: "permission denied", options: { ...open, mayCapture: false }, fault: "microphone-denied" },
  ])("$title is a fault with a sentence", async ({ options, fault }) => {
    const page = await pages.open(fault === "no-microphone" ? options : { ...options, speech });
    expect(
      await page.evaluate(async () => {
        await harness.microphone.start();
        return harness.microphone.fault;
      }),
    ).toEqual({ code: fault, sentence: `sound.${fault}` });
  });

  it("sound that waits for a click says so, and comes with the click", async () => {
    const said: string[] = [];
    const onConsole = (text: string): void => void said.push(text);
    const page = await pages.open({ ...open, mayPlay: false, begin: "start", onConsole });
    await vi.waitFor(() => expect(said).toContain("speaker-blocked"), patience);
    await page.evaluate(() => {
      document.querySelector("button")!.addEventListener("click", () => void harness.speakers.start());
    });
    await page.click("button");
    // This computer may have no loudspeaker at all, which is said then.
    await page.waitForFunction(() => harness.speakers.fault?.code !== "speaker-blocked");
  });
});
