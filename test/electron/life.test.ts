import { existsSync, mkdirSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { MessagePort } from "node:worker_threads";
import { describe, expect, it } from "vitest";
import { EngineDouble } from "../doubles/engine-double.ts";
import { TestDesktops, type RunningDesktop, until } from "./desktops.ts";
import { emitPreventable } from "./electron-double.ts";

const desktops = new TestDesktops();

const link = "teahouse://join#thi1-abc";

describe("the app in Electron", () => {
  it("shows its window, and gives the page the engine", async () => {
    const desktop = await desktops.open();
    expect(desktop.app.windows[0]).toMatchObject({ isShown: true, loaded: ["app://window/index.html"] });
    const { client } = await desktop.connectPage();
    await client.join("thi1-abc", {});
    expect(desktop.engines[0]?.joinedWith).toBe("thi1-abc");
    expect(client.snapshot().some(({ event }) => event === "joined")).toBe(true);
  });

  it("does what has to be done before Chromium starts, in this order", async () => {
    const { app } = await desktops.open();
    expect(app.calls.slice(0, 6)).toEqual([
      "enableSandbox",
      "setPath userData",
      "requestSingleInstanceLock",
      "setPath userData",
      "setPath sessionData",
      "setPath crashDumps",
    ]);
    expect(app.calls.indexOf("ready")).toBe(6);
  });

  it("quits when its window is closed and nothing goes on", async () => {
    const { app } = await desktops.open();
    app.windows[0]?.close();
    expect(await app.whenQuit).toBe(0);
  });

  it("stays in the room when its window is closed, out of sight, with an icon that brings it back", async () => {
    const desktop = await desktops.open();
    const { client } = await desktop.connectPage();
    expect(desktop.trays).toHaveLength(0);
    await client.join("thi1-abc", {});
    await until(() => desktop.trays.length > 0);
    const [window] = desktop.app.windows;
    window?.close();
    expect([window?.isShown, desktop.app.windows.length, desktop.app.exitCode]).toEqual([false, 1, undefined]);
    expect(desktop.blockers.size).toBe(1);
    desktop.trays[0]?.emit("click");
    expect(window?.isShown).toBe(true);
    await client.leave();
    await until(() => desktop.trays[0]?.isDestroyed === true);
    expect([desktop.app.exitCode, desktop.blockers.size]).toEqual([undefined, 0]);
  });

  it("tells its page that the window went out of sight, which mutes it, and says so at the icon", async () => {
    const desktop = await desktops.open();
    const { client, page } = await desktop.connectPage();
    const heard: unknown[][] = [];
    const unhear = page.bridge.onHidden((...args: unknown[]) => heard.push(args));
    await client.join("thi1-abc", {});
    await until(() => desktop.trays.length > 0);
    expect(desktop.trays[0]?.toolTip).toBe("Teahouse: in a room");
    const [window] = desktop.app.windows;
    window?.close();
    expect([heard, desktop.trays[0]?.toolTip]).toEqual([[[true]], "Teahouse: in a room, you are muted"]);
    desktop.engines[0]?.emit({ event: "card", card: "thc1-abc" });
    await until(() => client.snapshot().some(({ event }) => event === "card"));
    expect(desktop.trays[0]?.toolTip).toBe("Teahouse: in a room, you are muted");
    desktop.trays[0]?.emit("click");
    expect([heard, desktop.trays[0]?.toolTip]).toEqual([[[true], [false]], "Teahouse: in a room"]);
    unhear();
    // As Command-H does on macOS.
    window?.hide();
    expect([heard.length, desktop.trays[0]?.toolTip]).toEqual([2, "Teahouse: in a room, you are muted"]);
  });

  it("takes a key for talking from other programs while its page wants it, and gives it back when the page is gone", async () => {
    const desktop = await desktops.open();
    const { page } = await desktop.connectPage();
    const heard: string[] = [];
    page.bridge.onTalkKey((state) => heard.push(state));
    page.bridge.setTalkKey("F8");
    expect([...desktop.shortcuts.keys()]).toEqual(["F8"]);
    desktop.shortcuts.get("F8")?.();
    page.bridge.setTalkKey("F9");
    expect([[...desktop.shortcuts.keys()], heard]).toEqual([["F9"], ["down", "up"]]);
    desktop.refusedKeys.add("F8");
    page.bridge.setTalkKey("F8");
    page.bridge.setTalkKey("Escape" as "F8");
    expect([desktop.shortcuts.size, heard.at(-1)]).toEqual([0, "refused"]);
    page.bridge.setTalkKey("F9");
    desktop.app.windows[0]?.webContents.emit("render-process-gone");
    expect(desktop.shortcuts.size).toBe(0);
  });

  it.each(["suspend", "lock-screen"])("lets go of that key at %s: nobody is there to talk", async (event) => {
    const desktop = await desktops.open();
    const { page } = await desktop.connectPage();
    const heard: string[] = [];
    page.bridge.onTalkKey((state) => heard.push(state));
    page.bridge.setTalkKey("F8");
    desktop.shortcuts.get("F8")?.();
    desktop.powerMonitor.emit(event);
    expect(heard).toEqual(["down", "up"]);
  });

  it("tells its page that the computer falls asleep, which mutes it", async () => {
    const desktop = await desktops.open();
    const { page } = await desktop.connectPage();
    const heard: unknown[][] = [];
    const unhear = page.bridge.onSleep((...args: unknown[]) => heard.push(args));
    desktop.powerMonitor.emit("suspend");
    unhear();
    desktop.powerMonitor.emit("suspend");
    expect(heard).toEqual([[]]);
  });

  it("keeps for a page that is loaded again what the one before left", async () => {
    const desktop = await desktops.open();
    const { client } = await desktop.connectPage();
    client.keep("mask on");
    await client.start();
    expect((await desktop.connectPage()).client.kept).toBe("mask on");
  });

  it("quits when the room ends while its window is out of sight", async () => {
    const desktop = await desktops.open();
    const { client } = await desktop.connectPage();
    await client.join("thi1-abc", {});
    await until(() => desktop.trays.length > 0);
    desktop.app.windows[0]?.close();
    desktop.engines[0]?.emit({ event: "left" });
    expect(await desktop.app.whenQuit).toBe(0);
  });

  it("goes on relaying without any window, and opens one again from the icon", async () => {
    const desktop = await desktops.open();
    const { client } = await desktop.connectPage();
    await client.volunteer({});
    await until(() => desktop.trays.length > 0);
    desktop.app.windows[0]?.close();
    expect([desktop.app.windows.length, desktop.app.exitCode]).toEqual([0, undefined]);
    expect(desktop.trays[0]).toMatchObject({ toolTip: "Teahouse: relaying for others", isDestroyed: false });
    expect(desktop.trays[0]?.menu.map(({ label }) => label)).toEqual(["Open Teahouse", undefined, "Leave and quit"]);
    desktop.trays[0]?.menu[0]?.click?.({} as never, undefined, {});
    const again = await desktop.connectPage();
    expect(again.client.snapshot().some(({ event }) => event === "card")).toBe(true);
    desktop.trays[0]?.menu[2]?.click?.({} as never, undefined, {});
    expect(await desktop.app.whenQuit).toBe(0);
  });

  it("says goodbye before it ends", async () => {
    const desktop = await desktops.open();
    const { client } = await desktop.connectPage();
    await client.join("thi1-abc", {});
    desktop.app.quit();
    expect(desktop.app.exitCode).toBeUndefined();
    expect(await desktop.app.whenQuit).toBe(0);
    expect(desktop.engines[0]?.calls).toContain("stop");
  });

  it("keeps the page's connection when the engine crashes, and comes back into the room", async () => {
    const desktop = await desktops.open();
    const { client } = await desktop.connectPage();
    const [engine] = desktop.engines;
    if (engine === undefined) throw new Error("no engine was started");
    engine.capsuleBytes = new Uint8Array([1, 2, 3]);
    await client.join("thi1-abc", {});
    await until(() => desktop.trays.length > 0);
    desktop.children[0]?.kill();
    await until(() => desktop.engines[1]?.resumedWith !== undefined);
    expect(desktop.engines[1]?.resumedWith).toEqual(new Uint8Array([1, 2, 3]));
    expect([client.state, desktop.trays.length, desktop.trays[0]?.isDestroyed]).toEqual(["open", 1, false]);
  });

  it("tells the page when there is no engine to be had", async () => {
    const desktop = await desktops.open({
      makeEngine: () =>
        Object.assign(new EngineDouble(), { start: () => Promise.reject(new Error("no network card")) }),
    });
    const opened = desktop.page();
    const port = await opened.connect();
    const words: string[] = [];
    port.on("message", (text: string) => words.push(text));
    await until(() => words.some((text) => text.includes('"engine-gone"')));
    expect(words.join()).not.toContain("network card");
  });

  it("loads a page that crashed again, three times a minute, then closes the window", async () => {
    const desktop = await desktops.open();
    const [window] = desktop.app.windows;
    const { client } = await desktop.connectPage();
    await client.volunteer({});
    await until(() => desktop.trays.length > 0);
    for (let crash = 1; crash <= 3; crash += 1) {
      window?.webContents.emit("render-process-gone", {}, { reason: "crashed" });
      expect(window?.loaded).toHaveLength(1 + crash);
    }
    await desktop.connectPage();
    window?.webContents.emit("render-process-gone", {}, { reason: "crashed" });
    expect(window?.loaded).toHaveLength(4);
    expect([desktop.app.windows.length, desktop.app.exitCode]).toEqual([0, undefined]);
  });

  it("quits when the room ends after its window was closed by crashes", async () => {
    const desktop = await desktops.open();
    const { client } = await desktop.connectPage();
    await client.join("thi1-abc", {});
    await until(() => desktop.trays.length > 0);
    const [window] = desktop.app.windows;
    for (let crash = 1; crash <= 4; crash += 1) {
      window?.webContents.emit("render-process-gone", {}, { reason: "crashed" });
    }
    expect([desktop.app.windows.length, desktop.app.exitCode]).toEqual([0, undefined]);
    desktop.engines[0]?.emit({ event: "left" });
    expect(await desktop.app.whenQuit).toBe(0);
  });

  it("gives a page that asks twice the newer port, and closes the older", async () => {
    const desktop = await desktops.open();
    const first = await desktop.connectPage();
    const second = await desktop.connectPage();
    await until(() => first.client.state === "closed");
    expect([first.client.closeReason, second.client.state]).toEqual(["replaced", "open"]);
  });

  it("keeps its window out of recordings when asked to", async () => {
    const desktop = await desktops.open();
    const { bridge } = desktop.page();
    bridge.setContentProtection(true);
    expect(desktop.app.windows[0]?.isProtected).toBe(true);
    bridge.setContentProtection(false);
    expect(desktop.app.windows[0]?.isProtected).toBe(false);
  });

  it("says that the window is not built, and ends", async () => {
    const empty = join(desktops.runtime, "empty");
    mkdirSync(empty);
    const desktop = desktops.start({ page: empty });
    desktop.app.becomeReady();
    expect(await desktop.app.whenQuit).toBe(1);
    expect(desktop.errorBoxes).toEqual(["The window of Teahouse is not built. Run: npm run build"]);
  });

  it.each([
    ["linux" as const, [null]],
    ["darwin" as const, [[{ role: "appMenu" }, { role: "editMenu" }, { role: "windowMenu" }]]],
  ])("has a menu only where keys need one: %s", async (platform, menus) => {
    expect((await desktops.open({ platform })).menus).toEqual(menus);
  });
});

describe("the hidden window that lends its network", () => {
  /** Opens its page, which asks for its port, and waits until the engine hears of it. */
  async function lend(desktop: RunningDesktop, engine = 0): Promise<MessagePort> {
    await until(() => desktop.app.hiddenWindows.length > 0 && desktop.lendingPorts.length > engine);
    const heard = new Promise<void>((resolve) => {
      desktop.lendingPorts[engine]?.attach({
        onMessage: (message) => {
          if (message === '{"kind":"lender","here":true}') resolve();
        },
        onClose: () => undefined,
      });
    });
    const port = await desktop.lender().connect();
    await heard;
    return port;
  }

  it("is joined with the engine; where to connect passes, and by what way does not", async () => {
    const desktop = await desktops.open();
    const port = await lend(desktop);
    const said: unknown[] = [];
    port.on("message", (message) => said.push(message));
    const route = { host: "192.0.2.1", port: 443, path: "/a", serverName: "relay.example" };
    desktop.lendingPorts[0]?.postMessage(JSON.stringify({ kind: "route", id: 2, route }));
    await until(() => said.length > 0);
    expect(said).toEqual(['{"kind":"socket","id":2,"url":"wss://relay.example:443/a"}']);
  });

  it("is hung up on when the engine crashes, and lends to the next one", async () => {
    const desktop = await desktops.open();
    const port = await lend(desktop);
    const said: unknown[] = [];
    let isClosed = false;
    port.on("message", (message) => said.push(message));
    port.on("close", () => (isClosed = true));
    desktop.children[0]?.kill();
    await until(() => isClosed && desktop.lendingPorts.length > 1);
    expect(said).toEqual(['{"kind":"bye"}']);
    await lend(desktop, 1);
    expect(desktop.children.length).toBe(2);
  });

  it("lends the network of each room from a session of its own: no cookie and no TLS ticket of one is there in the next", async () => {
    const desktop = await desktops.open();
    const { client } = await desktop.connectPage();
    await until(() => desktop.app.hiddenWindows.length > 0);
    const [first] = desktop.app.hiddenWindows;
    await client.join("thi1-abc", {});
    await client.leave();
    await until(() => desktop.app.hiddenWindows.length > 0 && desktop.app.hiddenWindows[0] !== first);
    const sessions = desktop.sessions.slice(1);
    expect(new Set(sessions.map(({ partition }) => partition)).size).toBe(2);
    const [before, after] = sessions;
    expect([...(after?.handlers.keys() ?? [])].toSorted()).toEqual([...(before?.handlers.keys() ?? [])].toSorted());
    expect(after?.values.get("proxy")).toEqual(before?.values.get("proxy"));
    expect(desktop.app.hiddenWindows).toHaveLength(1);
  });

  it("outlives the visible window, and is opened again when it crashes", async () => {
    const desktop = await desktops.open();
    const { client } = await desktop.connectPage();
    await client.volunteer({});
    await until(() => desktop.trays.length > 0 && desktop.app.hiddenWindows.length > 0);
    desktop.app.windows[0]?.close();
    const [first] = desktop.app.hiddenWindows;
    expect([desktop.app.windows.length, desktop.app.exitCode]).toEqual([0, undefined]);
    first?.webContents.emit("render-process-gone", {}, { reason: "crashed" });
    await until(() => desktop.app.hiddenWindows.length > 0 && desktop.app.hiddenWindows[0] !== first);
    await lend(desktop);
  });

  it("does not keep the app open, nor comes back when it ends", async () => {
    const desktop = await desktops.open();
    await until(() => desktop.app.hiddenWindows.length > 0);
    desktop.app.windows[0]?.close();
    expect(await desktop.app.whenQuit).toBe(0);
    expect(desktop.app.hiddenWindows).toEqual([]);
  });

  it("gives its port to nobody but its own page", async () => {
    const desktop = await desktops.open();
    await until(() => desktop.app.hiddenWindows.length > 0);
    const own = desktop.app.hiddenWindows[0]?.webContents.mainFrame;
    if (own === undefined) throw new Error("no hidden window was opened");
    const told: unknown[] = [];
    desktop.lendingPorts[0]?.attach({ onMessage: (message) => told.push(message), onClose: () => undefined });
    for (const senderFrame of [null, { url: own.url }]) desktop.ipcMain.emit("teahouse:connect", { senderFrame });
    own.url = "https://example.org/";
    desktop.ipcMain.emit("teahouse:connect", { senderFrame: own });
    await desktop.connectPage();
    expect(told).toEqual([]);
  });
});

describe("links that the system opens the app with", () => {
  it("reach the page once it asked for the engine, and only once", async () => {
    const desktop = await desktops.open({ argv: ["--some-switch", link] });
    const heard: string[] = [];
    const { page } = await desktop.connectPage();
    page.bridge.onLink((text) => heard.push(text));
    expect(heard).toEqual([link]);
    page.bridge.onLink((text) => heard.push(text));
    expect(heard).toEqual([link]);
  });

  it("come from a second instance and from macOS, and show the window", async () => {
    const desktop = await desktops.open();
    const { page } = await desktop.connectPage();
    const heard: string[] = [];
    const unhear = page.bridge.onLink((text) => heard.push(text));
    const [window] = desktop.app.windows;
    window?.hide();
    desktop.app.emit("second-instance", {}, ["teahouse", "--original-process-start-time=1", link]);
    expect([heard, window?.isShown]).toEqual([[link], true]);
    expect(emitPreventable(desktop.app, "open-url", `${link}2`)).toBe(true);
    expect(heard).toEqual([link, `${link}2`]);
    unhear();
    desktop.app.emit("second-instance", {}, ["teahouse", link]);
    expect(heard).toHaveLength(2);
  });

  it.each([
    ["of another scheme", "https://example.org/"],
    ["with a space or a control character", "teahouse://join#a b"],
    ["longer than any invite", `teahouse://join#${"a".repeat(4200)}`],
  ])("are not taken when they are %s", async (_what, text) => {
    const desktop = await desktops.open({ argv: [text] });
    const { page } = await desktop.connectPage();
    const heard: string[] = [];
    page.bridge.onLink((one) => heard.push(one));
    desktop.app.emit("second-instance", {}, ["teahouse", text]);
    emitPreventable(desktop.app, "open-url", text);
    expect(heard).toEqual([]);
  });

  it("leave a second instance with nothing to do but to end", async () => {
    const desktop = desktops.start({ argv: [link], prepare: ({ app }) => (app.isSecond = true) });
    expect(await desktop.app.whenQuit).toBe(0);
    desktop.app.becomeReady();
    expect([
      desktop.app.windows.length,
      desktop.children.length,
      readdirSync(join(desktops.runtime, "teahouse")),
    ]).toEqual([0, 0, []]);
  });
});

describe("traces on disk", () => {
  it("Chromium's folder is made for the run, in memory where there is such a place, and gone after it", async () => {
    const desktop = await desktops.open();
    const folder = desktop.app.paths.get("userData") ?? "";
    expect(folder.startsWith(join(desktops.runtime, "teahouse", "run-"))).toBe(true);
    expect([desktop.app.paths.get("sessionData"), desktop.app.paths.get("crashDumps")]).toEqual([folder, folder]);
    writeFileSync(join(folder, "Local State"), "{}");
    desktop.app.quit();
    await desktop.app.whenQuit;
    expect(readdirSync(join(desktops.runtime, "teahouse"))).toEqual([]);
  });

  it("what a killed run left is removed by the next", async () => {
    const left = join(desktops.runtime, "teahouse", "run-dead");
    mkdirSync(left, { recursive: true, mode: 0o700 });
    rmSync(join(desktops.runtime, "teahouse"), { recursive: true });
    mkdirSync(join(desktops.runtime, "teahouse"), { mode: 0o700 });
    mkdirSync(left);
    writeFileSync(join(left, "Local State"), "{}");
    await desktops.open();
    expect(existsSync(left)).toBe(false);
  });

  it("a folder that others can look into is not used for the lock", async () => {
    mkdirSync(join(desktops.runtime, "teahouse"), { mode: 0o755 });
    const desktop = await desktops.open();
    const folder = desktop.app.paths.get("userData") ?? "";
    expect(folder.startsWith(desktops.runtime)).toBe(false);
    desktop.app.quit();
    await desktop.app.whenQuit;
    expect(existsSync(join(folder, ".."))).toBe(false);
  });
});
