import { readdirSync } from "node:fs";
import { tmpdir } from "node:os";
import { fileURLToPath } from "node:url";
import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { EngineEvent } from "../../p2p/api/engine.ts";
import { forkEngine } from "../../p2p/engine-fork.ts";
import type { PortClient } from "../../p2p/port/client.ts";
import { startBrowser } from "../../p2p/shell/browser.ts";
import { type Shell, startShell } from "../../p2p/shell/shell.ts";
import { createSupervisor, type Supervisor } from "../../p2p/supervisor.ts";
import { EngineDouble } from "../doubles/engine-double.ts";
import { chromiumProgram, launchChromium, quietArguments } from "./chromium.ts";
import { type BuiltSite, buildSite } from "./shell-site.ts";

/** What the page has as globals. */
declare const teahouse: PortClient;
declare const events: EngineEvent[];

const engineChild = fileURLToPath(new URL("../doubles/engine-child.ts", import.meta.url));
let site: BuiltSite;
let browser: Browser;

beforeAll(async () => {
  [site, browser] = await Promise.all([buildSite(), launchChromium()]);
});

afterAll(async () => {
  await browser.close();
  await site.remove();
});

/** Waits until the page's connection is in this state. */
const untilState = (page: Page, state: string): Promise<unknown> =>
  page.waitForFunction((wanted) => teahouse.state === wanted, state);

const untilEvent = (page: Page, name: string): Promise<unknown> =>
  page.waitForFunction((wanted) => events.some(({ event }) => event === wanted), name);

async function using(work: (shell: Shell, double: EngineDouble) => Promise<void>): Promise<void> {
  const double = new EngineDouble();
  await double.start();
  const shell = await startShell({ siteFolder: site.folder, engine: double });
  try {
    await work(shell, double);
  } finally {
    await shell.stop();
  }
}

describe("a page in Chromium, over the shell", () => {
  it("is cross-origin isolated, and uses the engine", () =>
    using(async (shell, double) => {
      const context = await browser.newContext();
      const page = await context.newPage();
      await page.goto(shell.issueAddress());
      await page.waitForURL(`${shell.origin}/`);
      await untilState(page, "open");
      expect(await page.evaluate("crossOriginIsolated")).toBe(true);
      await page.evaluate(() => teahouse.join("thi1-x", { name: "客人" }));
      expect(double.joinedWith).toBe("thi1-x");
      await untilEvent(page, "joined");
      await page.evaluate(() =>
        teahouse.speak({
          opus: Uint8Array.of(7, 0, 255),
          capturedAt: 5.5 as Parameters<PortClient["speak"]>[0]["capturedAt"],
        }),
      );
      await page.evaluate(() => teahouse.leave());
      expect(double.spoken).toEqual([{ opus: Uint8Array.of(7, 0, 255), capturedAt: 5.5 }]);
      await context.close();
    }));

  it("keeps the cookie from scripts, and finds its window again when it is loaded anew", () =>
    using(async (shell, double) => {
      const context = await browser.newContext();
      const page = await context.newPage();
      await page.goto(shell.issueAddress());
      await page.waitForURL(`${shell.origin}/`);
      await untilState(page, "open");
      expect(await page.evaluate("document.cookie")).toBe("");
      double.emit({ event: "members", speakers: 1, listeners: 8000, relays: 3 });
      await page.reload();
      await untilState(page, "open");
      expect(await page.evaluate(() => teahouse.snapshot())).toContainEqual({
        event: "members",
        speakers: 1,
        listeners: 8000,
        relays: 3,
      });
      await context.close();
    }));

  it("opens with a link that another page or program followed, though the cookie is strict", () =>
    using(async (shell) => {
      const context = await browser.newContext();
      const page = await context.newPage();
      await page.goto(`data:text/html,<a href="${shell.issueAddress()}">open</a>`);
      await page.click("a");
      await page.waitForURL(`${shell.origin}/`);
      await untilState(page, "open");
      expect(await page.evaluate(() => teahouse.closeReason)).toBeUndefined();
      await context.close();
    }));

  it("is one of two: the newer asks, takes over, and the older is told", () =>
    using(async (shell) => {
      const context = await browser.newContext();
      const first = await context.newPage();
      await first.goto(shell.issueAddress());
      await first.waitForURL(`${shell.origin}/`);
      await untilState(first, "open");
      const second = await context.newPage();
      await second.goto(shell.origin);
      await untilState(second, "occupied");
      await second.evaluate(() => teahouse.takeOver());
      await untilState(second, "open");
      await untilState(first, "closed");
      expect(await first.evaluate(() => teahouse.closeReason)).toBe("replaced");
      await context.close();
    }));

  it("from elsewhere reaches neither pages nor engine, even in the browser that has the cookie", () =>
    using(async (shell, double) => {
      const context = await browser.newContext();
      const page = await context.newPage();
      await page.goto(shell.issueAddress());
      await page.waitForURL(`${shell.origin}/`);
      // Another server on this very computer, to which browsers send the cookie too: the same site, another origin.
      await using(async (other) => {
        const stranger = await context.newPage();
        await stranger.goto(other.issueAddress());
        await stranger.waitForURL(`${other.origin}/`);
        const tried = await stranger.evaluate(async (origin) => {
          const fetched = await fetch(origin, { mode: "no-cors", credentials: "include" }).then(
            () => "fetched",
            () => "refused",
          );
          const socket = new WebSocket(`${origin.replace("http", "ws")}/port`);
          const connected = await new Promise<string>((resolve) => {
            socket.addEventListener("open", () => resolve("connected"));
            socket.addEventListener("error", () => resolve("refused"));
          });
          return [fetched, connected];
        }, shell.origin);
        expect(tried).toEqual(["refused", "refused"]);
      });
      expect(double.listenerCount).toBe(1);
      await context.close();
    }));
});

describe("a window whose engine is killed", () => {
  it("stays open and is back in its room as the same person", async () => {
    const pids: number[] = [];
    const supervisor: Supervisor = createSupervisor(() => {
      const handle = forkEngine({} as Parameters<typeof forkEngine>[0], engineChild);
      pids.push(handle.pid);
      return handle;
    });
    await supervisor.start();
    const shell = await startShell({ siteFolder: site.folder, engine: supervisor.engine });
    supervisor.onGone(() => shell.hangUp("engine-gone"));
    const context = await browser.newContext();
    const page = await context.newPage();
    await page.goto(shell.issueAddress());
    await page.waitForURL(`${shell.origin}/`);
    await page.evaluate(() => teahouse.join("thi1-x", {}));
    process.kill(pids[0] ?? 0, "SIGKILL");
    await untilEvent(page, "role");
    const seen = await page.evaluate(() => events);
    expect(seen.find(({ event }) => event === "role")).toMatchObject({ by: `thi1-x of ${pids[0]}` });
    expect(seen.map(({ event }) => event)).not.toContain("left");
    expect(await page.evaluate(() => teahouse.state)).toBe("open");
    await context.close();
    await Promise.all([shell.stop(), supervisor.stop()]);
  });
});

describe("the Chromium that the shell starts", () => {
  it("opens the window with a cookie that no process list shows, and leaves no profile behind", () =>
    using(async (shell, double) => {
      const profiles = (): string[] =>
        readdirSync(process.env["XDG_RUNTIME_DIR"] ?? tmpdir()).filter((name) => name.startsWith("teahouse-window-"));
      const before = profiles();
      let enter = (): void => undefined;
      const address = shell.openingAddress(new Promise((resolve) => (enter = resolve)));
      const cookie = shell.issueCookie();
      const started = await startBrowser({
        program: chromiumProgram(),
        address,
        cookie,
        isRoot: process.getuid?.() === 0,
        more: quietArguments,
      });
      await started.ready;
      const opened = new Promise<void>((resolve) => {
        const subscribe = double.subscribe.bind(double);
        double.subscribe = (listener) => {
          resolve();
          return subscribe(listener);
        };
      });
      enter();
      await opened;
      await started.close();
      expect(profiles().filter((name) => !before.includes(name))).toEqual([]);
    }));

  it("says that it does not start when it does not", async () => {
    const options = { address: "http://127.0.0.1:9/opening", cookie: { name: "a", value: "b" }, isRoot: false };
    for (const program of [process.execPath, "/nowhere/chromium"]) {
      const started = await startBrowser({ ...options, program });
      await expect(started.ready).rejects.toThrow("the browser ended");
      await started.closed;
    }
  });
});
