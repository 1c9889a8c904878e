import { readFile } from "node:fs/promises";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { buildWindow, isBuildStale } from "../../../p2p/cli/window-build.ts";
import { compareSpeech } from "../../audio/compare.ts";
import { fixturePath, readAudio } from "../../audio/sounds.ts";
import type { TeahouseProcess } from "../processes.ts";
import { Processes } from "../rooms.ts";
import { forget, lastSoundAt, recorded, takeRecording } from "./tap.ts";
import { addressOf, FakePerson, RoomWindow } from "./windows.ts";

const rate = 48_000;
/** A busy machine may tear a hole into any stretch of sound; so many are tried. */
const stretchesMax = 4;
const stretchMs = 6000;

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
  [hostShell, guestShell] = [shell(), shell()];
  [host, guest] = await Promise.all([FakePerson.start(speech), FakePerson.start(speech)]);
});

afterAll(async () => {
  await Promise.all([host?.end(), guest?.end()]);
  await processes.end();
});

/** `npm start`, as it is on a machine without a display. */
function shell(): TeahouseProcess {
  return processes.start(["--no-open", "--no-dht"]);
}

/** How faithful the best of a few stretches of what a window plays is to the speech. */
async function fidelityAt({ page }: RoomWindow): Promise<number> {
  let best = 0;
  for (let stretch = 0; stretch < stretchesMax && best < 0.95; stretch += 1) {
    await forget(page);
    await recorded(page, stretchMs);
    const { samples } = await takeRecording(page);
    best = Math.max(best, compareSpeech(speech, samples, rate).envelopeCorrelation);
  }
  return best;
}

describe("two windows and three relays", () => {
  it("a room is made from pasted cards, joined by the pasted invite, and the stage is given to a raised hand", async () => {
    const relays = await Promise.all([processes.relay(), processes.relay(), processes.relay()]);
    hostWindow = await host.open(await addressOf(hostShell));
    guestAddress = await addressOf(guestShell);
    guestWindow = await guest.open(guestAddress);
    await hostWindow.makeRoom("Night talk", relays.map(({ card }) => card), "Mei");
    await guestWindow.join(await hostWindow.invite(), "Tenzin");
    await guestWindow.button("Raise your hand").click();
    await hostWindow.button("Let speak").click();
    await guestWindow.button("Unmute").waitFor();
    await hostWindow.seat("Tenzin").waitFor();
    await guestWindow.seat("Mei").waitFor();
  });

  it("each hears the other", async () => {
    await hostWindow.button("Unmute").click();
    expect(await fidelityAt(guestWindow)).toBeGreaterThanOrEqual(0.95);
    await hostWindow.button("Mute").click();
    await guestWindow.button("Unmute").click();
    expect(await fidelityAt(hostWindow)).toBeGreaterThanOrEqual(0.95);
  });
});
