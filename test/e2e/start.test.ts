import { WebSocket } from "ws";
import { afterAll, describe, expect, it } from "vitest";
import { portOverWebSocket } from "../../p2p/port/carriers.ts";
import { createPortClient } from "../../p2p/port/client.ts";
import { launchChromium } from "./chromium.ts";
import { TeahouseProcess } from "./processes.ts";

const started: TeahouseProcess[] = [];

afterAll(() => Promise.all(started.map((process) => process.end())));

/** `teahouse` without a command: the window, which nobody opens but the test. */
async function start(...args: string[]): Promise<{ readonly process: TeahouseProcess; readonly url: string }> {
  const process = new TeahouseProcess(["--no-open", "--no-dht", "--profile", "wss", ...args]);
  started.push(process);
  const line = await process.next("window");
  expect(line).toMatchObject({ open: false, shell: "address" });
  expect(line["message"]).toContain("because it was asked not to open a window");
  return { process, url: String(line["url"]) };
}

describe("teahouse without a command", () => {
  it("serves the built window and its engine, and leaves properly when asked to", async () => {
    const { process, url } = await start();
    const { origin } = new URL(url);
    expect(url).toMatch(/^http:\/\/127\.0\.0\.1:\d+\/open\/[\w-]{43}$/);
    const entered = await fetch(url);
    const cookie = entered.headers.get("set-cookie")?.split(";")[0] ?? "";
    const page = await fetch(`${origin}/`, { headers: { cookie } });
    expect(await page.text()).toMatch(/<script type="module"[^>]* src="\/assets\/[\w-]+\.js">/);
    const client = createPortClient(
      portOverWebSocket(new WebSocket(`${origin.replace("http", "ws")}/port`, { headers: { cookie, origin } })),
    );
    await client.start();
    expect(client.snapshot().find(({ event }) => event === "ready")).toMatchObject({ addresses: [] });
    expect(await process.next("ready")).toMatchObject({ addresses: [] });
    await expect(client.join("thi1-nonsense", {})).rejects.toMatchObject({ code: "invite-damaged" });
    client.close();
    process.kill("SIGINT");
    expect(await process.exited).toEqual({ code: 0, signal: null });
    expect(process.strayLines).toEqual([]);
  });

  it("shows the window in a browser without a word of trouble on its console", async () => {
    const { process, url } = await start();
    const browser = await launchChromium();
    const page = await browser.newPage();
    const troubles: string[] = [];
    page.on("console", (message) => void (message.type() === "error" && troubles.push(message.text())));
    page.on("pageerror", (error) => void troubles.push(String(error)));
    await page.goto(url);
    await page.waitForURL(`${new URL(url).origin}/`);
    await page.getByRole("button").first().waitFor();
    expect(troubles).toEqual([]);
    await browser.close();
    expect((await process.end()).code).toBe(0);
  });

  it("leaves by itself when --for is over", async () => {
    const { process } = await start("--for", "1ms");
    expect(await process.exited).toEqual({ code: 0, signal: null });
  });
});
