import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { buildWindow, isBuildStale } from "../../../p2p/cli/window-build.ts";
import { fixturePath, readAudio } from "../../audio/sounds.ts";
import { Processes } from "../rooms.ts";
import { addressOf, FakePerson, type RoomWindow, words } from "./windows.ts";

/** A machine that does much else is late with everything. */
const patience = { timeout: 30_000, interval: 250 };

const processes = new Processes();
let host: FakePerson;
let guest: FakePerson;
let hostWindow: RoomWindow;
let guestWindow: RoomWindow;

beforeAll(async () => {
  if (await isBuildStale()) await buildWindow();
  const speech = await readAudio(fixturePath("speech.flac"));
  const shells = [processes.start(["--no-open", "--no-dht"]), processes.start(["--no-open", "--no-dht"])] as const;
  [host, guest] = await Promise.all([FakePerson.start(speech), FakePerson.start(speech)]);
  hostWindow = await host.open(await addressOf(shells[0]));
  guestWindow = await guest.open(await addressOf(shells[1]));
});

afterAll(async () => {
  await Promise.all([host?.end(), guest?.end()]);
  await processes.end();
});

/** Opens the card of somebody on stage and does this about them. */
async function about(name: string, deed: string): Promise<void> {
  await hostWindow.seat(name).getByRole("button").click();
  await hostWindow.button(deed).click();
}

const whatMicrophoneSays = (): Promise<string | null> => guestWindow.page.locator(".bar-words strong").textContent();

describe("an evening with somebody who keeps order", () => {
  it("a hand goes up, is admitted, and whoever is on stage is muted for everybody and allowed again", async () => {
    const relay = await processes.relay();
    await hostWindow.makeRoom("Night talk", [relay.card], "Mei");
    await guestWindow.join(await hostWindow.invite(), "Tenzin");
    await guestWindow.button("bar.hand-up").click();
    await hostWindow.button("hands.admit").click();
    await guestWindow.button("bar.unmute").click();
    await hostWindow.seat("Tenzin").waitFor();
    await about("Tenzin", "deed.mute");
    await vi.waitFor(async () => expect(await whatMicrophoneSays()).toBe(words("voice.kept")), patience);
    await guestWindow.button("bar.unmute").click();
    expect(await whatMicrophoneSays()).toBe(words("voice.kept"));
    await about("Tenzin", "deed.unmute");
    await vi.waitFor(async () => expect(await whatMicrophoneSays()).toBe(words("voice.muted")), patience);
  });

  it("both read the same code for each other", async () => {
    const codeOf = async (window: RoomWindow, name: string): Promise<string> => {
      await window.seat(name).getByRole("button").click();
      await window.button("verify.open").click();
      const code = await window.page.locator(".code").innerText();
      await window.page.keyboard.press("Escape");
      return code.replace(/\s/g, "");
    };
    const code = await codeOf(hostWindow, "Tenzin");
    expect(code).toMatch(/^\d{8,}$/);
    expect(await codeOf(guestWindow, "Mei")).toBe(code);
  });

  it("somebody is asked down, on stage again, and out; the window of who was asked to leave says so", async () => {
    await about("Tenzin", "deed.to-audience");
    await guestWindow.button("bar.hand-up").waitFor();
    await hostWindow.seat("Tenzin").waitFor({ state: "detached" });
    await guestWindow.button("bar.hand-up").click();
    await hostWindow.button("hands.admit").click();
    await hostWindow.seat("Tenzin").waitFor();
    await about("Tenzin", "deed.kick");
    await guestWindow.page.locator(".start .problem", { hasText: words("fault.kicked") }).waitFor();
    await hostWindow.seat("Tenzin").waitFor({ state: "detached" });
    expect(await hostWindow.page.locator("li.seat").count()).toBe(1);
  });

  it("a wipe leaves the room at once, and the window as if nothing had been", async () => {
    await guestWindow.join(await hostWindow.invite(), "Osman");
    await guestWindow.page.keyboard.press("Control+Shift+Backspace");
    await guestWindow.button("make.begin").waitFor();
    expect(await guestWindow.field("join.field").inputValue()).toBe("");
    expect(await guestWindow.page.locator("body").innerText()).not.toContain("Night talk");
  });
});
