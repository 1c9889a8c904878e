import { readFile } from "node:fs/promises";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { buildWindow, isBuildStale } from "../../../p2p/cli/window-build.ts";
import { fixturePath, readAudio } from "../../audio/sounds.ts";
import type { TeahouseProcess } from "../processes.ts";
import { Processes } from "../rooms.ts";
import { addressOf, FakePerson, type RoomWindow } from "./windows.ts";

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

/** Resolves once what somebody says arrives in time at the engine of another window. */
async function hears(shell: TeahouseProcess): Promise<void> {
  const { framesOnTime } = await shell.following("stats");
  await shell.following("stats", (line) => Number(line["framesOnTime"]) > Number(framesOnTime) + 50);
}

/** The process that a shell's engine runs in. */
async function engineOf(shell: TeahouseProcess): Promise<number> {
  const children = await readFile(`/proc/${shell.pid}/task/${shell.pid}/children`, "utf8");
  for (const pid of children.trim().split(" ").map(Number)) {
    if ((await readFile(`/proc/${pid}/cmdline`, "utf8")).includes("engine-process")) return pid;
  }
  throw new Error("the shell has no engine");
}

describe("two windows and three relays", () => {
  it("a room is made from pasted cards, joined by the pasted invite, and the stage is given to a raised hand", async () => {
    const relays = await Promise.all([processes.relay(), processes.relay(), processes.relay()]);
    const cards = relays.map(({ card }) => card);
    hostWindow = await host.open(await addressOf(hostShell));
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
  });

  it("each hears the other", async () => {
    await hostWindow.button("bar.unmute").click();
    await hears(guestShell);
    await guestWindow.button("bar.unmute").click();
    await hears(hostShell);
    expect(Number(guestShell.last("stats")?.["framesSent"])).toBeGreaterThan(0);
  });

  it("a window that is closed and opened again is in the room, on stage and muted", async () => {
    const identity = await hostWindow.identityOf("Tenzin");
    await guestWindow.page.close();
    guestWindow = await guest.open(new URL(guestAddress).origin);
    await guestWindow.seat("Mei").waitFor();
    await guestWindow.button("bar.unmute").click();
    expect(await hostWindow.identityOf("Tenzin")).toBe(identity);
  });

  it("an engine that is killed comes back as the same person", async () => {
    const identity = await hostWindow.identityOf("Tenzin");
    const back = guestShell.following("joined");
    process.kill(await engineOf(guestShell), "SIGKILL");
    await back;
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
