import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { chromium, type Browser, type Page } from "playwright-core";
import { build } from "vite";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { startShell, type Shell } from "../../../p2p/shell/shell.ts";
import { EngineDouble } from "../../doubles/engine-double.ts";
import { eventually } from "../../eventually.ts";
import { chromiumProgram, launchChromium, quietArguments } from "../../e2e/chromium.ts";
import { words } from "../../e2e/window/windows.ts";
import { inviteText } from "../enter-room.ts";

const configFile = fileURLToPath(new URL("../../../renderer/vite.config.ts", import.meta.url));

let folder: string;
let browser: Browser;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "teahouse-window-"));
  await build({ configFile, logLevel: "error", build: { outDir: folder, emptyOutDir: true } });
  browser = await launchChromium();
});
afterAll(async () => {
  await browser.close();
  await rm(folder, { recursive: true, force: true });
});

/** What a test does to the loudspeakers of a page. */
interface Loudspeakers {
  /** Pulls them out, or plugs them in again. */
  plug(there: boolean): void;
  /** As a browser that holds all sound back: it says so by the state of the audio graph. */
  holdBack(): Promise<void>;
}

declare global {
  interface Window {
    loudspeakers: Loudspeakers;
  }
}

/** Runs in the page before anything else does; until it is asked, it changes nothing. */
function holdLoudspeakers(): void {
  const graphs = new Set<AudioContext>();
  let isThere = true;
  const plainConnect = AudioNode.prototype.connect as (this: AudioNode, ...to: unknown[]) => AudioNode;
  AudioNode.prototype.connect = function (this: AudioNode, ...to: unknown[]): AudioNode {
    if (to[0] instanceof AudioDestinationNode) graphs.add(to[0].context as AudioContext);
    return plainConnect.apply(this, to);
  };
  window.loudspeakers = {
    plug: (there) => {
      isThere = there;
      navigator.mediaDevices.dispatchEvent(new Event("devicechange"));
    },
    holdBack: async () => void (await Promise.all([...graphs].map((graph) => graph.suspend()))),
  };
  // Not in pages of no secure origin, such as the empty one that a tab begins with.
  const { mediaDevices } = navigator as { mediaDevices?: MediaDevices };
  const plainList = mediaDevices?.enumerateDevices.bind(mediaDevices);
  if (mediaDevices === undefined || plainList === undefined) return;
  mediaDevices.enumerateDevices = async () =>
    (await plainList()).filter(({ kind }) => isThere || kind !== "audiooutput");
}

/** The window as it is shipped, from the shell that ships it, on an engine without a network. */
async function withWindow(
  use: (page: Page, shell: Shell, engine: EngineDouble) => Promise<void>,
  inBrowser = browser,
): Promise<void> {
  const engine = new EngineDouble();
  await engine.start();
  const shell = await startShell({ siteFolder: folder, engine, onLender: () => undefined });
  const context = await inBrowser.newContext({ locale: "en-US" });
  await context.addInitScript(holdLoudspeakers);
  context.setDefaultTimeout(120_000);
  const page = await context.newPage();
  const complaints: string[] = [];
  page.on("pageerror", (error) => complaints.push(error.message));
  page.on("console", (message) => message.type() === "error" && complaints.push(message.text()));
  try {
    await page.goto(shell.issueAddress());
    await page.locator("h1", { hasText: "Come in" }).waitFor();
    // Nothing that the page's policy refuses, no broken file, no error of ours.
    expect(complaints).toEqual([]);
    await use(page, shell, engine);
  } finally {
    await context.close();
    await shell.stop();
  }
}

async function joinRoom(page: Page): Promise<void> {
  await page.locator("textarea").first().fill(inviteText);
  await page.locator("textarea").first().press("Enter");
  await page.getByRole("button", { name: "Go in" }).click();
  await page.locator(".room").waitFor();
}

describe("the window from its shell", () => {
  it("joins by a pasted invite, and is in the room again after a reload", async () => {
    await withWindow(async (page, _shell, engine) => {
      await joinRoom(page);
      expect(engine.joinedWith).toBe(inviteText);
      await page.reload();
      await page.locator(".room").waitFor();
      // What the window says of battery and network is said anew by each page.
      expect(engine.calls.filter((call) => call !== "power")).toEqual(["start", "join"]);
    });
  });

  it("a second window says so and can take over; the first one says that too, and can take it back", async () => {
    await withWindow(async (page, shell) => {
      await joinRoom(page);
      const second = await page.context().newPage();
      await second.goto(shell.origin);
      await second.getByRole("heading", { name: "Teahouse is open in another window" }).waitFor();
      await second.getByRole("button", { name: "Go on here" }).click();
      await second.locator(".room").waitFor();
      await page.getByRole("heading", { name: "Another window took over" }).waitFor();
      await page.getByRole("button", { name: "Go on here" }).click();
      await page.locator(".room").waitFor();
      expect(await second.locator(".room").count()).toBe(0);
    });
  });

  it("says when the engine is gone for good", async () => {
    await withWindow(async (page, shell) => {
      await joinRoom(page);
      shell.hangUp("engine-gone");
      await page.getByRole("heading", { name: "Teahouse has stopped" }).waitFor();
      expect(await page.getByRole("button", { name: "Go on here" }).count()).toBe(0);
    });
  });

  it("without a microphone says so where it is tried, and lets one in all the same", async () => {
    await withWindow(async (page) => {
      await page.locator("textarea").first().fill(inviteText);
      await page.locator("textarea").first().press("Enter");
      await page.getByRole("button", { name: "Try the microphone" }).click();
      await page.locator(".problem").waitFor();
      expect(await page.locator(".problem").textContent()).toMatch(/microphone/i);
      await page.getByRole("button", { name: "Go in" }).click();
      await page.locator(".room").waitFor();
    });
  });
});

describe("whoever cannot hear the room for want of a loudspeaker", () => {
  let talking: Browser;
  beforeAll(async () => {
    const args = [...quietArguments, "--use-fake-ui-for-media-stream", "--use-fake-device-for-media-stream"];
    talking = await chromium.launch({ executablePath: chromiumProgram(), args });
  });
  afterAll(() => talking.close());

  it("is not heard while it is pulled out or the browser holds sound back, is told so, and is heard again after", async () => {
    await withWindow(async (page, _shell, engine) => {
      await joinRoom(page);
      engine.emit({ event: "role", role: "speaker", by: "host" });
      await page.getByRole("button", { name: words("bar.unmute") }).click();
      await spoken(engine, 5);
      await page.evaluate(() => window.loudspeakers.plug(false));
      await stopped(page, "sound.no-speaker");
      const unplugged = await quietSpan(page);
      await page.evaluate(() => window.loudspeakers.plug(true));
      await spoken(engine, 5);
      expect(saidIn(engine, unplugged)).toEqual([]);
      await page.evaluate(() => window.loudspeakers.holdBack());
      await stopped(page, "sound.speaker-blocked");
      const heldBack = await quietSpan(page);
      await page.getByRole("button", { name: words("room.let-sound-in") }).click();
      await spoken(engine, 5);
      expect(saidIn(engine, heldBack)).toEqual([]);
      expect(await page.getByText(words("voice.paused"), { exact: true }).count()).toBe(0);
    }, talking);
  });

  /** Resolves once so many more packets were said. */
  async function spoken(engine: EngineDouble, more: number): Promise<void> {
    const before = engine.spoken.length;
    await eventually(() => expect(engine.spoken.length).toBeGreaterThanOrEqual(before + more));
  }

  /** The window says that the microphone is stopped, why, and what to do. */
  async function stopped(page: Page, fault: string): Promise<void> {
    await page.getByText(words("voice.paused"), { exact: true }).waitFor();
    await page.getByText(words("voice.soundless-hint")).waitFor();
    await page.getByText(words(fault)).waitFor();
  }

  /** Half a second of which nothing may be said, by the page's clock: the times that packets carry, whenever they come. */
  async function quietSpan(page: Page): Promise<readonly [from: number, to: number]> {
    const from = await page.evaluate(() => performance.timeOrigin + performance.now());
    // What opens the microphone again comes later than the span's end by more than a first packet may seem early.
    await new Promise((resolve) => setTimeout(resolve, 1000));
    return [from, from + 500];
  }

  function saidIn({ spoken: said }: EngineDouble, [from, to]: readonly [from: number, to: number]): number[] {
    return said.map(({ capturedAt }) => capturedAt).filter((at) => at > from && at < to);
  }
});
