import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { Browser, Page } from "playwright-core";
import { build } from "vite";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { startShell, type Shell } from "../../../p2p/shell/shell.ts";
import { EngineDouble } from "../../doubles/engine-double.ts";
import { launchChromium } from "../../e2e/chromium.ts";
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

/** The window as it is shipped, from the shell that ships it, on an engine without a network. */
async function withWindow(use: (page: Page, shell: Shell, engine: EngineDouble) => Promise<void>): Promise<void> {
  const engine = new EngineDouble();
  await engine.start();
  const shell = await startShell({ siteFolder: folder, engine, onLender: () => undefined });
  const context = await browser.newContext({ locale: "en-US" });
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
