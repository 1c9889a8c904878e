import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { buildWindow, isBuildStale } from "../../../p2p/cli/window-build.ts";
import { compareSpeech } from "../../audio/compare.ts";
import { fixturePath, readAudio } from "../../audio/sounds.ts";
import type { TeahouseProcess } from "../processes.ts";
import { Processes } from "../rooms.ts";
import { engineOf } from "./engine-of.ts";
import { forget, lastSoundAt, recorded, takeRecording } from "./tap.ts";
import { addressOf, FakePerson, type RoomWindow, words } from "./windows.ts";

const rate = 48_000;
/** Of the 8 s clip in a loop: some five words. The latest 4 s hold such a stretch at six places. */
const stretchMs = 1500;
const latestMs = 4000;
/** A busy machine may tear a hole into any stretch of sound: the latest one is looked at again, until time is up. */
const patience = { timeout: 120_000, interval: 1000 };
/** And it may be late with any one packet. */
const mutesMax = 5;
/** What is aimed at, and printed beside what was seen; when it is reached, no further mute is tried. */
const muteMsAim = 300;
/** What holds on a busy machine too: within the recording there is silence after a mute, and nobody waits in vain. */
const muteMsMax = 3500;
const comebackMsMax = 60_000;
const correlationMin = 0.95;
/** Longer than a stopped microphone comes back by itself. */
const sleepMs = 11_000;

const processes = new Processes();
let speech: Float32Array;
let hostShell: TeahouseProcess;
let guestShell: TeahouseProcess;
let host: FakePerson;
let guest: FakePerson;
let hostWindow: RoomWindow;
let guestWindow: RoomWindow;
let guestAddress: string;

beforeAll(async () => {
  if (await isBuildStale()) await buildWindow();
  speech = await readAudio(fixturePath("speech.flac"));
  // As on a machine without a display.
  [hostShell, guestShell] = [processes.start(["--no-open", "--no-dht"]), processes.start(["--no-open", "--no-dht"])];
  [host, guest] = await Promise.all([FakePerson.start(speech), FakePerson.start(speech)]);
});

afterAll(async () => {
  await Promise.all([host?.end(), guest?.end()]);
  await processes.end();
});

/** Resolves once what a window plays has been faithful to the speech for a stretch. */
async function hears({ page }: RoomWindow): Promise<void> {
  await forget(page);
  await recorded(page, stretchMs);
  await vi.waitFor(async () => {
    const { samples } = await takeRecording(page, "ear", latestMs);
    const [step, length] = [rate / 2, (stretchMs * rate) / 1000];
    let most = -1;
    for (let at = 0; at + length <= samples.length && most < correlationMin; at += step) {
      const { envelopeCorrelation, heardMs } = compareSpeech(speech, samples.slice(at, at + length), rate);
      // Anything is like a syllable or two.
      if (heardMs > stretchMs * 0.7) most = Math.max(most, envelopeCorrelation);
    }
    expect(most).toBeGreaterThanOrEqual(correlationMin);
  }, patience);
}

/** How long somebody is still heard after the click that mutes them; the best of a few. They are unmuted before and after. */
async function silenceMs(speaker: RoomWindow, listener: RoomWindow): Promise<number> {
  let best = Infinity;
  for (let attempt = 0; attempt < mutesMax && best > muteMsAim; attempt += 1) {
    await forget(listener.page);
    await recorded(listener.page, 1500);
    await speaker.button("bar.mute").click();
    const clickAt = await speaker.page.evaluate(() => window.tap.clickAt);
    await recorded(listener.page, 4000);
    best = Math.min(best, lastSoundAt(await takeRecording(listener.page)) - clickAt);
    await speaker.button("bar.unmute").click();
  }
  console.log(`heard until ${Math.round(best)} ms after the click that muted (aim: ${muteMsAim})`);
  return best;
}

describe("two windows and three relays", () => {
  it("a room is made from pasted cards, joined by the pasted invite, and the stage is given to a raised hand", async () => {
    const relays = await Promise.all([processes.relay(), processes.relay(), processes.relay()]);
    const cards = relays.map(({ card }) => card);
    const address = await addressOf(hostShell);
    const startedAt = Date.now();
    hostWindow = await host.open(address);
    await hostWindow.button("make.begin").waitFor();
    const interactiveAt = await hostWindow.page.evaluate(() => window.tap.interactiveAt);
    console.log(`from navigation to the first control: ${Math.round((interactiveAt ?? NaN) - startedAt)} ms`);
    guestAddress = await addressOf(guestShell);
    guestWindow = await guest.open(guestAddress);
    await hostWindow.makeRoom("Night talk", cards, "Mei");
    await guestWindow.join(await hostWindow.invite(), "Tenzin");
    await guestWindow.button("bar.hand-up").click();
    await hostWindow.button("hands.admit").click();
    await guestWindow.button("bar.unmute").waitFor();
    await hostWindow.seat("Tenzin").waitFor();
    await guestWindow.seat("Mei").waitFor();
    expect(await hostWindow.page.locator("li.seat").count()).toBe(2);
    expect(await guestWindow.identityOf("Mei")).toBe(await hostWindow.identityOf("Mei"));
  });

  it("each hears the other, and nothing more soon after a mute", async () => {
    await hostWindow.button("bar.unmute").click();
    await hears(guestWindow);
    await hostWindow.button("bar.mute").click();
    await guestWindow.button("bar.unmute").click();
    await hears(hostWindow);
    expect(await silenceMs(guestWindow, hostWindow)).toBeLessThanOrEqual(muteMsMax);
  });

  it("a computer that sleeps with an open microphone wakes muted, says why, sends nothing and hears on", async () => {
    const asleep = [...(await guest.processes()), guestShell.pid, await engineOf(guestShell)];
    const signal = (name: "SIGSTOP" | "SIGCONT"): void => asleep.forEach((pid) => process.kill(pid, name));
    await hostWindow.button("bar.unmute").click();
    signal("SIGSTOP");
    await new Promise((resolve) => setTimeout(resolve, sleepMs));
    // The last word has died away.
    await forget(hostWindow.page);
    signal("SIGCONT");
    await guestWindow.page.getByText(words("voice.slept-hint"), { exact: true }).waitFor();
    await guestWindow.button("bar.unmute").waitFor();
    await hears(guestWindow);
    const { samples } = await takeRecording(hostWindow.page);
    expect(samples.reduce((loudest, sample) => Math.max(loudest, Math.abs(sample)), 0)).toBeLessThan(0.001);
  });

  it("a window that is closed and opened again is in the room, on stage and muted", async () => {
    const identity = await hostWindow.identityOf("Tenzin");
    await guestWindow.page.close();
    guestWindow = await guest.open(new URL(guestAddress).origin);
    await guestWindow.seat("Mei").waitFor();
    await guestWindow.button("bar.unmute").click();
    expect(await hostWindow.identityOf("Tenzin")).toBe(identity);
  });

  it("an engine that is killed comes back soon as the same person, and is heard again", async () => {
    const identity = await hostWindow.identityOf("Tenzin");
    const back = guestShell.following("joined");
    const killedAt = performance.now();
    process.kill(await engineOf(guestShell), "SIGKILL");
    await back;
    const backMs = performance.now() - killedAt;
    console.log(`back in the room ${Math.round(backMs)} ms after its engine was killed (aim: 3000)`);
    expect(backMs).toBeLessThanOrEqual(comebackMsMax);
    await hears(hostWindow);
    expect(await hostWindow.identityOf("Tenzin")).toBe(identity);
    expect(await hostWindow.page.locator("li.seat").count()).toBe(2);
  });

  it("a wrong address, a used one and a second window are told so, and the second window can take over", async () => {
    const { origin } = new URL(guestAddress);
    const stranger = await host.context.newPage();
    for (const address of [`${origin}/open/${"A".repeat(43)}`, guestAddress]) {
      const answer = await stranger.goto(address);
      expect(answer?.status()).toBe(403);
      expect(await stranger.locator("p").textContent()).toMatch(/^This address is wrong or was used already; /);
    }
    expect((await stranger.goto(origin))?.status()).toBe(403);
    await stranger.close();
    const second = await guest.open(origin);
    await second.heading("ended.second-window").waitFor();
    await second.button("ended.take-over").click();
    await second.seat("Mei").waitFor();
    await guestWindow.heading("ended.replaced").waitFor();
  });
});
